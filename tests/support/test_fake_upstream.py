"""The fake upstream against itself: what it is trusted for in the other suites."""

import json
import struct
import time

import pytest

from support import wire
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
