"""Clients that leave, stall or only sit there: nobody else notices, and nothing of them stays behind."""

import json
import random
import resource
import socket
import struct
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support import memory, wire
from support.raw_http import replies
from support.router import TAURUS, Router, configuration, model_of, provider
from support.wire import eventually

MIB = 1 << 20
BODY = json.dumps({"input": "a text", "model": "test/ok"}).encode()


@pytest.fixture(scope="module")
def target(tmp_path_factory, fake):
    config = configuration(provider(fake.base_url), models=[model_of(name) for name in ("ok", "delay-60s")], embedded=False)
    router = Router(tmp_path_factory.mktemp("connections"), config)
    yield router
    router.stop()


def connect(router) -> socket.socket:
    return socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE)


def reset(sock: socket.socket) -> None:
    """Closes with RST, as a process that was killed over unread bytes does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def request(router, model: str = "test/ok", *lines: str, close: bool = True) -> bytes:
    body = BODY.replace(b"test/ok", model.encode())
    head = ["POST /api/v1/embeddings HTTP/1.1", "Host: h", f"Authorization: Bearer {router.key}", f"Content-Length: {len(body)}", *lines]
    if close:
        head.append("Connection: close")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def descriptors(router) -> int:
    return sum(1 for _ in Path(f"/proc/{router.program.process.pid}/fd").iterdir())


@contextmanager
def nothing_stays_behind(router):
    """As many open files after as before, and it serves."""
    assert router.embed("warm", model="test/ok").status == 200
    before = descriptors(router)
    yield
    assert router.embed("still well", model="test/ok").status == 200
    # A pooled connection to the upstream more or less is no leak.
    eventually(lambda: descriptors(router) <= before + 2, 40, "the connections are closed")


# Where the client is when it goes: how many bytes of a request it has sent.
@pytest.mark.parametrize("leave", ["half_close", "close", "reset"])
@pytest.mark.parametrize("sent", [0, 1, 40, -len(BODY) - 2, -len(BODY), -5])
def test_b13_a_client_that_leaves_in_its_request_harms_nobody(target, fake, leave, sent):
    whole = request(target, "test/ok")
    before = len(fake.attempts("ok"))
    with nothing_stays_behind(target):
        before += 1  # the warm one
        for _ in range(20):
            sock = connect(target)
            sock.sendall(whole[:sent] if sent else b"")
            if leave == "half_close":
                sock.shutdown(socket.SHUT_WR)
                answers = replies(wire.receive_all(sock))
                assert all(answer.status in (400, 408) for answer in answers)
                sock.close()
            else:
                reset(sock) if leave == "reset" else sock.close()
    assert len(fake.attempts("ok")) == before + 1, "a request that never came whole was sent on"


@pytest.mark.parametrize("leave", ["half_close", "close", "reset"])
def test_b13_a_client_that_leaves_while_the_upstream_works_frees_its_call(target, fake, leave):
    with nothing_stays_behind(target):
        before = len(fake.attempts("delay-60s"))
        sockets = [connect(target) for _ in range(10)]
        for sock in sockets:
            sock.sendall(request(target, "test/delay-60s"))
        eventually(lambda: len(fake.attempts("delay-60s")) == before + 10, 10, "the upstream is called")
        for sock in sockets:
            if leave == "half_close":
                sock.shutdown(socket.SHUT_WR)
            else:
                reset(sock) if leave == "reset" else sock.close()
        eventually(lambda: all(a["state"] != "open" for a in fake.attempts("delay-60s")), 10, "the calls are given up")
        for sock in sockets:
            sock.close()


def test_b13_a_client_that_resets_instead_of_reading_harms_nobody(target):
    with nothing_stays_behind(target):
        for _ in range(50):
            sock = connect(target)
            sock.sendall(request(target, "test/ok", close=False) * 5)
            reset(sock)


@pytest.mark.plain
def test_a_client_that_does_not_read_holds_a_bounded_part_of_the_answer(target):
    """FAULTS B14: answers of megabytes to clients that read nothing; the kernel's buffers are small on purpose."""
    pid = target.program.process.pid
    body = json.dumps({"input": ["a text"] * 2048, "model": "test/ok"}).encode()
    head = f"POST /api/v1/embeddings HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {target.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    with ExitStack() as stack:
        before = memory.resident(pid)
        for _ in range(40):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(wire.PATIENCE)
            sock.connect(("127.0.0.1", target.port))
            sock.sendall(head.encode() + body)
        eventually(lambda: target.embed("served", model="test/ok").status == 200, 30, "others are served")
        # One answer each is 2 MB of numbers; not one of them is made twice.
        assert memory.resident(pid) - before < 40 * 5 * MIB
    with nothing_stays_behind(target):
        pass


def test_noise_is_answered_or_closed(target):
    """Random bytes, random cuts and random edits of a good request, the same in every run."""
    chance = random.Random(20261125)
    whole = request(target)
    with nothing_stays_behind(target):
        for _ in range(300):
            bytes_ = bytearray(whole)
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(len(bytes_))
                edit = chance.randrange(4)
                if edit == 0:
                    bytes_[at] = chance.randrange(256)
                elif edit == 1:
                    del bytes_[at : at + chance.randint(1, 20)]
                elif edit == 2:
                    bytes_[at:at] = chance.choice([b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\r\n\r\n", b"Content-Length: 1\r\n"])
                else:
                    bytes_[at:at] = chance.randbytes(chance.randint(1, 8))
            with connect(target) as sock:
                try:
                    sock.sendall(bytes_)
                    sock.shutdown(socket.SHUT_WR)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                for answer in replies(wire.receive_all(sock)):
                    assert answer.status in (200, 400, 401, 404, 405, 408, 413, 417, 431, 501, 415), answer
                    if answer.status != 200:
                        wire.assert_envelope(answer)


@pytest.fixture
def many_files():
    """Room for 10,000 sockets in this process, and in the router it starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 12_000
    assert before[1] == resource.RLIM_INFINITY or before[1] >= wanted, f"the hard limit of open files is {before[1]}; raise it to {wanted}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.plain
def test_ten_thousand_idle_connections_cost_little_and_leave_nothing(many_files, start_router, fake):
    count = 10_000
    patient = {"limits": {"idle_timeout": "1h"}}  # however long this takes
    router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], sections=patient))
    pid = router.program.process.pid
    assert router.embed("warm", model="test/ok").status == 200 and router.embed("warm").status == 200
    before, files = memory.resident(pid), descriptors(router)

    def ask(sock: socket.socket) -> None:
        sock.sendall(request(router, "test/ok", close=False))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")

    with ExitStack() as stack:
        kept = []
        for i in range(count):
            sock = stack.enter_context(connect(router))
            if i % 100 == 0:  # some have asked before
                kept.append(sock)
                ask(sock)
        # `files` may count the caller's last connection, or the pool's.
        eventually(lambda: descriptors(router) >= files + count - 2, 60, "all of them are accepted")
        each = (memory.resident(pid) - before) / count
        assert each < 16 * 1024, f"{each:.0f} bytes for an idle connection"
        for model in ("test/ok", TAURUS):
            assert all(router.embed(f"text {i}", model=model).status == 200 for i in range(20))
        for sock in kept:  # an idle one still works
            ask(sock)
    eventually(lambda: descriptors(router) <= files + 2, 60, "all of them are gone")
    assert router.embed("still well", model="test/ok").status == 200


def test_connections_beyond_the_limit_are_closed_and_those_that_are_there_served(many_files, start_router, fake):
    """More of them than the process has files: it goes on with the ones it has, and with new ones once there is room."""
    router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False))
    pid = router.program.process.pid
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    kept = wire.connect(router.url)
    headers = {**router.authorization, "Content-Type": "application/json"}
    assert wire.exchange(kept, "POST", "/api/v1/embeddings", BODY, headers).status == 200
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(router) + 50, old[1]))
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connect(router))
        assert all(wire.exchange(kept, "POST", "/api/v1/embeddings", BODY, headers).status == 200 for _ in range(20))
        time.sleep(0.5)  # accepting goes on failing; that must not turn into a busy loop
        assert wire.exchange(kept, "POST", "/api/v1/embeddings", BODY, headers).status == 200
    eventually(lambda: router.embed("served again", model="test/ok").status == 200, 30, "new connections are served")
    kept.close()
