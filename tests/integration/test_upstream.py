"""One upstream by configuration, over HTTP and TLS; what it is sent; two routers in a chain."""

import hashlib

import pytest

from support import wire
from support.router import (
    TAURUS,
    TAURUS_ID,
    TAURUS_TOKENS,
    TAURUS_WIDTH,
    Model,
    Router,
    configuration,
    model_of,
    provider,
)
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope

TEXTS = ["one text", "another text", "🍕"]


def vectors(answer) -> list:
    assert answer.status == 200, answer.body
    return [as_floats(entry["embedding"]) for entry in answer.json["data"]]


def assert_right(answer, texts=TEXTS) -> None:
    for got, text in zip(vectors(answer), texts, strict=True):
        assert same_bits(got, vector_of(text))


@pytest.fixture(scope="module")
def keyed(tmp_path_factory, fake):
    config = configuration(
        provider(fake.base_url, name="The Fake", api_key_env="FAKE_UPSTREAM_KEY"),
        models=[Model("test/priced", "ok@priced", endpoint={"pricing.prompt": "0.00000002"})],
        embedded=False,
    )
    router = Router(tmp_path_factory.mktemp("keyed"), config, environment={"FAKE_UPSTREAM_KEY": "sk-upstream"})
    yield router
    router.stop()


class TestRequest:
    def last(self, fake):
        return fake.attempts("ok@priced")[-1]

    def test_the_routers_own_key_goes_upstream_and_not_the_callers(self, keyed, fake):
        keyed.embed("a", model="test/priced")
        assert self.last(fake)["authorization_sha256"] == hashlib.sha256(b"Bearer sk-upstream").hexdigest()

    def test_metadata_stays_behind(self, keyed, fake):
        answer = keyed.embed(
            "a", model="test/priced", session_id="s", trace={"trace_id": "t"}, provider={"only": ["fake"]}, user="u", colour=1,
            headers={"HTTP-Referer": "https://example.com", "X-Title": "t", "Cookie": "c=d", "X-Session-Id": "s"},
        )  # fmt: skip
        assert answer.status == 200
        attempt = self.last(fake)
        assert set(attempt["members"]) <= {"model", "input", "encoding_format", "user"}
        assert not {"http-referer", "x-title", "cookie", "x-session-id"} & set(attempt["headers"])

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    def test_the_upstream_is_asked_for_the_form_the_client_wants(self, keyed, fake, encoding):
        keyed.embed("a", model="test/priced", encoding_format=encoding)
        assert self.last(fake)["encoding_format"] == encoding

    def test_the_price_and_the_provider_are_told(self, keyed):
        answer = keyed.embed(TEXTS, model="test/priced")
        body = answer.json
        assert body["provider"] == "The Fake" == answer.headers["X-Embedrouter-Provider"]
        assert body["model"] == "test/priced"
        tokens = body["usage"]["prompt_tokens"]
        assert tokens == sum(len(text.encode()) // 4 + 1 for text in TEXTS)
        assert body["usage"]["cost"] == pytest.approx(tokens * 2e-8, rel=1e-9)


def test_a_batch_is_split_at_the_limit_of_the_upstream(start_router, fake):
    model = Model("test/max", "max-items-10", endpoint={"max_batch_items": 10})
    router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
    texts = [f"text {i}" for i in range(95)]
    for encoding in ("float", "base64"):
        assert_right(router.embed(texts, model="test/max", encoding_format=encoding), texts)
    sizes = [attempt["items"] for attempt in fake.attempts("max-items-10")]
    assert sum(sizes) == 2 * 95 and max(sizes) <= 10


def test_a_large_batch_keeps_its_order(router):
    texts = [f"text {i}" for i in range(2048)]
    for model in ("test/ok", "test/reverse"):
        for encoding in ("float", "base64"):
            assert_right(router.embed(texts, model=model, encoding_format=encoding), texts)


class TestTls:
    def test_a_private_authority_is_trusted_when_named(self, start_fake, start_router, certificate):
        fake = start_fake(certificate=certificate)
        config = configuration(provider(fake.base_url, ca_file=certificate[0]), models=[model_of("ok")], embedded=False)
        router = start_router(config)
        for encoding in ("float", "base64"):
            assert_right(router.embed(TEXTS, model="test/ok", encoding_format=encoding))
        assert len({attempt["connection"] for attempt in fake.attempts()}) == 1, "the connection is kept"

    def test_and_refused_when_not(self, start_fake, start_router, certificate):
        fake = start_fake(certificate=certificate)
        router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False))
        answer = router.embed("a", model="test/ok")
        assert answer.status == 502 and answer.code == "upstream_untrusted"
        assert_envelope(answer)
        assert fake.attempts() == []

    @pytest.mark.parametrize(
        "fault,status", [("rst-mid-body", 502), ("fin-mid-body", 502), ("missing-last-chunk", 502), ("chunked-ok", 200)]
    )
    def test_transport_faults_are_caught_under_tls_too(self, start_fake, start_router, certificate, fault, status):
        fake = start_fake(certificate=certificate)
        config = configuration(
            provider(fake.base_url, ca_file=certificate[0]), models=[model_of(fault)], embedded=False
        )
        answer = start_router(config).embed(TEXTS, model=f"test/{fault}")
        assert answer.status == status, answer.body
        if status == 200:
            assert_right(answer)

    def test_plain_text_where_tls_is_expected_is_an_error(self, start_router, fake, certificate):
        base = fake.base_url.replace("http:", "https:")
        config = configuration(
            provider(base, ca_file=certificate[0], connect_timeout="1s"), models=[model_of("ok")], embedded=False
        )
        assert start_router(config).embed("a", model="test/ok").status in (502, 504)

    def test_the_router_itself_serves_tls(self, tmp_path, certificate):
        tls = {"server.tls": {"cert_file": certificate[0], "key_file": certificate[1]}}
        router = Router(tmp_path, configuration(embedded=False, sections=tls))
        try:
            assert router.url.startswith("https://")
            answer = wire.request(router.url, "GET", "/healthz", ca_file=str(certificate[0]))
            assert answer.status == 200
        finally:
            router.stop()


@pytest.fixture(scope="module")
def chained(tmp_path_factory, router):
    models = [
        Model("chain/minilm", TAURUS, dimensions=TAURUS_WIDTH, members={"context_length": TAURUS_TOKENS}),
        Model("chain/ok", "test/ok"),
        Model("chain/short", "test/short-last"),
        Model("chain/absent", "test/absent"),
        Model("chain/slow", "test/delay-60s"),
    ]
    config = configuration(provider(router.api, api_key_env="INNER_KEY"), models=models, embedded=False)
    outer = Router(tmp_path_factory.mktemp("outer"), config, environment={"INNER_KEY": router.key})
    yield outer
    outer.stop()


class TestChain:
    """A router whose upstream is a router."""

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    @pytest.mark.parametrize("inner,outer", [(TAURUS, "chain/minilm"), ("test/ok", "chain/ok")])
    def test_vectors_are_those_of_the_inner_one(self, router, chained, inner, outer, encoding):
        direct = router.embed(TEXTS, model=inner, encoding_format=encoding)
        through = chained.embed(TEXTS, model=outer, encoding_format=encoding)
        for a, b in zip(vectors(direct), vectors(through), strict=True):
            assert same_bits(a, b)
        assert through.json["usage"]["prompt_tokens"] == direct.json["usage"]["prompt_tokens"]

    def test_errors_come_through_with_their_meaning(self, chained):
        long = chained.embed("word " * 400, model="chain/minilm")
        assert long.status == 400 and long.code == "context_length_exceeded"
        assert chained.embed("a", model="chain/short").status == 502
        assert chained.embed("a", model="chain/absent").code == "model_unavailable_upstream"

    def test_a_client_that_leaves_frees_the_whole_chain(self, chained, fake):
        connection = chained.begin("chained", "chain/slow")
        waiting = lambda: [a for a in fake.attempts("delay-60s") if a["state"] == "open"]  # noqa: E731
        wire.eventually(waiting, 5, "the last upstream is asked")
        connection.close()
        wire.eventually(lambda: not waiting(), 2, "the last upstream is let go")

    def test_the_inner_models_name_is_not_the_outer_ones(self, chained):
        assert chained.embed("a", model="chain/minilm").json["model"] == "chain/minilm" != TAURUS_ID
