"""Upstreams that hang, trickle, cut and reset: an error within the deadline, never a wrong 200."""

import time

import pytest

from support import memory
from support.fake import faults
from support.router import Router, configuration, model_of, provider
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope, eventually

TEXTS = ["one text", "another text", "something else"]
BOMBS = ["bomb-gzip", "bomb-br", "bomb-zstd"]
TRANSPORT = [
    f for f in faults()
    if f["id"] in ("B1", "B2", "B3", "B6", "B9", "B11") and "<N>" not in f["name"] and f["name"] not in BOMBS
]  # fmt: skip
LATE = ("silent", "trickle", "stall-half")
ENDLESS = ("endless-body", "endless-headers")  # ended by a bound or by the clock, whichever is first
FIRST_BYTE, TOTAL = 2.0, 5.0  # seconds
SLACK = 5.0  # for a machine under load


def right(answer, texts=TEXTS) -> bool:
    assert answer.status == 200, answer.body
    vectors = [as_floats(entry["embedding"]) for entry in answer.json["data"]]
    return all(same_bits(got, vector_of(text)) for got, text in zip(vectors, texts, strict=True))


@pytest.fixture(scope="module")
def hasty(tmp_path_factory, fake):
    """A router of short deadlines."""
    models = [model_of(fault["name"]) for fault in TRANSPORT]
    models += [model_of(name) for name in ("ok", "delay-60s", "delay-500ms", "rst-on-reuse", "close-unannounced")]
    deadlines = {"first_byte_timeout": "2s", "idle_timeout": "2s"}
    config = configuration(
        provider(fake.base_url, **deadlines),
        models=models,
        embedded=False,
        sections={"limits": {"total_timeout": "5s"}},
    )
    router = Router(tmp_path_factory.mktemp("hasty"), config)
    yield router
    router.stop()


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("fault", TRANSPORT, ids=lambda fault: f"{fault['id']}-{fault['name']}")
def test_a_broken_transport_is_an_error_in_time_or_the_right_answer(hasty, fault, encoding):
    start = time.monotonic()
    answer = hasty.embed(TEXTS, model=f"test/{fault['name']}", encoding_format=encoding)
    assert time.monotonic() - start < TOTAL + SLACK
    if fault["expect"] == "right" or (fault["expect"] == "either" and answer.status == 200):
        assert right(answer)
    else:
        # An endless answer may end one way, and when it is asked for again the other: then it is a 503.
        statuses = {502, 503, 504} if fault["name"] in ENDLESS else {504} if fault["name"] in LATE else {502}
        assert answer.status in statuses, answer.body
        codes = {502: {"upstream_unreachable", "upstream_invalid_answer"}, 503: {"upstreams_failed"}}
        assert answer.code in codes.get(answer.status, {"upstream_timeout"})
        assert_envelope(answer)
    assert right(hasty.embed(TEXTS, model="test/ok", encoding_format=encoding)), "the next request is unharmed"


@pytest.mark.plain
@pytest.mark.parametrize("bomb", BOMBS)
def test_b9_a_bomb_is_refused_and_costs_less_memory_than_it_stands_for(start_router, fake, bomb):
    router = start_router(configuration(provider(fake.base_url), models=[model_of(bomb), model_of("ok")], embedded=False))
    assert right(router.embed(TEXTS, model="test/ok"))
    pid = router.program.process.pid
    memory.forget_peak(pid)
    before = memory.resident(pid)
    answer = router.embed(TEXTS, model=f"test/{bomb}")
    assert answer.status == 502 and answer.code in ("upstream_unreachable", "upstream_invalid_answer"), answer.body
    assert memory.peak(pid) - before < 512 << 20
    assert right(router.embed(TEXTS, model="test/ok"))


def test_b1_silence_costs_one_first_byte_deadline(hasty):
    start = time.monotonic()
    assert hasty.embed("a", model="test/silent").status == 504
    assert FIRST_BYTE * 0.9 < time.monotonic() - start < TOTAL


def test_a_slow_answer_within_the_deadline_is_right(hasty):
    assert right(hasty.embed(TEXTS, model="test/delay-500ms"))


@pytest.mark.parametrize("model", ["test/rst-on-reuse", "test/close-unannounced"])
def test_b4_a_connection_that_died_while_idle_costs_the_caller_nothing(hasty, model):
    for i in range(10):
        assert right(hasty.embed([f"text {i}"], model=model), [f"text {i}"])


def test_b2_a_fresh_connection_follows_one_that_stalled(hasty, fake):
    hasty.embed("a", model="test/stall-half")
    stalled = fake.attempts("stall-half")[-1]["connection"]
    assert right(hasty.embed(TEXTS, model="test/ok"))
    assert fake.attempts("ok")[-1]["connection"] != stalled


def test_connections_are_reused(hasty, fake):
    for i in range(20):
        assert hasty.embed(f"text {i}", model="test/ok").status == 200
    assert len({a["connection"] for a in fake.attempts("ok")[-20:]}) <= 2


def test_an_upstream_that_is_not_there_is_a_502(start_router):
    router = start_router(configuration(provider("http://127.0.0.1:9/v1"), models=[model_of("ok")], embedded=False))
    answer = router.embed("a", model="test/ok")
    assert answer.status == 502 and answer.code == "upstream_unreachable"
    assert_envelope(answer)


def test_the_upstream_sees_the_deadline_too(hasty, fake):
    hasty.embed("waited for too long", model="test/delay-60s")
    eventually(
        lambda: all(a["state"] == "client_left" for a in fake.attempts("delay-60s")), SLACK, "the upstream is let go"
    )
