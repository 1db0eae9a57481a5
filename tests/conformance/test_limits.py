"""[limits]: each default as documented, and each limit just under, at and just over."""

import json
import socket
import time

import pytest

from support import memory, wire
from support.raw_http import replies
from support.router import TAURUS, Router, configuration, model_of, provider
from support.wire import assert_envelope, eventually

MIB = 1 << 20
DEFAULT_BODY = 32 * MIB


def head(router, *lines: str) -> bytes:
    whole = ["POST /api/v1/embeddings HTTP/1.1", "Host: h", f"Authorization: Bearer {router.key}", "Connection: close", *lines]
    return "\r\n".join(whole).encode() + b"\r\n\r\n"


def body_of(size: int, member: bytes = b"x") -> bytes:
    """A good body of exactly `size` bytes, the rest of them in a member nobody knows."""
    frame = b'{"model":"test/ok","input":"a text","%b":""}' % member
    return frame[:-2] + b"y" * (size - len(frame)) + b'"}'


@pytest.fixture(scope="module")
def defaults(tmp_path_factory, fake):
    config = configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False)
    router = Router(tmp_path_factory.mktemp("defaults"), config)
    yield router
    router.stop()


@pytest.fixture(scope="module")
def short(tmp_path_factory, fake):
    limits = {"idle_timeout": "1s", "total_timeout": "3s", "header_bytes": "2KiB", "inputs": 3}
    config = configuration(
        provider(fake.base_url), models=[model_of(name) for name in ("ok", "delay-60s")], embedded=False, sections={"limits": limits}
    )
    router = Router(tmp_path_factory.mktemp("short"), config)
    yield router
    router.stop()


class TestBody:
    @pytest.mark.parametrize("size", [DEFAULT_BODY - 1, DEFAULT_BODY])
    def test_up_to_32_mib_is_taken(self, defaults, size):
        answer = defaults.request("POST", "/api/v1/embeddings", body_of(size))
        assert answer.status == 200, answer.body[:500]

    def test_one_byte_more_is_a_413_that_says_how_much_is_taken(self, defaults):
        answer = defaults.request("POST", "/api/v1/embeddings", body_of(DEFAULT_BODY + 1))
        assert answer.status == 413 and str(DEFAULT_BODY) in answer.error["message"]
        assert_envelope(answer)

    def test_b10_a_gigabyte_is_refused_by_its_length_before_any_of_it_is_sent(self, defaults):
        """Without a key too: 413 comes first (CONTRACT 2.5)."""
        for length in (1 << 30, 1 << 62, (1 << 64) - 1):
            request = head(defaults, f"Content-Length: {length}").replace(b"Bearer", b"None")
            with socket.create_connection(("127.0.0.1", defaults.port), timeout=wire.PATIENCE) as sock:
                sock.sendall(request)
                answer = replies(wire.receive_all(sock))[0]
            assert answer.status == 413, length

    @pytest.mark.plain
    @pytest.mark.parametrize("name", ["chunks_without_end", "one_chunk_of_a_gigabyte"])
    def test_b10_chunks_without_length_are_cut_off_at_the_limit_and_memory_stays_bounded(self, defaults, name):
        pid = defaults.program.process.pid
        before = memory.resident(pid)
        memory.forget_peak(pid)
        piece = b"x" * MIB
        received = b""
        with socket.create_connection(("127.0.0.1", defaults.port), timeout=wire.PATIENCE) as sock:
            sock.sendall(head(defaults, "Transfer-Encoding: chunked"))
            sent = 0
            try:
                if name == "one_chunk_of_a_gigabyte":
                    sock.sendall(b"40000000\r\n")
                while sent < 1 << 30:
                    sock.sendall(piece if name == "one_chunk_of_a_gigabyte" else b"100000\r\n" + piece + b"\r\n")
                    sent += MIB
                    sock.settimeout(0.001)
                    try:
                        received += sock.recv(65536)
                    except TimeoutError:
                        pass
                    sock.settimeout(wire.PATIENCE)
                    if received:
                        break
                assert received, "a gigabyte was taken"
                sock.shutdown(socket.SHUT_WR)
                received += wire.receive_all(sock)
            except (BrokenPipeError, ConnectionResetError):
                pass
        answer = replies(received)[0]
        assert answer.status == 413 and sent < 100 * MIB
        assert memory.peak(pid) - before < 3 * DEFAULT_BODY
        assert defaults.embed("still well", model="test/ok").status == 200

    # name -> (start, what is repeated, how often, end, status)
    LARGE = {
        "long_text": (b'"', b"a", 31_000_000, b'"', 200),
        "one_item_too_many": (b"[", b'"a",', 2048, b'"a"]', 400),
        "a_million_texts": (b"[", b'"a",', 1_000_000, b'"a"]', 400),
        "a_million_empty_texts": (b"[", b'"",', 1_000_000, b'""]', 400),
        "four_million_ids": (b"[", b"1,", 4_000_000, b"1]", 400),
        "a_million_lists": (b"[", b"[1],", 1_000_000, b"[1]]", 400),
        "brackets": (b"", b"[", 10_000_000, b"", 400),
        "objects": (b"", b'{"a":', 5_000_000, b"", 400),
        "contents": (b"[", b'{"content":', 2_000_000, b"", 400),
    }

    @pytest.mark.plain
    @pytest.mark.parametrize("name", LARGE)
    def test_b10_a_body_made_to_fill_memory_is_answered_within_it(self, defaults, name):
        start, repeated, times, end, status = self.LARGE[name]
        pid = defaults.program.process.pid
        before = memory.resident(pid)
        memory.forget_peak(pid)
        input = start + repeated * times + end
        body = b'{"model":"test/ok","input":' + input + b"}"
        # Past the audit of the logs, which would read these bodies for longer than the router does.
        answer = wire.request(defaults.url, "POST", "/api/v1/embeddings", body, defaults.authorization)
        assert answer.status == status, answer.body[:500]
        assert_envelope(answer) if status != 200 else None
        assert memory.peak(pid) - before < 200 * MIB


class TestInputs:
    @pytest.mark.parametrize("count,status", [(2047, 200), (2048, 200), (2049, 400)])
    def test_b10_2048_are_taken_by_default(self, defaults, count, status):
        answer = defaults.embed(["a"] * count, model="test/ok")
        assert answer.status == status
        if status == 400:
            assert answer.error["metadata"]["param"] == "input" and "2048" in answer.error["message"]

    @pytest.mark.parametrize("item", ["a", [1], {"content": [{"type": "text", "text": "a"}]}], ids=["texts", "lists", "contents"])
    def test_the_limit_counts_items_of_every_form(self, short, item):
        answer = short.embed([item] * 4, model="test/ok")
        assert answer.status == 400 and "3" in answer.error["message"] and answer.error["metadata"]["param"] == "input"
        at_limit = short.embed([item] * 3, model="test/ok")
        assert at_limit.status == 200 or at_limit.code == "token_input_unsupported"

    def test_ids_of_one_text_are_one_input(self, short):
        assert short.embed([1, 2, 3, 4], model="test/ok").code == "token_input_unsupported"


class TestHeaders:
    def head_of(self, size: int) -> bytes:
        frame = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: \r\n\r\n"
        return frame.replace(b"X: ", b"X: " + b"y" * (size - len(frame)))

    @pytest.mark.parametrize("over,status", [(-1, 200), (0, 200), (1, 431)])
    def test_b11_64_kib_are_taken_by_default(self, defaults, over, status):
        [answer] = replies(wire.raw(defaults.port, self.head_of(65536 + over)))
        assert answer.status == status

    @pytest.mark.parametrize("over,status", [(-1, 200), (0, 200), (1, 431)])
    def test_the_limit_is_the_configured_one(self, short, over, status):
        [answer] = replies(wire.raw(short.port, self.head_of(2048 + over)))
        assert answer.status == status
        if status == 431:
            assert_envelope(answer)
            assert "2048" in answer.error["message"]


class TestDeadlines:
    def drip(self, sock, data: bytes, every: float, until: float) -> bytes:
        """Sends byte by byte until there is an answer; returns all of it."""
        sock.settimeout(every)
        end = time.monotonic() + until
        for at in range(len(data)):
            assert time.monotonic() < end, "neither an answer nor an end"
            try:
                sock.sendall(data[at : at + 1])
                received = sock.recv(65536)
                sock.settimeout(wire.PATIENCE)
                return received + wire.receive_all(sock) if received else b""
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return b""
        raise AssertionError("everything was sent without an answer")

    def connection(self, router) -> socket.socket:
        return socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE)

    def test_an_idle_connection_is_closed_without_a_word(self, short):
        with self.connection(short) as sock:
            assert wire.receive_all(sock) == b""

    def test_a_kept_connection_is_closed_when_it_idles(self, short):
        with self.connection(short) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            assert [answer.status for answer in replies(wire.receive_all(sock))] == [200]

    @pytest.mark.parametrize("start", [b"G", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: y"])
    def test_a_head_that_stops_is_a_408(self, short, start):
        with self.connection(short) as sock:
            sock.sendall(start)
            [answer] = replies(wire.receive_all(sock))
        assert answer.status == 408
        assert_envelope(answer)

    def test_a_head_that_drips_is_a_408(self, short):
        """Slow-loris: each byte comes in time, the whole never."""
        with self.connection(short) as sock:
            received = self.drip(sock, b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 300, 0.05, 25)
        assert [answer.status for answer in replies(received)] == [408]

    @pytest.mark.parametrize("framing", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
    def test_a_body_that_stops_is_a_408(self, short, framing):
        with self.connection(short) as sock:
            sock.sendall(head(short, framing) + (b"5\r\n{" if "chunked" in framing else b"{"))
            [answer] = replies(wire.receive_all(sock))
        assert answer.status == 408 and "1.0 s" in answer.error["message"], answer.body
        assert_envelope(answer)

    @pytest.mark.parametrize("framing", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
    def test_a_body_that_drips_is_a_408(self, short, framing):
        data = b"1\r\nx\r\n" * 1000 if "chunked" in framing else b"x" * 5000
        with self.connection(short) as sock:
            sock.sendall(head(short, framing))
            received = self.drip(sock, data, 0.05, 25)
        [answer] = replies(received)
        assert answer.status == 408 and "3.0 s" in answer.error["message"], answer.body

    def test_an_upstream_that_outlasts_the_total_deadline_is_a_504(self, short):
        answer = short.embed("a text", model="test/delay-60s")
        assert answer.status == 504
        assert_envelope(answer)

    def test_the_defaults_let_a_slow_client_take_its_time(self, defaults):
        """75 s between bytes and 30 s for a head: some seconds of silence are nothing."""
        with self.connection(defaults) as sock:
            request = head(defaults, f"Content-Length: {len(body_of(200))}") + body_of(200)
            for part in (request[:10], request[10:-100], request[-100:]):
                time.sleep(1.5)
                sock.sendall(part)
            assert [answer.status for answer in replies(wire.receive_all(sock))] == [200]

    def test_dripping_clients_do_not_keep_others_waiting(self, short):
        sockets = [self.connection(short) for _ in range(200)]
        try:
            for sock in sockets:
                sock.sendall(b"POST /api/v1/embeddings HTTP/1.1\r\nHost:")
            assert all(short.embed("a text", model="test/ok").status == 200 for _ in range(20))
        finally:
            for sock in sockets:
                sock.close()
        eventually(lambda: short.embed("a text", model="test/ok").status == 200, 5, "it serves")


def test_bytes_in_flight_over_the_limit_are_a_503_that_passes(start_router, fake):
    limits = {"body_bytes": "1MiB", "bytes_in_flight": "1MiB"}
    router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False, sections={"limits": limits}))
    with socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE) as sock:
        sock.sendall(head(router, "Content-Length: 1048000") + b"{")
        full = eventually(lambda: (a := router.embed("x" * 2000, model="test/ok")).status == 503 and a, 10, "it is full")
        assert full.headers["Retry-After"] == "1"
        assert_envelope(full)
    eventually(lambda: router.embed("x" * 2000, model="test/ok").status == 200, 10, "its room is free again")


def test_documented_defaults_are_the_built_in_ones(start_router, fake):
    """Written out, they change nothing: the configuration is good and the same limits hold."""
    limits = {"body_bytes": "32MiB", "inputs": 2048, "header_bytes": "64KiB", "idle_timeout": "75s", "total_timeout": "5m",
              "bytes_in_flight": "512MiB"}  # fmt: skip
    router = start_router(configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False, sections={"limits": limits}))
    assert router.request("POST", "/api/v1/embeddings", body_of(DEFAULT_BODY + 1)).status == 413
    assert router.embed(["a"] * 2049, model="test/ok").status == 400
