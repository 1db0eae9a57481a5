"""The same failures through this SDK and the official one take the same attempts and the same waits."""

import socket

import pytest

from sdk import official
from sdk.recorder import Answer
from support.scripted import Scripted, read_request

KEY = "sk-or-v1-" + "0" * 64
ARGS = {"input": "a", "model": "m"}
RIGHT = Answer(200, '{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5]}]}')
DOWN = '{"error":{"code":503,"message":"down"}}'


def down(status: int = 503, **headers) -> Answer:
    return Answer(status, DOWN, {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}})


CASES = {
    "500 500 200": ({}, [down(500), down(500), RIGHT]),
    "every 5xx once": ({}, [*(down(status) for status in (500, 502, 503, 504, 524, 529, 599)), RIGHT]),
    "429": ({}, [down(429, Retry_After="1"), RIGHT]),
    "408": ({}, [down(408), RIGHT]),
    "409": ({}, [down(409), RIGHT]),
    "seconds": ({}, [down(Retry_After="7"), RIGHT]),
    "fractions": ({}, [down(Retry_After="0.25"), down(Retry_After="1.0005"), down(Retry_After=" 2 "), RIGHT]),
    "milliseconds": ({}, [down(retry_after_ms="12"), down(retry_after_ms="12.6"), RIGHT]),
    "milliseconds first": ({}, [down(Retry_After="7", retry_after_ms="30"), RIGHT]),
    "milliseconds of no use": ({}, [down(Retry_After="7", retry_after_ms="x"), down(Retry_After="7", retry_after_ms="-1"), RIGHT]),
    "zero milliseconds": ({}, [down(Retry_After="7", retry_after_ms="0"), RIGHT]),
    "zero, negative, words": ({}, [down(Retry_After="0"), down(Retry_After="-4"), down(Retry_After="soon"), RIGHT]),
    "a date": ({}, [down(Retry_After="Tue, 14 Nov 2023 22:14:20 GMT"), RIGHT]),
    "a date that is over": ({}, [down(Retry_After="Tue, 14 Nov 2023 22:00:00 GMT"), RIGHT]),
    "a long wait": ({}, [down(Retry_After="90000"), down(), RIGHT]),
    "an hour of 503": ({}, [down()]),
    "ten seconds of 503": ({"max_elapsed": 10_000}, [down()]),
    "other backoff": ({"initial": 100, "max": 1_000, "exponent": 3.0, "max_elapsed": 9_000, "jitter": 40}, [down()]),
    "no jitter": ({"jitter": 0, "max_elapsed": 5_000}, [down()]),
    "other codes": ({"status_codes": ["429", "5XX"], "max_elapsed": 4_000}, [down(429), down(500), down(404), RIGHT]),
    "only 429": ({"status_codes": ["429"]}, [down(503), RIGHT]),
    "off": ({"enabled": False}, [down(), RIGHT]),
}


def both(driver, client, args, monkeypatch):
    clock = official.Clock()
    clock.install(monkeypatch)
    theirs = official.call("embeddings.generate", client, args)
    ours = driver.call("embeddings.generate", client, args)
    return clock.waits, theirs, ours


@pytest.mark.parametrize(
    ("case", "where"), [(case, where) for case in CASES for where in ("of the client", "of the call") if where == "of the client" or CASES[case][0]]
)
def test_attempts_and_waits(driver, recorder, case, where, monkeypatch):
    config, answers = CASES[case]
    client = {"api_key": KEY, "server_url": recorder.url}
    args = dict(ARGS)
    if config:
        (client if where == "of the client" else args)["retry_config" if where == "of the client" else "retries"] = config
    clock = official.Clock()
    clock.install(monkeypatch)
    recorder.will(*answers)
    theirs = official.call("embeddings.generate", client, args)
    attempts = len(recorder.asked)
    recorder.will(*answers)
    ours = driver.call("embeddings.generate", client, args)
    assert len(recorder.asked) == attempts == ours["attempts"]
    assert ours["waits"] == pytest.approx(clock.waits, abs=1)
    if isinstance(theirs, Exception):
        assert ours["error"]["class"] == type(theirs).__name__
    else:
        assert "ok" in ours


def answers_nothing(sock, i):
    read_request(sock)


def resets(sock, i):
    read_request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def half(sock, i):
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")


def hangs(sock, i):
    read_request(sock)
    sock.recv(1)


def nonsense(sock, i):
    read_request(sock)
    sock.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")


@pytest.mark.parametrize("script", [answers_nothing, resets, half, nonsense, hangs])
@pytest.mark.parametrize("connection_errors", [True, False])
def test_connections_that_fail(driver, script, connection_errors, monkeypatch):
    server = Scripted(script)
    try:
        client = {"api_key": KEY, "server_url": server.base_url, "timeout_ms": 150,
                  "retry_config": {"max_elapsed": 1_500, "connection_errors": connection_errors}}  # fmt: skip
        waits, theirs, ours = both(driver, client, ARGS, monkeypatch)
        assert isinstance(theirs, Exception) and ours["error"]["class"] == "TransportError"
        assert ours["waits"] == waits
        assert server.connections == 2 * (len(waits) + 1)
    finally:
        server.listener.close()


def test_nobody_listens(driver, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = {"api_key": KEY, "server_url": f"http://127.0.0.1:{port}", "retry_config": {"max_elapsed": 3_000}}
    waits, _, ours = both(driver, client, ARGS, monkeypatch)
    assert ours["waits"] == waits and len(waits) > 2


def test_an_attempt_ceiling(driver, recorder):
    recorder.will(down())
    client = {"api_key": KEY, "server_url": recorder.url, "retry_config": {"max_attempts": 3}}
    ours = driver.call("embeddings.generate", client, ARGS)
    assert ours["attempts"] == 3 and ours["error"]["class"] == "ServiceUnavailableResponseError"
