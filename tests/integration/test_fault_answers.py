"""Every row of the fake upstream's table that answers: a right 200 or an error, on numbers and on base64."""

import re

import pytest

from support.fake import faults
from support.right import CODES, INVALID, all_close, assert_right
from support.router import Model, Router, configuration, model_of, provider, table
from support.vectors import as_floats, vector_of
from support.wire import assert_envelope, eventually

TEXTS = ["one text", "another text", "something else", "a fourth", "the last"]

TRANSPORT = ("B1", "B2", "B3", "B6", "B9", "B11")  # test_fault_transport
CONTENT = [f for f in faults() if "<N>" not in f["name"] and f["id"] not in TRANSPORT and f["id"][0] != "C"]
# Rows with numbers in their names.
CONTENT += [
    {**f, "name": f["name"].replace("<N>", number)}
    for f in faults()
    for number in {"error-in-200-<N>": ("402", "429", "500"), "truncated-<N>": ("8",)}.get(f["name"], ())
]


def case(fault: dict) -> str:
    """The case of the catalogue and the row: A1-short-last."""
    return f"{fault['id']}-{fault['name']}"


def test_every_case_of_group_A_has_a_row():
    assert {f["id"] for f in CONTENT if f["id"][0] == "A"} == {f"A{n}" for n in range(1, 22) if n != 16}


@pytest.fixture(scope="module")
def alone(tmp_path_factory, fake):
    models = [model_of(fault["name"]) for fault in CONTENT] + [model_of("ok@space2")]
    router = Router(
        tmp_path_factory.mktemp("alone"), configuration(provider(fake.base_url), models=models, embedded=False)
    )
    yield router
    router.stop()


# An error inside a 200 is what that status would have been.
INNER = {
    "error-in-200-402": (402, "upstream_quota"),
    "error-in-200-429": (429, "upstream_rate_limited"),
    "error-in-200-500": (502, "upstream_error"),
}


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("fault", CONTENT, ids=case)
def test_a_wrong_answer_is_never_a_200(alone, fault, encoding):
    answer = alone.embed(TEXTS, model=f"test/{fault['name']}", encoding_format=encoding)
    if fault["expect"] == "undetectable":
        assert answer.status == 200, "then it is detectable: say so in the table"
        return
    if fault["expect"] == "right" or (fault["expect"] == "either" and answer.status == 200):
        assert answer.status == 200, answer.body
        assert_right(answer, TEXTS, fault=fault["name"])
        expected_type = str if encoding == "base64" else list
        assert all(type(entry["embedding"]) is expected_type for entry in answer.json["data"])
    else:
        inner = INNER.get(fault["name"])
        assert answer.status == (inner[0] if inner else 502), answer.body
        assert answer.code in ({inner[1]} if inner else CODES.get(fault["id"], INVALID)), answer.body
        assert answer.error["metadata"]["provider_name"] == "fake"
        assert_envelope(answer)
    assert_right(alone.embed(TEXTS, model="test/ok"), TEXTS)


@pytest.fixture(scope="module")
def pair(tmp_path_factory, fake):
    """Each fault at the first endpoint of a model, and a good one behind it in the same space."""
    models = [model_of(fault["name"]) for fault in CONTENT]
    for model in models:
        model.endpoint = {"space": "s"}
    text = configuration(provider(fake.base_url), provider(fake.base_url, "good"), models=models, embedded=False)
    good = table("[[model.endpoint]]", {"provider": "good", "upstream_model": "ok", "space": "s"})
    head, *entries = text.split("[[model]]")
    router = Router(tmp_path_factory.mktemp("pair"), "[[model]]".join([head, *(entry + good for entry in entries)]))
    yield router
    router.stop()


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("fault", [f for f in CONTENT if f["expect"] != "undetectable"], ids=case)
def test_with_an_equal_endpoint_behind_it_the_caller_gets_the_right_vectors(pair, fault, encoding):
    answer = pair.embed(
        TEXTS, model=f"test/{fault['name']}", encoding_format=encoding, provider={"order": ["fake", "good"]}
    )
    assert answer.status == 200, answer.body
    served = "ok" if answer.headers["X-Embedrouter-Provider"] == "good" else fault["name"]
    assert_right(answer, TEXTS, fault=served)
    if fault["expect"] == "error":
        assert served == "ok"
    if fault["expect"] == "right":
        assert served == fault["name"], "what is legal needs no other endpoint"


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_A18_another_model_in_the_answer_is_counted_or_by_strict_model_a_fault(start_router, fake, encoding):
    models = [Model("test/lax", "other-model"), Model("test/strict", "other-model", endpoint={"strict_model": True}),
              Model("test/true", "ok", endpoint={"strict_model": True})]  # fmt: skip
    router = start_router(configuration(provider(fake.base_url), models=models, embedded=False))
    assert_right(router.embed(TEXTS, model="test/true", encoding_format=encoding), TEXTS)
    assert_right(router.embed(TEXTS, model="test/lax", encoding_format=encoding), TEXTS)
    strict = router.embed(TEXTS, model="test/strict", encoding_format=encoding)
    assert strict.status == 502 and strict.code == "upstream_invalid_answer", strict.body
    counted = {
        name.split('"')[1]: value for name, value in router.metrics().items()
        if name.startswith("embedrouter_model_mismatches_total")
    }  # fmt: skip
    assert counted == {"test/lax@fake": 1, "test/strict@fake": 0, "test/true@fake": 0}
    eventually(lambda: '"answered_model":"another-model"' in router.program.log, 5, "the log says so")


@pytest.mark.parametrize("fault", [f for f in CONTENT if f["expect"] == "right"], ids=case)
def test_one_text_alone_is_right_too(alone, fault):
    answer = alone.embed("one text", model=f"test/{fault['name']}")
    assert answer.status == 200, answer.body
    assert_right(answer, ["one text"], fault=fault["name"])


ALONE_IS_WRONG = [
    f for f in CONTENT
    if f["expect"] == "error" and "of two or more" not in f["what"] and f["name"] not in ("same-vector",)
    and f["name"] not in INNER
]  # fmt: skip


@pytest.mark.parametrize("fault", ALONE_IS_WRONG, ids=case)
def test_one_text_alone_is_no_way_round_the_gate(alone, fault):
    answer = alone.embed("one text", model=f"test/{fault['name']}", encoding_format="base64")
    assert answer.status == 502, answer.body


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_A11_a_width_that_is_wrong_now_and_then_is_caught_every_time(start_router, start_fake, encoding):
    fake = start_fake()
    router = start_router(
        configuration(provider(fake.base_url), models=[model_of("wrong-width-1-in-20")], embedded=False)
    )
    for i in range(100):
        texts = [f"text {i}"]
        answer = router.embed(texts, model="test/wrong-width-1-in-20", encoding_format=encoding)
        if answer.status == 200:
            assert_right(answer, texts)
        else:
            assert answer.status == 502
    wrong = [a for n, a in enumerate(fake.attempts(), start=1) if n % 20 == 0]
    assert len(wrong) >= 5, "the fault did occur"


# What the gate sees of an endpoint that it no longer samples: numbers unread, base64 read as ever.
CAUGHT_LATE = {
    "float": ["nan", "infinity", "null", "1e400", "1e39", "zero-vector", "zero-vector-last", "short-middle", "extra",
              "index-dup", "ragged", "empty-vector", "wrong-width", "cut-number", "error-beside-data"],
}  # fmt: skip
CAUGHT_LATE["base64"] = [*CAUGHT_LATE["float"], "half-zero", "base64-big-endian", "same-vector"]


@pytest.mark.parametrize("encoding", CAUGHT_LATE)
def test_the_gate_holds_after_a_hundred_right_answers(start_router, fake, encoding):
    models = [Model(f"test/{name}", f"after-100-{name}@{encoding}") for name in CAUGHT_LATE[encoding]]
    router = start_router(configuration(provider(fake.base_url), models=models, embedded=False))
    for model in models:
        for _ in range(100):
            assert router.embed(TEXTS, model=model.id, encoding_format=encoding).status == 200
        answer = router.embed(TEXTS, model=model.id, encoding_format=encoding)
        assert answer.status == 502, (model.id, answer.body)


def test_two_spaces_never_mix(alone):
    assert_right(alone.embed(TEXTS, model="test/ok-at-space2"), TEXTS, space="space2")
    assert_right(alone.embed(TEXTS, model="test/ok"), TEXTS)


@pytest.fixture(scope="module")
def matryoshka(tmp_path_factory, fake):
    wide = {"matryoshka": [16, 32]}
    models = [Model(f"test/{name}", name, members=wide) for name in ("ok", "ignores-dimensions", "wrong-width")]
    router = Router(
        tmp_path_factory.mktemp("matryoshka"), configuration(provider(fake.base_url), models=models, embedded=False)
    )
    yield router
    router.stop()


class TestDimensions:
    @pytest.mark.parametrize("encoding", ["float", "base64"])
    @pytest.mark.parametrize("width", [16, 32, 64])
    def test_a_declared_width_comes_back(self, matryoshka, width, encoding):
        answer = matryoshka.embed(TEXTS, model="test/ok", dimensions=width, encoding_format=encoding)
        assert answer.status == 200, answer.body
        assert_right(answer, TEXTS, width=width)

    def test_another_width_is_refused_before_sending(self, matryoshka, fake):
        answer = matryoshka.embed("asked for 17", model="test/ok", dimensions=17)
        assert answer.status == 400 and answer.error["metadata"]["param"] == "dimensions"
        assert not [a for a in fake.attempts("ok") if a["dimensions"] == 17]

    @pytest.mark.parametrize("encoding", ["float", "base64"])
    @pytest.mark.parametrize("model", ["ignores-dimensions", "wrong-width"])
    def test_an_upstream_that_does_not_honour_it_is_never_a_wrong_200(self, matryoshka, model, encoding):
        answer = matryoshka.embed(TEXTS, model=f"test/{model}", dimensions=32, encoding_format=encoding)
        if answer.status == 200:
            for text, entry in zip(TEXTS, answer.json["data"], strict=True):
                assert all_close(as_floats(entry["embedding"]), vector_of(text, width=32))
        else:
            assert answer.status == 502


# model: (status, codes, header that must be there)
STATUSES = {
    "error-in-200-429": ({429}, {"upstream_rate_limited"}),
    "error-in-200-402": ({402}, {"upstream_quota"}),
    "error-in-200-500": ({502}, {"upstream_error"}),
    "status-400": ({400}, {"upstream_rejected"}),
    "status-400-context": ({400}, {"context_length_exceeded"}),
    "status-400-policy": ({400}, {"content_policy_violation"}),
    "status-401": ({403}, {"upstream_unauthorized"}),
    "status-402": ({402}, {"upstream_quota"}),
    "status-403": ({403}, {"upstream_forbidden"}),
    "status-404": ({404}, {"model_unavailable_upstream"}),
    "status-408": ({504}, {"upstream_timeout"}),
    "status-413": ({400}, {"upstream_rejected"}),
    "status-418": ({502}, {"upstream_invalid_answer"}),
    "status-422-items": ({400}, {"upstream_rejected"}),
    "status-429": ({429}, {"upstream_rate_limited"}),
    "status-429-retry-2": ({429}, {"upstream_rate_limited"}),
    "status-429-quota": ({402}, {"upstream_quota"}),
    "status-500": ({502}, {"upstream_error"}),
    "status-500-html": ({502}, {"upstream_error"}),
    "status-500-too-large": ({400}, {"context_length_exceeded"}),
    "status-502-html": ({502}, {"upstream_error"}),
    "status-503": ({502, 529}, {"upstream_error", "upstream_overloaded"}),
    "status-520": ({502}, {"upstream_error"}),
    "status-524": ({524}, {"upstream_edge_timeout"}),
    "status-529": ({529}, {"upstream_overloaded"}),
    "status-204": ({502}, {"upstream_invalid_answer"}),
    "status-206": ({502}, {"upstream_invalid_answer"}),
    "redirect-307": ({502}, {"upstream_redirected"}),
    "redirect-301": ({502}, {"upstream_redirected"}),
}


@pytest.fixture(scope="module")
def statuses(tmp_path_factory, fake):
    models = [model_of(name) for name in [*STATUSES, "status-500-once", "status-503-once", "status-429-retry-junk",
                                          "status-429-retry-negative", "status-503-retry-7"]]  # fmt: skip
    router = Router(
        tmp_path_factory.mktemp("statuses"), configuration(provider(fake.base_url), models=models, embedded=False)
    )
    yield router
    router.stop()


class TestStatuses:
    @pytest.mark.parametrize("model", STATUSES)
    def test_each_status_has_its_own_answer(self, statuses, model):
        expected, codes = STATUSES[model]
        answer = statuses.embed(TEXTS, model=f"test/{model}")
        assert answer.status in expected and answer.code in codes, answer.body
        assert_envelope(answer)

    def test_a_passing_fault_is_retried_once(self, statuses, fake):
        answer = statuses.embed("passing fault", model="test/status-500-once")
        assert answer.status == 200
        assert_right(answer, ["passing fault"])
        assert [a["status"] for a in fake.ended("status-500-once")] == [500, 200]

    def test_what_will_not_heal_is_sent_once(self, statuses, fake):
        for model in ("status-401", "status-402", "status-429-quota", "status-400", "status-400-policy"):
            before = len(fake.attempts(model))
            statuses.embed("sent once", model=f"test/{model}")
            assert len(fake.attempts(model)) - before == 1, model

    def test_a_hint_to_wait_is_passed_on(self, statuses):
        assert statuses.embed("a", model="test/status-429-retry-2").headers["Retry-After"] in ("1", "2"), "what is left of it"

    @pytest.mark.parametrize("model", ["status-429-retry-junk", "status-429-retry-negative"])
    def test_a_hint_that_is_none_is_not(self, statuses, model):
        assert "Retry-After" not in statuses.embed("a", model=f"test/{model}").headers

    def test_a_5xx_carries_no_hint_to_wait_long(self, statuses):
        answer = statuses.embed("a", model="test/status-503-retry-7")
        assert answer.status >= 500 and int(answer.headers.get("Retry-After", "0")) <= 60

    def test_a_page_of_the_upstream_never_reaches_the_caller(self, statuses):
        for model in ("status-502-html", "status-500-html"):
            assert b"<html" not in statuses.embed("a", model=f"test/{model}").body


def filled(name: str) -> str:
    """A name of the table with numbers."""
    name = name.replace("-<N>-retry-<N>", "-503-retry-2").replace("first-key-<N>", "first-key-401")
    return re.sub("<N>", "503" if name.startswith(("status-", "poison-")) else "2", name)


LIMITED = [{**fault, "name": filled(fault["name"])} for fault in faults() if fault["id"][0] == "C"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory, fake):
    models = [Model(f"test/{fault['name']}", f"{fault['name']}@limited") for fault in LIMITED]
    router = Router(
        tmp_path_factory.mktemp("limited"), configuration(provider(fake.base_url), models=models, embedded=False)
    )
    yield router
    router.stop()


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("fault", LIMITED, ids=lambda fault: fault["name"])
def test_a_limit_or_a_status_is_an_error_or_the_right_answer(limited, fault, encoding):
    texts = [*TEXTS, "and poison"]
    for _ in range(3):
        answer = limited.embed(texts, model=f"test/{fault['name']}", encoding_format=encoding)
        if answer.status == 200:
            assert fault["expect"] != "error", answer.body
            assert_right(answer, texts, space="limited")
        else:
            assert answer.status in (400, 402, 403, 404, 429, 502, 503, 504, 524, 529), answer.body
            assert_envelope(answer)
