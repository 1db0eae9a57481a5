"""Clients that leave while the router works for them (FAULTS B13): their upstream calls end and no other begins. A client that
leaves before its request is whole is in tests/conformance/test_hostile_connections.py. Left to later issues: the row in the
ledger that such a request leaves (the other half of B13), and a thousand slow readers of 10 MB each (B14)."""

import json
import socket
import struct
import threading
from pathlib import Path

import pytest

from support import wire
from support.router import Router, configuration, model_of, provider
from support.scripted import Scripted, answer_of, embeddings_of, read_request
from support.wire import eventually

SOON = 5.0  # seconds; takes a few milliseconds


def ask(router: Router, input, receive_buffer: int | None = None) -> socket.socket:
    """Sends a request and reads nothing."""
    body = json.dumps({"input": input, "model": "test/ok"}).encode()
    head = (
        f"POST /api/v1/embeddings HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {router.key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(wire.PATIENCE)
    sock.connect(("127.0.0.1", router.port))
    sock.sendall(head.encode() + body)
    return sock


def leave(sock: socket.socket, how: str) -> None:
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Counted:
    """An upstream that notes its requests, and when the router lets go of the one it holds."""

    def __init__(self, answers: list[bytes]):
        self.requests = 0
        self.answers = answers  # of the first requests; the next is held
        self.held, self.let_go = threading.Event(), threading.Event()
        self.upstream = Scripted(self.talk)

    def talk(self, sock, i):
        while request := read_request(sock):
            self.requests += 1
            if self.requests <= len(self.answers):
                sock.sendall(self.answers[self.requests - 1])
            elif json.loads(request[1])["input"] == ["served"] or self.let_go.is_set():
                sock.sendall(answer_of(embeddings_of(request[1])))
            else:
                self.held.set()
                try:
                    sock.recv(1)
                finally:
                    self.let_go.set()
                return

    def router(self, start_router) -> Router:
        return start_router(configuration(provider(self.upstream.base_url), models=[model_of("ok")], embedded=False))


@pytest.fixture
def counted():
    made: list[Counted] = []

    def make(*answers: bytes) -> Counted:
        made.append(Counted(list(answers)))
        return made[-1]

    yield make
    for each in made:
        each.upstream.stop()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("when", ["first", "retry"])
def test_b13_a_client_that_leaves_ends_its_call_and_no_other_begins(start_router, counted, when, how):
    failed = [answer_of(b'{"error":{"message":"once"}}', status="500 Oops")] if when == "retry" else []
    upstream = counted(*failed)
    router = upstream.router(start_router)
    sock = ask(router, "a text")
    assert upstream.held.wait(SOON)
    leave(sock, how)
    assert upstream.let_go.wait(SOON), "the call goes on for nobody"
    assert router.embed("another", model="test/ok").status == 200
    assert upstream.requests == len(failed) + 2, "the request that was left, and the one just now"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_b13_a_client_that_leaves_in_the_middle_of_its_answer_costs_one_call(start_router, fake, how):
    router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False))
    assert router.embed("warm", model="test/ok").status == 200
    descriptors = lambda: sum(1 for _ in Path(f"/proc/{router.program.process.pid}/fd").iterdir())  # noqa: E731
    before, asked = descriptors(), len(fake.attempts("ok"))
    for _ in range(5):
        sock = ask(router, ["a text"] * 2048, receive_buffer=4096)
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")
        leave(sock, how)
    assert router.embed("still well", model="test/ok").status == 200
    assert len(fake.attempts("ok")) == asked + 5 + 1
    eventually(lambda: descriptors() <= before + 1, SOON, "the connections are closed")
