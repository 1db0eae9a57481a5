"""How a request is cut into calls: limits, order, one text that is refused, partial answers, endpoints that end midway."""

import json
import math
import signal
import time

import httpx
import openai
import openrouter
import openrouter.errors
import pytest

from support import wire
from support.fake import FakeUpstream
from support.right import all_close, assert_right
from support.router import TAURUS, Model, Router, configuration, provider, table
from support.vectors import as_floats, cosine, same_bits, vector_of
from support.wire import assert_envelope


def texts(n: int) -> list[str]:
    return [f"text number {i}" for i in range(n)]


def two_endpoints(a: str, b: str, first: dict | None = None, second: dict | None = None) -> str:
    """One model at two providers of one space; the first is asked first, by its price."""
    head = {"id": "test/two", "dimensions": 64, "context_length": 8192}
    places = [("a", a, "0.00000001", first), ("b", b, "0.00000002", second)]
    return table("[[model]]", head) + "".join(
        table("[[model.endpoint]]", {"provider": slug, "upstream_model": model, "pricing.prompt": price, **(more or {})})
        for slug, model, price, more in places
    )


CHEAPEST = {"sort": "price"}


class TestLimits:
    @pytest.mark.parametrize("most", [1, 10, 96, 100])
    def test_C13_2048_texts_go_to_any_limit_in_order(self, start_router, start_fake, most):
        fake = start_fake()
        model = Model("test/max", f"max-items-{most}", endpoint={"max_batch_items": most, "pricing.prompt": "0.00000001"})
        router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
        many = texts(2048)
        answer = router.embed(many, model="test/max", encoding_format="base64")
        assert answer.status == 200, answer.body[:500]
        assert_right(answer, many)
        attempts = fake.ended(f"max-items-{most}")
        assert max(a["items"] for a in attempts) <= most and sum(a["items"] for a in attempts) == 2048
        assert len(attempts) == math.ceil(2048 / most)
        assert {a["status"] for a in attempts} == {200}
        tokens = sum(len(t.encode()) // 4 + 1 for t in many)
        assert answer.json["usage"]["prompt_tokens"] == tokens
        assert answer.json["usage"]["cost"] == pytest.approx(tokens * 1e-8, rel=1e-9)

    def test_a_limit_of_tokens_holds_for_every_call(self, start_router, start_fake):
        fake = start_fake()
        model = Model("test/max", "max-tokens-500", endpoint={"max_batch_tokens": 500})
        router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
        many = [f"{i} " + "word " * (i % 40) for i in range(300)]
        answer = router.embed(many, model="test/max")
        assert answer.status == 200, answer.body
        assert_right(answer, many)
        assert {a["status"] for a in fake.ended("max-tokens-500")} == {200}

    def test_a_limit_of_bytes_holds_for_every_call(self, start_router, start_fake):
        fake = start_fake()
        model = Model("test/max", "max-bytes-8000", endpoint={"max_batch_bytes": 8000})
        router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
        many = [f'{i} "\n' + "x" * 500 for i in range(100)]
        answer = router.embed(many, model="test/max")
        assert answer.status == 200, answer.body
        assert_right(answer, many)
        attempts = fake.ended("max-bytes-8000")
        assert {a["status"] for a in attempts} == {200} and len(attempts) > 6

    def test_C13_what_is_pending_is_cut_anew_by_the_limits_of_the_next_endpoint(self, start_router, start_fake):
        a, b = start_fake(), start_fake()
        config = configuration(
            provider(a.base_url, "a"), provider(b.base_url, "b"), embedded=False, models=[]
        ) + two_endpoints("status-429", "max-items-7", {"max_batch_items": 100}, {"max_batch_items": 7})  # fmt: skip
        router = start_router(config)
        answer = router.embed(texts(50), model="test/two", provider=CHEAPEST)
        assert answer.status == 200, answer.body
        assert_right(answer, texts(50))
        assert sorted(x["items"] for x in b.ended("max-items-7")) == [1] + [7] * 7

    @pytest.mark.parametrize("fault", ["max-items-10", "max-bytes-700"])
    def test_C7_a_limit_nobody_declared_is_learned(self, start_router, start_fake, fault):
        fake = start_fake()
        router = start_router(
            configuration(provider(fake.base_url), models=[Model("test/max", fault)], embedded=False)
        )
        many = [f"{i:3} " + "x" * 50 for i in range(96)]
        assert_right(router.embed(many, model="test/max"), many)
        fake.ended(fault)
        fake.forget()
        assert_right(router.embed(many, model="test/max"), many)
        assert {a["status"] for a in fake.ended(fault)} == {200}, "nothing is refused twice"


class TestPlaces:
    def test_parts_go_side_by_side_within_the_places_of_the_endpoint_over_all_threads(self, start_router, start_fake):
        fake = start_fake()
        model = Model("test/slow", "delay-300ms", endpoint={"max_batch_items": 1})
        router = start_router(
            configuration(provider(fake.base_url, max_concurrency=8), models=[model], embedded=False,
                          sections={"server": {"threads": 2}})
        )  # fmt: skip
        began = time.monotonic()
        answer = router.embed(texts(24), model="test/slow")
        took = time.monotonic() - began
        assert_right(answer, texts(24))
        assert took < 24 * 0.3 * 0.7, "one after the other would be 7.2 s"
        attempts = fake.ended("delay-300ms")
        at_once = max(sum(x["at"] <= y["at"] < x["ended_at"] for x in attempts) for y in attempts)
        assert 2 <= at_once <= 6, "three quarters of the places"

    def test_B13_a_client_that_leaves_ends_every_part_and_no_more_are_sent(self, start_router, start_fake):
        fake = start_fake()
        model = Model("test/slow", "delay-60s", endpoint={"max_batch_items": 1})
        router = start_router(
            configuration(provider(fake.base_url, max_concurrency=8, first_byte_timeout="70s"), models=[model], embedded=False)
        )  # fmt: skip
        connection = router.begin(texts(20), "test/slow")
        open_now = lambda: [a for a in fake.attempts("delay-60s") if a["state"] == "open"]  # noqa: E731
        wire.eventually(lambda: len(open_now()) == 6, wire.PATIENCE, "six parts are under way")
        connection.close()
        left = time.time()
        wire.eventually(lambda: not open_now(), wire.PATIENCE, "all are cut")
        attempts = fake.attempts("delay-60s")
        assert len(attempts) == 6 and {a["state"] for a in attempts} == {"client_left"}
        assert max(a["ended_at"] for a in attempts) - left < 2
        time.sleep(0.3)
        assert len(fake.attempts("delay-60s")) == 6


POISONS = ["poison-400", "poison-413", "poison-422", "poison-context", "poison-policy"]


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory, fake):
    models = [Model(f"test/{name}", f"{name}@plan") for name in [*POISONS, "context-100", "status-400"]]
    router = Router(tmp_path_factory.mktemp("plan"), configuration(provider(fake.base_url), models=models, embedded=False))
    yield router
    router.stop()


class TestPoison:
    """96 texts, one of them refused by the provider without a word on which."""

    def ask(self, router, fake, fault: str, at: int, **members):
        many = texts(96)
        many[at] = "the poison itself, " * 8
        before = len(fake.ended(f"{fault}@plan"))
        answer = router.embed(many, model=f"test/{fault}", **members)
        return answer, many, len(fake.ended(f"{fault}@plan")) - before - 1

    @pytest.mark.parametrize("at", [0, 1, 31, 47, 48, 94, 95])
    @pytest.mark.parametrize("fault", POISONS)
    def test_C7_it_is_named(self, poisoned, fake, fault, at):
        answer, _, extra = self.ask(poisoned, fake, fault, at)
        assert answer.status == 400, answer.body
        metadata = answer.error["metadata"]
        assert metadata["param"] == f"input[{at}]" and metadata["item"] == at
        assert_envelope(answer)
        assert extra <= math.ceil(math.log2(96)) + 1

    @pytest.mark.parametrize("at", [0, 31, 48, 95])
    @pytest.mark.parametrize("fault", [*POISONS, "context-100"])
    def test_C7_the_others_are_answered_if_a_part_is_wanted(self, poisoned, fake, fault, at):
        answer, many, extra = self.ask(poisoned, fake, fault, at, partial=True)
        assert answer.status == 200, answer.body
        body = answer.json
        assert [entry["index"] for entry in body["data"]] == [i for i in range(96) if i != at]
        assert_right_others(body["data"], many)
        [error] = body["errors"]
        assert error["index"] == at and error["code"] == 400 and f"input[{at}]" in error["message"]
        assert error["metadata"]["error_type"]
        assert answer.headers["X-Embedrouter-Failed"] == str(at)
        most = math.ceil(math.log2(96)) + 1
        if fault in ("poison-context", "context-100"):
            most = math.floor(math.log2(96)) + 1  # the longest is the first to be suspected
        assert extra <= most

    def test_several_are_all_listed(self, poisoned):
        many = texts(64)
        for at in (3, 40, 41):
            many[at] = "poison"
        answer = poisoned.embed(many, model="test/poison-400", partial=True)
        assert answer.headers["X-Embedrouter-Failed"] == "3,40,41"
        assert len(answer.json["data"]) == 61

    def test_where_all_fail_the_error_is_as_without(self, poisoned):
        for members in ({}, {"partial": True}):
            answer = poisoned.embed(texts(4), model="test/status-400", **members)
            assert answer.status == 400 and answer.code == "upstream_rejected", answer.body
            assert "item" not in answer.error["metadata"], "a provider that refuses all has nothing against one"

    def test_partial_must_be_a_flag(self, poisoned):
        answer = poisoned.embed("a", model="test/poison-400", partial="yes")
        assert answer.status == 400 and answer.error["metadata"]["param"] == "partial"


def assert_right_others(data: list[dict], many: list[str]) -> None:
    for entry in data:
        assert same_bits(as_floats(entry["embedding"]), vector_of(many[entry["index"]], space="plan"))


def test_the_embedded_model_answers_the_others_too(router):
    many = ["short", "word " * 400, "also short"]
    answer = router.embed(many, model=TAURUS, partial=True)
    assert answer.status == 200, answer.body
    assert [entry["index"] for entry in answer.json["data"]] == [0, 2]
    [error] = answer.json["errors"]
    assert error["index"] == 1 and error["metadata"]["error_type"] == "context_length_exceeded"
    alone = router.embed(["short", "also short"], model=TAURUS)
    for got, expected in zip(answer.json["data"], alone.json["data"], strict=True):
        assert cosine(got["embedding"], expected["embedding"]) > 0.99999
    assert router.embed(["word " * 400], model=TAURUS, partial=True).status == 400


class TestFallback:
    def test_what_is_answered_is_not_sent_again(self, start_router, start_fake):
        """The first endpoint answers some parts and then ends; the second gets the rest alone."""
        a, b = start_fake(), start_fake()
        config = configuration(
            provider(a.base_url, "a", max_concurrency=1), provider(b.base_url, "b"), embedded=False
        ) + two_endpoints("after-5-rst-before-headers", "ok", {"max_batch_items": 10}, {"max_batch_items": 10})
        router = start_router(config)
        many = texts(100)
        answer = router.embed(many, model="test/two", provider=CHEAPEST)
        assert answer.status == 200, answer.body
        assert_right(answer, many)
        assert sum(x["items"] for x in b.ended("ok")) == 50
        assert answer.json["provider"] == "a, b"
        assert answer.json["usage"]["cost"] == pytest.approx(
            sum(len(t.encode()) // 4 + 1 for t in many[:50]) * 1e-8 + sum(len(t.encode()) // 4 + 1 for t in many[50:]) * 2e-8
        )

    def test_killed_in_the_middle_of_a_batch(self, start_router, start_fake):
        a, b = FakeUpstream(), start_fake()
        config = configuration(
            provider(a.base_url, "a", max_concurrency=4), provider(b.base_url, "b"), embedded=False
        ) + two_endpoints("delay-200ms", "ok", {"max_batch_items": 2}, {"max_batch_items": 10})
        router = start_router(config)
        many = texts(60)
        connection = router.begin(many, "test/two", provider=CHEAPEST)
        done = lambda: [x for x in a.attempts("delay-200ms") if x["state"] == "answered"]  # noqa: E731
        wire.eventually(lambda: len(done()) >= 6, wire.PATIENCE, "some parts are answered")
        answered = sum(x["items"] for x in done())
        a.program.process.kill()
        a.program.stop(expect=-signal.SIGKILL)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        answer = wire.Answer(response.status, response.headers, body)
        assert_right(answer, many)
        sent = sum(x["items"] for x in b.ended("ok"))
        assert 0 < sent <= 60 - answered, "nothing that was answered is sent to the survivor"

    def test_a_failed_part_is_sent_again_alone(self, start_router, start_fake):
        fake = start_fake()
        model = Model("test/once", "ok", endpoint={"max_batch_items": 10})
        router = start_router(
            configuration(provider(fake.base_url, max_concurrency=1), models=[model], embedded=False)
        )
        fake.behave("ok", "pct-10-status-503")
        for i in range(5):
            many = [f"{i} {text}" for text in texts(60)]
            fake.forget()
            answer = router.embed(many, model="test/once")
            attempts = fake.ended("ok")
            if answer.status == 200:
                assert_right(answer, many)
                assert sum(x["items"] for x in attempts if x["status"] == 200) == 60

    @pytest.mark.parametrize("fault", ["poison-nan", "poison-zero"])
    def test_A7_a_fault_that_follows_one_text_everywhere_is_the_callers_to_mend(self, start_router, start_fake, fault):
        a, b = start_fake(), start_fake()
        router = start_router(
            configuration(provider(a.base_url, "a"), provider(b.base_url, "b"), embedded=False) + two_endpoints(fault, fault)
        )
        many = texts(10)
        many[6] = "poison"
        answer = router.embed(many, model="test/two")
        assert answer.status == 400 and answer.error["metadata"]["param"] == "input[6]", answer.body
        partial = router.embed(many, model="test/two", partial=True)
        assert partial.status == 200, partial.body
        assert partial.headers["X-Embedrouter-Failed"] == "6" and len(partial.json["data"]) == 9

    def test_A7_an_endpoint_that_spoils_every_answer_is_at_fault_itself(self, start_router, start_fake):
        fake = start_fake()
        router = start_router(configuration(provider(fake.base_url), models=[Model("test/nan", "nan")], embedded=False))
        answer = router.embed(texts(10), model="test/nan")
        assert answer.status == 502 and answer.code == "upstream_invalid_vector", answer.body
        assert len(fake.ended("nan")) <= 3


class AddsPartial(httpx.HTTPTransport):
    """Sends "partial": true along: the official SDK's methods have no place for members of their own."""

    def handle_request(self, request):
        body = json.dumps({**json.loads(request.content), "partial": True}).encode()
        headers = {**request.headers, "content-length": str(len(body))}
        return super().handle_request(httpx.Request(request.method, request.url, headers=headers, content=body))


@pytest.fixture(scope="module")
def served(tmp_path_factory, fake):
    router = Router(
        tmp_path_factory.mktemp("partial"),
        configuration(provider(fake.base_url), models=[Model("test/poison", "poison-400@plan")], embedded=False),
    )
    yield router
    router.stop()


class TestClients:
    """The unmodified clients read a partial answer, each vector under its own index."""

    TEXTS = ["one", "poison", "three"]

    def check(self, data) -> None:
        assert [entry.index for entry in data] == [0, 2]
        for entry in data:
            assert all_close(entry.embedding, vector_of(self.TEXTS[entry.index], space="plan"))

    def test_openai(self, served):
        client = openai.OpenAI(base_url=served.api, api_key=served.key, max_retries=0)
        answer = client.embeddings.create(model="test/poison", input=self.TEXTS, extra_body={"partial": True})
        self.check(answer.data)
        assert answer.errors[0]["index"] == 1
        with pytest.raises(openai.BadRequestError, match=r"input\[1\]"):
            client.embeddings.create(model="test/poison", input=self.TEXTS)

    def test_openrouter(self, served):
        with openrouter.OpenRouter(
            api_key=served.key, server_url=served.api, client=httpx.Client(transport=AddsPartial())
        ) as client:
            self.check(client.embeddings.generate(model="test/poison", input=self.TEXTS).data)
        with openrouter.OpenRouter(api_key=served.key, server_url=served.api) as client:
            with pytest.raises(openrouter.errors.BadRequestResponseError, match=r"input\[1\]"):
                client.embeddings.generate(model="test/poison", input=self.TEXTS)
