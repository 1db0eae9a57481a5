"""The fake upstream against itself: what it is trusted for in the other suites."""

import gzip
import http.client
import io
import json
import struct
import time

import pytest

from support import wire
from support.fake import dialects
from support.vectors import as_floats, same_bits, vector_of

TEXTS = ["a text", "", "ein Täxt 🍕", "nul\0inside", "x" * 10_000]


def embed(fake, model, texts, **members) -> wire.Answer:
    return wire.request(
        fake.url, "POST", "/v1/embeddings", {"model": model, "input": texts, **members}, ca_file=fake.ca_file
    )


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("width,space", [(64, ""), (64, "space2"), (768, ""), (3, "x")])
def test_vectors_agree_bit_for_bit(fake, encoding, width, space):
    model = f"ok-d{width}@{space}" if space else f"ok-d{width}"
    data = embed(fake, model, TEXTS, encoding_format=encoding).json["data"]
    assert len(data) == len(TEXTS)
    for text, entry in zip(TEXTS, data):
        assert same_bits(as_floats(entry["embedding"]), vector_of(text, space, width))


@pytest.mark.parametrize("drift", [1, 150, 10_000])
def test_drifted_vectors_agree_bit_for_bit(fake, drift):
    for name, space in ((f"ok~{drift}", ""), (f"ok-d64@a~{drift}", "a")):
        data = embed(fake, name, TEXTS).json["data"]
        for text, entry in zip(TEXTS, data, strict=True):
            assert same_bits(as_floats(entry["embedding"]), vector_of(text, space, 64, drift=drift))


def test_every_format_carries_the_same_vectors(fake):
    for dialect in dialects():
        base = fake.base_url_of(dialect["name"], "ok@space2")
        member = "inputs" if dialect["name"] == "tei" else "input"
        answer = wire.request(base, "POST", base.removeprefix(fake.url) + dialect["path"], {"model": "ok@space2", member: TEXTS})
        body = answer.json
        if isinstance(body, dict):
            body = body.get("embeddings") or [entry["embedding"] for entry in body["data"]]
        for text, vector in zip(TEXTS, body, strict=True):
            assert same_bits(as_floats(vector), vector_of(text, "space2")), dialect
        assert fake.attempts("ok@space2")[-1]["dialect"] == dialect["name"]


def test_behaviour_is_changed_while_it_runs(start_fake):
    fake = start_fake()
    fake.behave("ok@a", "status-503")
    assert embed(fake, "ok@a", "a").status == 503
    assert embed(fake, "ok@b", "a").status == 200
    fake.behave("*", "ok~300")
    [entry] = embed(fake, "ok@b", "a").json["data"]
    assert same_bits(as_floats(entry["embedding"]), vector_of("a", "b", drift=300))
    fake.behave("ok@a", None)
    fake.behave("*", None)
    assert embed(fake, "ok@a", "a").status == 200
    assert [a["fault"] for a in fake.attempts("ok@a")] == ["status-<N>", "ok"]
    assert wire.request(fake.url, "PUT", "/behaviour", {"for": "ok", "be": "no-such-fault"}).status == 400


def test_so_many_of_a_hundred_are_the_same_ones_for_the_same_seed(start_fake):
    struck = []
    for seed in (1, 1, 2):
        fake = start_fake(seed=seed)
        struck.append([embed(fake, "pct-20-status-503", "a").status == 503 for _ in range(100)])
        fake.stop()
    assert struck[0] == struck[1] != struck[2]
    assert 5 < sum(struck[0]) < 40


def test_one_key_may_be_refused_and_others_not(start_fake):
    fake = start_fake()

    def status(key: str) -> int:
        body = {"model": "first-key-401", "input": "a"}
        return wire.request(fake.url, "POST", "/v1/embeddings", body, {"Authorization": f"Bearer {key}"}).status

    assert [status(key) for key in ("one", "two", "one", "three")] == [401, 200, 401, 200]


def test_limits_hold_what_they_say(start_fake):
    fake = start_fake()
    assert [embed(fake, "per-second-3", "a").status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert embed(fake, "tokens-per-second-10", "a" * 100).status == 429
    assert [embed(fake, "flap-2", "a").status for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    waiting = wire.connect(fake.url)
    fake.behave("in-flight-1", "delay-59s")
    waiting.request("POST", "/v1/embeddings", json.dumps({"model": "in-flight-1", "input": "a"}))
    wire.eventually(lambda: fake.attempts("in-flight-1"), 5, "the first is under way")
    fake.behave("in-flight-1", None)
    assert embed(fake, "in-flight-1", "a").status == 429
    waiting.close()
    wire.eventually(lambda: embed(fake, "in-flight-1", "a").status == 200, 5, "the place is free again")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_answers_are_compressed_where_the_client_accepts_it(fake, coding):
    body = {"model": coding, "input": "a"}
    plain = wire.request(fake.url, "POST", "/v1/embeddings", body)
    assert plain.headers["Content-Encoding"] is None and plain.json["data"]
    coded = wire.request(fake.url, "POST", "/v1/embeddings", body, {"Accept-Encoding": f"identity;q=0.5, {coding}"})
    assert coded.headers["Content-Encoding"] == coding
    if coding == "gzip":
        assert gzip.decompress(coded.body) == plain.body


def test_a_bomb_is_half_a_gigabyte_around_the_right_answer(fake):
    answer = wire.request(fake.url, "POST", "/v1/embeddings", {"model": "bomb-gzip", "input": "a"})
    assert len(answer.body) < 600_000
    size, start, end = 0, b"", b""
    with gzip.open(io.BytesIO(answer.body)) as plain:
        while block := plain.read(1 << 20):
            size, start, end = size + len(block), start or block, block
    assert size > 512 << 20
    body = json.loads(start.rstrip() + end.lstrip())
    assert same_bits(as_floats(body["data"][0]["embedding"]), vector_of("a"))


@pytest.mark.parametrize("handshake", ["stall", "reset"])
def test_connections_may_fail_before_the_first_request(start_fake, handshake):
    fake = start_fake(handshake=handshake)
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=0.5)
    with pytest.raises((TimeoutError, ConnectionError)):
        connection.request("GET", "/healthz")
        connection.getresponse()


def test_a_fault_a_format_has_no_place_for_is_said_so(fake):
    answer = wire.request(fake.url, "POST", "/api/embed", {"model": "index-dup", "input": "a"})
    assert answer.status == 404 and "no place" in answer.json["error"]


def test_dimensions_are_honoured(fake):
    [entry] = embed(fake, "ok", "a", dimensions=16).json["data"]
    assert same_bits(as_floats(entry["embedding"]), vector_of("a", "", 16))


@pytest.mark.parametrize("fault", ["leading-zero", "negative-zero", "subnormal"])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_unusual_values_keep_their_bits(fake, fault, encoding):
    [entry] = embed(fake, fault, "a", encoding_format=encoding).json["data"]
    got = as_floats(entry["embedding"])
    assert same_bits(got, vector_of("a", fault=fault))
    special = {"leading-zero": (0, 0.0), "negative-zero": (1, -0.0), "subnormal": (1, 1e-40)}[fault]
    assert struct.pack("f", got[special[0]]) == struct.pack("f", special[1])


def test_attempts_are_kept_without_text(start_fake, tmp_path):
    log = tmp_path / "attempts.jsonl"
    fake = start_fake(log=log)
    wire.request(
        fake.url, "POST", "/v1/embeddings",
        {"model": "ok", "input": ["my secret text"], "dimensions": 16, "user": "u"},
        {"Authorization": "Bearer sk-secret"},
    )  # fmt: skip
    [attempt] = fake.ended("ok")
    assert attempt["state"] == "answered" and attempt["status"] == 200
    assert attempt["items"] == 1 and attempt["dimensions"] == 16
    assert attempt["members"] == ["model", "input", "dimensions", "user"]
    assert attempt["at"] <= attempt["ended_at"] <= time.time()
    [line] = log.read_text().splitlines()
    assert json.loads(line) == attempt
    assert "secret" not in line
    fake.forget()
    assert fake.attempts() == []


def test_a_client_that_leaves_is_seen(fake):
    connection = wire.connect(fake.url)
    connection.request("POST", "/v1/embeddings", json.dumps({"model": "delay-59s", "input": "a"}))
    wire.eventually(lambda: fake.attempts("delay-59s"), 5, "the attempt begins")
    left = time.time()
    connection.close()
    attempt = wire.eventually(
        lambda: [a for a in fake.attempts("delay-59s") if a["state"] == "client_left"], 5, "its end is seen"
    )[0]
    assert attempt["ended_at"] - left < 1.0


def test_once_means_once_for_the_same_texts(start_fake):
    fake = start_fake()
    assert [embed(fake, "status-500-once", "a").status for _ in range(3)] == [500, 200, 200]
    assert embed(fake, "status-500-once", "b").status == 500


def test_every_twentieth_answer_is_wrong(start_fake):
    fake = start_fake()
    widths = [len(embed(fake, "wrong-width-1-in-20", "a").json["data"][0]["embedding"]) for _ in range(40)]
    assert widths == ([64] * 19 + [32]) * 2


@pytest.mark.parametrize(
    "fault", ["rst-before-headers", "rst-after-headers", "rst-mid-body", "fin-mid-body", "missing-last-chunk"]
)
def test_transport_faults_break_the_answer(fake, fault):
    with pytest.raises((ConnectionError, OSError, wire.http.client.HTTPException)):
        embed(fake, fault, ["a", "b"])


def test_chunks_carry_the_right_answer(fake):
    [entry] = embed(fake, "chunked-ok", "a").json["data"]
    assert same_bits(as_floats(entry["embedding"]), vector_of("a"))


def test_tls_serves_the_same(start_fake, certificate):
    fake = start_fake(certificate=certificate)
    [entry] = embed(fake, "ok", "a").json["data"]
    assert same_bits(as_floats(entry["embedding"]), vector_of("a"))


def test_an_unknown_fault_is_said_so(fake):
    answer = embed(fake, "no-such-fault", "a")
    assert answer.status == 404 and "--list" in answer.error["message"]
