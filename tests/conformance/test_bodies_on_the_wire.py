"""Bodies in a content coding, and answers that come before a body is through."""

import gzip
import http.client
import json
import re
import socket
import ssl
import zlib

import pytest

from support import wire
from support.raw_http import OK_BODY, parse, post
from support.router import Router, configuration, model_of, provider
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope

# OK_BODY as brotli and zstd write it.
BROTLI_BODY = bytes.fromhex("0b13807b22696e707574223a2022612074657874222c20226d6f64656c223a2022746573742f6f6b227d03")
ZSTD_BODY = bytes.fromhex("28b52ffd20273901007b22696e707574223a2022612074657874222c20226d6f64656c223a2022746573742f6f6b227d")
GZIP_BODY = gzip.compress(OK_BODY)
CODED = {
    "gzip": GZIP_BODY,
    "GZIP": GZIP_BODY,
    "x-gzip": GZIP_BODY,
    "deflate": zlib.compress(OK_BODY),
    "br": BROTLI_BODY,
    "zstd": ZSTD_BODY,
    "identity": OK_BODY,
}


def peak_memory(router) -> int:
    """Bytes of resident memory at most, so far."""
    status = open(f"/proc/{router.program.process.pid}/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class TestCompressedBodies:
    @pytest.mark.parametrize("coding", CODED)
    def test_they_are_read(self, router, coding):
        answer = router.request("POST", "/api/v1/embeddings", CODED[coding], {"Content-Encoding": coding})
        assert answer.status == 200, answer.body
        assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("a text"))

    @pytest.mark.parametrize("coding", CODED)
    def test_in_chunks_too(self, router, coding):
        body = CODED[coding]
        chunks = b"".join(b"1\r\n%b\r\n" % body[i : i + 1] for i in range(len(body))) + b"0\r\n\r\n"
        request = post(router, "Transfer-Encoding: chunked", f"Content-Encoding: {coding}", body=chunks, length=False)
        assert parse(wire.raw(router.port, request)).status == 200

    def test_several_members_of_gzip_are_one_body(self, router):
        body = gzip.compress(OK_BODY[:10]) + gzip.compress(OK_BODY[10:])
        assert router.request("POST", "/api/v1/embeddings", body, {"Content-Encoding": "gzip"}).status == 200

    def test_the_next_request_on_the_connection_is_unharmed(self, router):
        coded = post(router, "Content-Encoding: gzip", body=GZIP_BODY, keep=True)
        broken = post(router, "Content-Encoding: gzip", body=OK_BODY, keep=True)
        received = wire.raw(router.port, coded + broken + coded + post(router))
        assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"200", b"400", b"200", b"200"]

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
    @pytest.mark.parametrize("spoil", ["cut", "behind", "plain"])
    def test_a_stream_that_is_not_whole_is_a_400(self, router, coding, spoil):
        whole = CODED[coding]
        body = {"cut": whole[:-1], "behind": whole + b"more", "plain": OK_BODY}[spoil]
        answer = router.request("POST", "/api/v1/embeddings", body, {"Content-Encoding": coding})
        assert answer.status == 400 and "Content-Encoding" in answer.error["message"], answer.body
        assert_envelope(answer)

    @pytest.mark.parametrize("coding", ["compress", "gzip, gzip", "exi", "gzip;q=1"])
    def test_another_coding_is_a_415_that_lists_ours(self, router, coding):
        answer = router.request("POST", "/api/v1/embeddings", GZIP_BODY, {"Content-Encoding": coding})
        assert answer.status == 415 and answer.code == "unsupported_content_encoding"
        assert answer.headers["Accept-Encoding"] == "gzip, deflate, br, zstd"
        assert_envelope(answer)

    def test_the_same_said_twice_is_two_codings(self, router):
        request = post(router, "Content-Encoding: gzip", "Content-Encoding: gzip", body=GZIP_BODY)
        assert parse(wire.raw(router.port, request)).status == 415

    def test_the_key_comes_first(self, router):
        headers = {"Content-Encoding": "compress", "Authorization": None}
        assert router.request("POST", "/api/v1/embeddings", GZIP_BODY, headers).status == 401

    @pytest.mark.plain
    def test_a_bomb_is_a_413_in_bounded_memory(self, start_router):
        router = start_router(configuration(embedded=False))
        before = peak_memory(router)
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(256)) + bomb.flush()
        for _ in range(3):
            answer = router.request("POST", "/api/v1/embeddings", body, {"Content-Encoding": "gzip"})
            assert answer.status == 413 and str(32 << 20) in answer.error["message"], answer.body
            assert_envelope(answer)
        assert peak_memory(router) - before < (32 << 20) + (4 << 20), "the limit, and what a connection needs"

    def test_what_comes_out_is_what_the_limit_is_for(self, start_router, fake):
        small = start_router(
            configuration(
                provider(fake.base_url), models=[model_of("ok")], embedded=False, sections={"limits": {"body_bytes": "64KiB"}}
            )
        )
        frame = json.dumps({"input": "", "model": "test/ok"}).encode()
        text = lambda size: json.dumps({"input": "x" * (size - len(frame)), "model": "test/ok"}).encode()  # noqa: E731
        for size, status in [(65536, 200), (65537, 413)]:
            body = gzip.compress(text(size))
            answer = small.request("POST", "/api/v1/embeddings", body, {"Content-Encoding": "gzip"})
            assert answer.status == status, size


class TestEarlyAnswers:
    """An answer that comes before the body is through reaches a client that sends all of it first."""

    BODY = 24 << 20

    def send_all_then_read(self, sock, head: bytes) -> wire.Answer:
        sock.sendall(head + b"x" * self.BODY)
        response = http.client.HTTPResponse(sock)
        response.begin()
        return wire.Answer(response.status, response.headers, response.read())

    @pytest.mark.parametrize("name,lines,status", [
        ("no key", ["Content-Length: {size}"], 401),
        ("too large", ["Authorization: Bearer {key}", "Content-Length: {too_large}"], 413),
        ("unknown path", ["Content-Length: {size}"], 404),
        ("unknown coding", ["Authorization: Bearer {key}", "Content-Encoding: exi", "Content-Length: {size}"], 415),
    ])  # fmt: skip
    def test_over_plain_connections(self, router, name, lines, status):
        path = "/nothing" if name == "unknown path" else "/api/v1/embeddings"
        fields = {"key": router.key, "size": self.BODY, "too_large": (32 << 20) + 1}
        head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: h", *(line.format(**fields) for line in lines), "", ""])
        with socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE) as sock:
            answer = self.send_all_then_read(sock, head.encode())
        assert answer.status == status
        assert_envelope(answer)

    def test_over_tls(self, tmp_path, certificate):
        cert, key = certificate
        config = configuration(embedded=False, sections={"server.tls": {"cert_file": cert, "key_file": key}})
        router = Router(tmp_path, config)
        try:
            context = ssl.create_default_context(cafile=str(cert))
            plain = socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE)
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
                head = f"POST /api/v1/embeddings HTTP/1.1\r\nHost: h\r\nContent-Length: {self.BODY}\r\n\r\n"
                assert self.send_all_then_read(sock, head.encode()).status == 401
        finally:
            router.stop()

    def test_a_short_rest_is_read_and_the_connection_kept(self, router):
        connection = wire.connect(router.url)
        connection.connect()
        own = connection.sock
        answer = wire.exchange(connection, "POST", "/api/v1/embeddings", b"x" * (900 << 10), {"Authorization": "Bearer no"})
        assert answer.status == 401
        assert wire.exchange(connection, "GET", "/healthz").status == 200 and connection.sock is own
        connection.close()
