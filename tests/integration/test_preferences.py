"""Which endpoint answers: the members of `provider`, names, suffixes, balancing (docs/routing.md)."""

import json
import re
from collections import Counter

import pytest
from openrouter import OpenRouter, errors

from support.fake import FakeUpstream
from support.program import REPOSITORY
from support.router import TAURUS, Model, Router, configuration, provider, table
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope

PAGE = (REPOSITORY / "docs" / "routing.md").read_text()
ROW = re.compile(r"^\| `([^`]+)` \| `(\{.*\})` \| (.+) \|$", re.MULTILINE)
ASKED = {"X-OpenRouter-Metadata": "enabled"}


def documented() -> list:
    return [pytest.param(model, json.loads(members), tried, id=f"{model} {members}") for model, members, tried in ROW.findall(PAGE)]


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """The configuration of docs/routing.md, with one fake for all its hosts."""
    upstream = FakeUpstream()
    upstream.behave("*", "ok")
    [config] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = re.sub(r'base_url = "[^"]*/v1"', f'base_url = "{upstream.base_url}"', config)
    config = re.sub(r'base_url = "https:[^"]*"', f'base_url = "{upstream.base_url_of("tei", "acme/embed")}"', config)
    router = Router(tmp_path_factory.mktemp("market"), configuration(config, embedded=False))
    yield router
    router.stop()
    upstream.stop()


def slugs(router, model: str) -> dict[str, str]:
    """Of the endpoints of a model, by display name."""
    answer = router.request("GET", f"/api/v1/models/{model}/endpoints")
    return {entry["provider_name"]: entry["tag"] for entry in answer.json["data"]["endpoints"]}


def tried(router, answer, model: str = "acme/embed") -> list[str]:
    assert answer.status == 200, answer.body
    names = slugs(router, model)
    return [names[entry["provider"]] for entry in answer.json["openrouter_metadata"]["endpoints"]["available"]]


class TestTheTable:
    def test_is_found(self):
        assert len(documented()) > 30 and len(re.findall(r"^\| `[^`]+` \| `\{", PAGE, re.MULTILINE)) == len(documented())

    @pytest.mark.parametrize("model,members,expected", documented())
    def test_says_what_happens(self, market, model, members, expected):
        answer = market.embed("a", model=model, headers=ASKED, **members)
        if expected[:3].isdigit():
            status, param = expected.split()
            assert (answer.status, answer.error["metadata"]["param"]) == (int(status), param), answer.body
            assert_envelope(answer)
        elif "," in expected:
            assert sorted(tried(market, answer)) == sorted(expected.split(", "))
        else:
            assert tried(market, answer) == expected.split(" → ")
        if answer.status == 200:
            width = members.get("dimensions", 64)
            assert len(answer.json["data"][0]["embedding"]) == width


class TestTiers:
    def test_are_shown_in_the_list_of_endpoints(self, market):
        data = market.request("GET", "/api/v1/models/acme/embed/endpoints").json["data"]["endpoints"]
        assert {e["tag"]: e["service_tier"] for e in data} == {
            "cheap": None, "cheap/eu": None, "cheap/flex": "flex", "fast": None, "fast/priority": "priority", "private": None,
        }  # fmt: skip

    def test_a_models_price_is_that_of_an_endpoint_that_needs_no_asking(self, market):
        entries = market.request("GET", "/api/v1/embeddings/models").json["data"]
        assert [e["pricing"]["prompt"] for e in entries if e["id"] == "acme/embed"] == ["0.00000001"]

    def test_a_model_of_tiers_alone_says_how_to_ask(self, start_router, fake):
        model = Model("test/tiers", "ok", "acme/priority")
        router = start_router(configuration(provider(fake.base_url, "acme/priority"), models=[model], embedded=False))
        answer = router.embed("a", model="test/tiers")
        assert answer.status == 404 and answer.error["availability"]["excluded_by"] == ["allowed_providers"]
        assert "acme/priority" in answer.error["message"] and ":nitro" in answer.error["message"]
        assert router.embed("a", model="test/tiers:nitro").status == 200


def model_of_two(id: str, first: tuple, second: tuple, **members) -> str:
    """Two endpoints in one space: (provider, what the fake is to do, price)."""
    text = table("[[model]]", {"id": id, "dimensions": 64, **members})
    for slug, upstream, price in (first, second):
        text += table("[[model.endpoint]]", {"provider": slug, "upstream_model": upstream, "pricing.prompt": price, "space": "s"})
    return text


@pytest.fixture(scope="module")
def pair(tmp_path_factory, fake):
    config = configuration(provider(fake.base_url, "first"), provider(fake.base_url, "second"))
    config += model_of_two("test/slow-first", ("first", "delay-300ms", "0.00000001"), ("second", "ok", "0.00000002"))
    config += model_of_two("test/failing-first", ("first", "status-500", "0.00000001"), ("second", "ok@pair", "0.00000002"))
    config += model_of_two("test/one-to-three", ("first", "ok@one", "0.00000001"), ("second", "ok@three", "0.00000003"))
    config += model_of_two("test/distillable", ("first", "ok", "0"), ("second", "ok", "0"), distillable=True)
    router = Router(tmp_path_factory.mktemp("pair"), config)
    yield router
    router.stop()


class TestMeasurements:
    @pytest.fixture(scope="class")
    def measured(self, pair):
        for slug in ("first", "second"):
            assert pair.embed("a", model="test/slow-first", provider={"only": [slug]}).status == 200
        return pair

    @pytest.mark.parametrize(
        "model,wish,expected",
        [
            ("test/slow-first", {"sort": "latency"}, ["second", "first"]),
            ("test/slow-first", {"sort": {"by": "throughput"}}, ["second", "first"]),
            ("test/slow-first:nitro", {}, ["second", "first"]),
            ("test/slow-first:nitro", {"sort": "price"}, ["first", "second"]),
            ("test/slow-first", {"sort": "price", "preferred_max_latency": 0.2}, ["second", "first"]),
            ("test/slow-first", {"sort": "price", "preferred_max_latency": 100}, ["first", "second"]),
            ("test/slow-first", {"sort": "price", "preferred_max_latency": {"p50": 100, "p99": 0.2}}, ["second", "first"]),
            ("test/slow-first", {"sort": "price", "preferred_min_throughput": 20}, ["second", "first"]),
            ("test/slow-first", {"sort": "price", "preferred_min_throughput": {"p90": 0.1}}, ["first", "second"]),
            ("test/slow-first", {"order": ["first"], "preferred_max_latency": 0.2}, ["second", "first"]),
            ("test/slow-first", {"sort": "price", "preferred_max_latency": 1e-6}, ["first", "second"]),
        ],
    )  # fmt: skip
    def test_order_but_never_exclude(self, measured, model, wish, expected):
        answer = measured.embed("a", model=model, provider=wish, headers=ASKED)
        assert tried(measured, answer, "test/slow-first") == expected


class TestFallbacks:
    def test_with_them_the_next_endpoint_answers(self, pair):
        answer = pair.embed("a", model="test/failing-first", provider={"sort": "price"})
        assert answer.status == 200 and answer.json["provider"] == "second"

    def test_without_them_the_first_ones_error_is_the_answer(self, pair, fake):
        fake.forget()
        answer = pair.embed("a", model="test/failing-first", provider={"only": ["first", "second"], "order": ["first"], "allow_fallbacks": False})
        assert answer.status == 502 and answer.error["metadata"]["provider_name"] == "first", answer.body
        assert fake.attempts("ok@pair") == []

    def test_distillation_is_enforced(self, pair):
        wish = {"enforce_distillable_text": True}
        assert pair.embed("a", model="test/distillable", provider=wish).status == 200
        assert pair.embed("a", model=TAURUS, provider=wish).status == 404
        ids = [e["id"] for e in pair.request("GET", "/api/v1/models?output_modalities=all&distillable=true").json["data"]]
        assert ids == ["test/distillable"]


class TestOptions:
    def members(self, fake, model: str) -> set[str]:
        return set(fake.attempts(model)[-1]["members"])

    def test_go_to_the_provider_that_serves_and_to_no_other(self, pair, fake):
        wish = {"order": ["first", "second"], "options": {"first": {"mine": 1}, "second": {"yours": {"a": [1]}}, "third": {"x": 1}}}
        answer = pair.embed("a", model="test/failing-first", provider=wish)
        assert answer.status == 200 and answer.json["provider"] == "second"
        assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("a", space="pair"))
        # By now the first one may be ejected, and is asked only where nobody else is allowed.
        assert pair.embed("a", model="test/failing-first", provider={**wish, "only": ["first"]}).status == 502
        usual = {"model", "input", "encoding_format"}
        assert self.members(fake, "status-500") == usual | {"mine"}
        assert self.members(fake, "ok@pair") == usual | {"yours"}

    def test_every_part_of_a_batch_has_them(self, start_router, fake):
        model = Model("test/parts", "ok@parts", endpoint={"max_batch_items": 2})
        router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
        answer = router.embed(["a", "b", "c"], model="test/parts", provider={"options": {"FAKE": {"mine": 1}}})
        assert answer.status == 200
        assert [("mine" in attempt["members"]) for attempt in fake.attempts("ok@parts")] == [True, True]

    @pytest.mark.parametrize("name", ["input", "model", "dimensions", "encoding_format", "normalize", "truncate", "prompt_name", "task_type"])
    def test_cannot_change_what_the_router_decides(self, pair, name):
        answer = pair.embed("a", model="test/slow-first", provider={"options": {"second": {name: 1}}})
        assert answer.status == 400 and answer.error["metadata"]["param"] == "provider.options.second"

    def test_for_the_embedded_model_are_refused(self, pair):
        answer = pair.embed("a", provider={"options": {"local": {"x": 1}}})
        assert answer.status == 400 and answer.error["metadata"]["param"] == "provider.options"
        assert pair.embed("a", provider={"options": {"other": {"x": 1}}}).status == 200


class TestBalancing:
    def test_spreads_by_the_inverse_square_of_the_price_at_first(self, pair):
        """9 : 1 by price; what is learnt of equal upstreams stays within a factor of the share."""
        first = Counter(pair.embed("a", model="test/one-to-three").json["provider"] for _ in range(300))
        assert sum(first.values()) == 300 and first["first"] > 200 and first["second"] > 0, first


class TestErrors:
    @pytest.mark.parametrize(
        "wish,code,words",
        [
            ({"max_price": {"prompt": "0.001"}}, "constraint_filtered", {"max_price"}),
            ({"quantizations": ["int4"]}, "constraint_filtered", {"quantization"}),
            ({"only": ["nobody"]}, "constraint_filtered", {"allowed_providers"}),
            ({"zdr": True, "ignore": ["private"]}, "constraint_filtered", {"allowed_providers", "data_policy:zdr"}),
            ({"enforce_distillable_text": True}, "constraint_filtered", {"require_parameters"}),
            ({"data_collection": "deny", "only": ["cheap", "fast"]}, "constraint_filtered", {"allowed_providers", "data_policy:training"}),
        ],
    )  # fmt: skip
    def test_say_what_excluded(self, market, wish, code, words):
        answer = market.embed("a", model="acme/embed", provider=wish)
        assert_envelope(answer)
        said = answer.error["availability"]
        assert answer.status == 404 and said["code"] == code and said["retryable"] is False
        # Every endpoint is told of by the first thing that took it out; tiers are not asked for here.
        assert set(said["excluded_by"]) - {"allowed_providers"} == words - {"allowed_providers"}
        assert said["constraint"]["field"] == answer.error["metadata"]["param"]
        assert said["constraint"]["detail"] == answer.error["message"]


class TestThroughTheOfficialSdk:
    """openrouter for Python, unmodified."""

    @pytest.fixture(scope="class")
    def client(self, market):
        with OpenRouter(api_key=market.key, server_url=market.api) as client:
            yield client

    @pytest.mark.parametrize(
        "wish,expected",
        [
            ({"order": ["private"], "allow_fallbacks": False}, "private"),
            ({"only": ["cheap/eu"]}, "Cheap in Europe"),
            ({"ignore": ["cheap", "private"]}, "fast"),
            ({"sort": "price"}, "cheap"),
            ({"sort": {"by": "price", "partition": "model"}, "quantizations": ["bf16"]}, "Cheap in Europe"),
            ({"max_price": {"prompt": "0.01"}}, "cheap"),
            ({"zdr": True, "data_collection": "deny"}, "private"),
            ({"sort": "price", "preferred_max_latency": {"p50": 60, "p99": 90}, "preferred_min_throughput": 0.001}, "cheap"),
        ],
    )  # fmt: skip
    def test_preferences_arrive(self, client, market, wish, expected):
        answer = client.embeddings.generate(input="a", model="acme/embed", provider=wish)
        assert same_bits(as_floats(answer.data[0].embedding), vector_of("a"))
        raw = market.embed("a", model="acme/embed", provider=wish)
        assert raw.json["provider"] == expected

    def test_nothing_left_is_their_not_found(self, client):
        with pytest.raises(errors.NotFoundResponseError) as raised:
            client.embeddings.generate(input="a", model="acme/embed", provider={"max_price": {"prompt": "0.0001"}})
        assert "provider.max_price" in raised.value.message
