"""Every dialect against the running router: vectors, parameters, limits, errors, and each fault its format has a place for."""

import re

import pytest

from support import wire
from support.fake import FakeUpstream, dialects, faults
from support.program import run
from support.right import CODES, INVALID, assert_right
from support.router import Model, Router, configuration, provider
from support.wire import assert_envelope

DIALECTS = [dialect["name"] for dialect in dialects()]
TEXTS = ["one text", "another text", "something else", "a fourth", "the last"]
BUT_CONTENT = ("B1", "B2", "B3", "B6", "B9", "B11")  # test_fault_transport
CONTENT = [
    (dialect, fault)
    for dialect in DIALECTS
    for fault in faults()
    if dialect in fault["dialects"] and "<N>" not in fault["name"] and fault["id"] not in BUT_CONTENT
    and fault["id"][0] != "C"
]  # fmt: skip
CUT = ["fin-mid-body", "missing-last-chunk", "rst-mid-body", "gzip-cut", "length-twice"]
ONES = ["ok", "ok@space2", "max-items-10", "max-items-32", "context-100", "context-100@undeclared"]
STATUSES = [400, 401, 402, 403, 404, 413, 422, 424, 429, 500, 502, 503, 504, 529]


def slug_of(dialect: str, model: str) -> str:
    return re.sub("[^a-z0-9-]", "-", f"{dialect}-{model}")


def place(fake, dialect: str, model: str, members: dict | None = None, **endpoint) -> tuple[str, Model]:
    """A provider that speaks `dialect`, and `<dialect>/<model>` that it serves."""
    slug = slug_of(dialect, model)
    their = provider(fake.base_url_of(dialect, model), slug, dialect=dialect)
    return their, Model(f"{dialect}/{slug}", model, slug, members=members or {}, endpoint=endpoint)


def config_of(places: list[tuple[str, Model]]) -> str:
    return configuration(*(their for their, _ in places), models=[model for _, model in places], embedded=False)


@pytest.fixture(scope="module")
def fake():
    """One of its own: what is counted here is not what other tests ask for."""
    upstream = FakeUpstream()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory, fake):
    """All dialects, all faults."""
    wanted = {(dialect, fault["name"]) for dialect, fault in CONTENT}
    wanted |= {(dialect, name) for dialect in DIALECTS for name in [*CUT, *ONES]}
    wanted |= {(dialect, f"status-{status}") for dialect in DIALECTS for status in STATUSES}
    limits = {"max-items-10": {"max_batch_items": 10}}
    config = config_of([place(fake, dialect, name, **limits.get(name, {})) for dialect, name in sorted(wanted)])
    router = Router(tmp_path_factory.mktemp("spoken"), config)
    yield router
    router.stop()


def embed(router, dialect: str, model: str, texts, **members) -> wire.Answer:
    return router.embed(texts, model=f"{dialect}/{slug_of(dialect, model)}", **members)


def test_the_router_knows_the_dialects_that_are_tested(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text(provider("http://127.0.0.1:9", dialect="no-such-dialect"))
    done = run("serve", "--config", file, "--data-dir", tmp_path)
    assert done.returncode != 0
    assert set(re.findall('"([a-z]+)"', done.stderr.split("expected", 1)[1])) == set(DIALECTS)


@pytest.mark.parametrize("dialect", DIALECTS)
class TestEveryDialect:
    @pytest.mark.parametrize("encoding", ["float", "base64"])
    @pytest.mark.parametrize("texts", ["one text", ["one text"], TEXTS, ["ein Täxt 🍕", 'a "quoted"\n\ttext\0', " "]])
    def test_vectors_are_those_of_the_texts(self, spoken, dialect, encoding, texts):
        answer = embed(spoken, dialect, "ok@space2", texts, encoding_format=encoding)
        assert answer.status == 200, answer.body
        assert_right(answer, [texts] if isinstance(texts, str) else texts, space="space2")
        form = str if encoding == "base64" else list
        assert all(type(entry["embedding"]) is form for entry in answer.json["data"])

    def test_the_providers_count_of_tokens_is_told(self, spoken, dialect):
        answer = embed(spoken, dialect, "ok", TEXTS)
        assert answer.json["usage"]["prompt_tokens"] == sum(len(text.encode()) // 4 + 1 for text in TEXTS)

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    def test_a_batch_is_split_at_the_limit_of_the_endpoint(self, spoken, fake, dialect, encoding):
        texts = [f"text {i}" for i in range(95)]
        before = len(fake.attempts("max-items-10"))
        assert_right(embed(spoken, dialect, "max-items-10", texts, encoding_format=encoding), texts)
        attempts = fake.attempts("max-items-10")[before:]
        assert sum(a["items"] for a in attempts) == 95 and max(a["items"] for a in attempts) <= 10
        assert {a["dialect"] for a in attempts} == {dialect}

    def test_metadata_stays_behind(self, spoken, fake, dialect):
        answer = embed(spoken, dialect, "ok", "a", session_id="s", trace={"trace_id": "t"}, user="u", colour=1)
        assert answer.status == 200
        members = set(fake.attempts("ok")[-1]["members"])
        assert not {"session_id", "trace", "colour", "provider"} & members

    def test_a_text_that_is_too_long_is_refused_and_never_cut(self, spoken, fake, dialect):
        answer = embed(spoken, dialect, "context-100", ["short", "x" * 101])
        assert answer.status == 400 and answer.code == "context_length_exceeded", answer.body
        assert_envelope(answer)
        assert_right(embed(spoken, dialect, "context-100", ["short", "x" * 100]), ["short", "x" * 100])

    def test_a_width_is_asked_for(self, start_router, fake, dialect):
        router = start_router(config_of([place(fake, dialect, "ok@narrow", members={"matryoshka": [16]})]))
        for encoding in ("float", "base64"):
            answer = embed(router, dialect, "ok@narrow", TEXTS, dimensions=16, encoding_format=encoding)
            assert_right(answer, TEXTS, space="narrow", width=16)
        assert fake.attempts("ok@narrow")[-1]["dimensions"] == 16

    @pytest.mark.parametrize("status", STATUSES)
    def test_every_status_has_its_own_answer(self, spoken, dialect, status):
        answer = embed(spoken, dialect, f"status-{status}", "a")
        assert answer.status >= 400
        assert_envelope(answer)
        codes = {
            401: {"upstream_unauthorized"},
            402: {"upstream_quota"},
            403: {"upstream_forbidden"},
            404: {"model_unavailable_upstream"},
            429: {"upstream_rate_limited", "upstream_overloaded"},
            503: {"upstream_error", "upstream_overloaded"},
            504: {"upstream_timeout"},
            529: {"upstream_overloaded"},
        }
        # Those about the request may be the upstream's own failure in a dialect that says so.
        about_request = {"upstream_rejected", "upstream_error", "upstream_invalid_answer"}
        assert answer.code in codes.get(status, about_request if status < 500 else {"upstream_error"}), answer.body

    def test_an_answer_the_wire_broke_is_an_error(self, spoken, dialect):
        for cut in CUT:
            answer = embed(spoken, dialect, cut, TEXTS)
            assert answer.status == 502, (cut, answer.body)
        assert_right(embed(spoken, dialect, "ok", TEXTS), TEXTS)


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("dialect,fault", CONTENT, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_a_wrong_answer_is_never_a_200(spoken, dialect, fault, encoding):
    answer = embed(spoken, dialect, fault["name"], TEXTS, encoding_format=encoding)
    if fault["expect"] == "undetectable":
        assert answer.status == 200, "then it is detectable: say so in the table"
    elif fault["expect"] == "right" or (fault["expect"] == "either" and answer.status == 200):
        assert answer.status == 200, answer.body
        assert_right(answer, TEXTS, fault=fault["name"])
    else:
        assert answer.status == 502, answer.body
        assert answer.code in CODES.get(fault["id"], INVALID), answer.body


class TestTei:
    def test_a_batch_is_split_at_the_servers_own_limit_where_none_is_declared(self, spoken, fake):
        texts = [f"text {i}" for i in range(100)]
        assert_right(embed(spoken, "tei", "max-items-32", texts), texts)
        sizes = [a["items"] for a in fake.attempts("max-items-32") if a["dialect"] == "tei"]
        assert sum(sizes) == 100 and max(sizes) == 32

    def test_kinds_of_input_are_names_of_prompts(self, start_router, fake):
        router = start_router(config_of([place(fake, "tei", "ok@prompted", input_types=["query"])]))
        assert embed(router, "tei", "ok@prompted", "a", input_type="query").status == 200
        assert fake.attempts("ok@prompted")[-1]["input_type"] == "query"
        refused = embed(router, "tei", "ok@prompted", "a", input_type="passage")
        assert refused.status == 400 and refused.error["metadata"]["param"] == "input_type"

    def test_token_ids_travel(self, start_router, fake):
        router = start_router(config_of([place(fake, "tei", "ok@ids", token_ids=True)]))
        assert_right(embed(router, "tei", "ok@ids", [[1, 2], [3]]), ["1,2", "3"], space="ids")
        assert_right(embed(router, "tei", "ok@ids", [7, 8]), ["7,8"], space="ids")


class TestOllama:
    def test_what_it_has_no_place_for_is_refused_by_name(self, spoken):
        kind = embed(spoken, "ollama", "ok", "a", input_type="query")
        assert kind.status == 400 and kind.error["metadata"]["param"] == "input_type"
        ids = embed(spoken, "ollama", "ok", [[1, 2]])
        assert ids.status == 400 and ids.code == "token_input_unsupported"

    @pytest.mark.parametrize(
        "endpoint", [{"token_ids": True}, {"input_types": ["query"]}, {"encodings": ["base64"]}], ids=str
    )
    def test_an_endpoint_that_declares_it_is_a_fault_of_the_file(self, tmp_path, fake, endpoint):
        file = tmp_path / "x.toml"
        file.write_text(config_of([place(fake, "ollama", "ok", **endpoint)]))
        done = run("serve", "--config", file, "--data-dir", tmp_path)
        assert done.returncode != 0
        assert next(iter(endpoint)) in done.stderr and "has no place for" in done.stderr

    def test_the_context_the_model_declares_is_asked_for(self, spoken, fake):
        embed(spoken, "ollama", "ok", "a")
        members = fake.attempts("ok")[-1]["members"]
        assert members == ["model", "input", "truncate", "options"]
