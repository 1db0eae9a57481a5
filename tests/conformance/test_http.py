"""HTTP as clients send it and as they should not; always the envelope or a clean close."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import wire
from support.raw_http import OK, OK_BODY, parse, post
from support.router import TAURUS, Router, configuration, model_of, provider
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope

@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
def test_both_prefixes_embed(router, prefix):
    answer = router.request("POST", f"{prefix}/embeddings", OK)
    assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("a text"))


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/embeddings", "/api/v1/embeddings/", "/api/v1/chat/completions",
             "/api/v1/embeddings/models/x", "/api/v1/keys", "/api/v1/%65mbeddings", "/api/v2/embeddings", "//api/v1/embeddings"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_404_in_the_envelope(router, method, path):
    answer = router.request(method, path, b"{}" if method == "POST" else None)
    assert answer.status == 404 and answer.code == "not_found"
    assert_envelope(answer)


@pytest.mark.parametrize(
    "method,path,allow",
    [("GET", "/api/v1/embeddings", "POST"), ("PUT", "/api/v1/embeddings", "POST"), ("DELETE", "/v1/embeddings", "POST"),
     ("PATCH", "/api/v1/embeddings", "POST"), ("POST", "/api/v1/embeddings/models", "GET"), ("POST", "/healthz", "GET"),
     ("DELETE", "/metrics", "GET")],
)  # fmt: skip
def test_a_wrong_method_is_a_405_that_says_which_is_right(router, method, path, allow):
    answer = router.request(method, path)
    assert answer.status == 405 and allow in answer.headers["Allow"]
    assert_envelope(answer)


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer sk-or-v1-" + "0" * 64, "Bearer not a key"]
)
def test_without_a_good_key_there_is_a_401_before_the_body_is_looked_at(router, value):
    answer = router.request("POST", "/api/v1/embeddings", b"not json", {"Authorization": value})
    assert answer.status == 401 and answer.error["metadata"]["error_type"] == "authentication"
    assert_envelope(answer)
    if value and len(value) > 20:
        assert value.split()[-1] not in answer.body.decode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(router, scheme):
    assert router.request("POST", "/api/v1/embeddings", OK, {"Authorization": f"{scheme} {router.key}"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": ""},
        {"Accept": "application/json;q=1, text/event-stream;q=0"},
        {"Accept": "text/event-stream"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "text/plain"},
        {"HTTP-Referer": "https://example.com", "X-Title": "t"},
        {"X-Stainless-Retry-Count": "0"},
        {"Accept-Encoding": "gzip, deflate, br, zstd"},
    ],
)
def test_headers_that_clients_send_are_tolerated(router, headers):
    answer = router.request("POST", "/api/v1/embeddings", OK, headers)
    assert answer.status == 200 and answer.headers.get_content_type() == "application/json"


def test_healthz_answers_without_a_key(router):
    answer = router.request("GET", "/healthz", headers={"Authorization": None})
    assert answer.status == 200 and answer.json["status"] == "ok"


def test_head_has_the_headers_alone(router):
    answer = router.request("HEAD", "/healthz")
    assert answer.status == 200 and answer.body == b"" and int(answer.headers["Content-Length"]) > 0


def test_metrics_count_requests_and_errors(router):
    def count(metrics, start, *labels):
        return sum(v for k, v in metrics.items() if k.startswith(start) and all(label in k for label in labels))

    before = router.metrics()
    assert router.embed("a text").status == 200
    assert router.embed("").status == 400
    after = router.metrics()
    for start, labels, grew in [
        ("embedrouter_requests_total", ('operation="post_embeddings"', 'status="200"'), 1),
        ("embedrouter_requests_total", ('operation="post_embeddings"', 'status="400"'), 1),
        ("embedrouter_errors_total", ('code="invalid_request"',), 1),
        ("embedrouter_prompt_tokens_total", (), 4),
    ]:
        assert count(after, start, *labels) - count(before, start, *labels) == grew, (start, labels)


def test_a_connection_is_kept_through_errors(router):
    connection = wire.connect(router.url)
    connection.connect()
    own = connection.sock
    headers = {**router.authorization, "Content-Type": "application/json"}
    for body, status in [(OK_BODY, 200), (b"junk", 400), (OK_BODY, 200), (b"", 400), (OK_BODY, 200)]:
        answer = wire.exchange(connection, "POST", "/api/v1/embeddings", body, headers)
        assert answer.status == status
        assert connection.sock is own, "the connection was closed"
    assert wire.exchange(connection, "POST", "/api/v1/embeddings", OK_BODY, {}).status == 401
    assert wire.exchange(connection, "POST", "/nothing", OK_BODY, {}).status == 404
    assert wire.exchange(connection, "POST", "/api/v1/embeddings", OK_BODY, headers).status == 200
    connection.close()


def test_connection_close_is_honoured(router):
    received = wire.raw(router.port, post(router))
    assert parse(received).status == 200 and b"connection: close" in received.lower()


def test_two_requests_in_one_packet_are_answered_in_turn(router):
    second = json.dumps({"input": "second", "model": "test/ok"}).encode()
    received = wire.raw(router.port, post(router, keep=True) + post(router, body=second))
    first = parse(received)
    rest = received[received.index(first.body) + len(first.body) :]
    assert same_bits(as_floats(first.json["data"][0]["embedding"]), vector_of("a text"))
    assert same_bits(as_floats(parse(rest).json["data"][0]["embedding"]), vector_of("second"))


def test_a_chunked_body_is_read(router):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (OK_BODY[:5], OK_BODY[5:6], OK_BODY[6:]))
    received = wire.raw(
        router.port, post(router, "Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n", length=False)
    )
    assert same_bits(as_floats(parse(received).json["data"][0]["embedding"]), vector_of("a text"))


def test_trailers_behind_the_last_chunk_are_dropped(router):
    chunks = b"%x\r\n%b\r\n0\r\nX-Checksum: abc\r\nAuthorization: Bearer none\r\n\r\n" % (len(OK_BODY), OK_BODY)
    second = post(router)
    request = post(router, "Transfer-Encoding: chunked", "Trailer: X-Checksum", body=chunks, length=False, keep=True)
    received = wire.raw(router.port, request + second)
    assert received.count(b"HTTP/1.1 200 ") == 2, "the next request begins right behind the trailers"


def test_a_body_byte_by_byte_is_read(router):
    request = post(router)
    received = wire.raw(router.port, *(request[i : i + 1] for i in range(len(request))))
    assert parse(received).status == 200


def test_expect_100_continue_is_answered_first(router):
    head, _, body = post(router, "Expect: 100-continue").partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE) as sock:
        sock.sendall(head + b"\r\n\r\n")
        interim = sock.recv(1024)
        assert interim.startswith(b"HTTP/1.1 100 ")
        sock.sendall(body)
        assert parse(wire.receive_all(sock)).status == 200


def test_expect_100_continue_is_not_answered_without_a_key(router):
    head = (
        post(router, "Expect: 100-continue").replace(router.key.encode(), b"sk-or-v1-wrong").partition(b"\r\n\r\n")[0]
    )
    with socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(1024).startswith(b"HTTP/1.1 401 ")


class TestOptionsAndHead:
    @pytest.mark.parametrize(
        "path,allow",
        [("/api/v1/embeddings", "POST, OPTIONS"), ("/v1/embeddings", "POST, OPTIONS"), ("/api/v1/embeddings/models", "GET, HEAD, OPTIONS"),
         ("/healthz", "GET, HEAD, OPTIONS"), ("/readyz", "GET, HEAD, OPTIONS"), ("*", "GET, HEAD, POST, OPTIONS")],
    )  # fmt: skip
    def test_options_needs_no_key_and_tells_the_methods(self, router, path, allow):
        answer = router.request("OPTIONS", path, headers={"Authorization": None})
        assert answer.status == 204 and answer.headers["Allow"] == allow and answer.body == b""
        assert "Content-Length" not in answer.headers and "Content-Type" not in answer.headers

    def test_options_on_an_unknown_path_is_a_404(self, router):
        assert_envelope(router.request("OPTIONS", "/api/v1/nothing"))

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/embeddings/models", "/v1/embeddings/models"])
    def test_head_says_what_get_says_without_the_body(self, router, path):
        head, get = router.request("HEAD", path), router.request("GET", path)
        assert head.status == get.status and head.body == b"" and int(head.headers["Content-Length"]) > 0
        assert head.headers["Content-Type"] == get.headers["Content-Type"]

    def test_head_where_only_post_is_taken_is_a_405_without_a_body(self, router):
        connection = wire.connect(router.url)
        answer = wire.exchange(connection, "HEAD", "/api/v1/embeddings", headers=router.authorization)
        assert answer.status == 405 and answer.body == b"" and answer.headers["Allow"] == "POST, OPTIONS"
        assert wire.exchange(connection, "GET", "/healthz").status == 200, "nothing is left on the connection"
        connection.close()


PYTHON_SDK = "speakeasy-sdk/python 1.3.84 2.914.0 1.0.0 openrouter"


@pytest.fixture(scope="module")
def slow(tmp_path_factory, fake):
    config = configuration(provider(fake.base_url), models=[model_of("delay-5000ms")], embedded=False)
    router = Router(tmp_path_factory.mktemp("slow"), config)
    yield router
    router.stop()


class TestProcessing:
    """While an answer takes long, clients known to wait on are told that work goes on (every 2 s)."""

    def ask(self, slow, agent: str, version: str = "1.1") -> bytes:
        body = json.dumps({"input": "a slow text", "model": "test/delay-5000ms"}).encode()
        request = post(slow, f"User-Agent: {agent}", body=body)
        return wire.raw(slow.port, request.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1))

    def test_those_that_accept_it_hear_of_it_and_others_do_not(self, slow):
        agents = [(PYTHON_SDK, "1.1"), ("speakeasy-sdk/typescript 1.3.19 x @openrouter/sdk", "1.1"),
                  ("OpenAI/Python 3.54.0", "1.1"), ("curl/8", "1.1"), (PYTHON_SDK, "1.0")]  # fmt: skip
        with ThreadPoolExecutor(len(agents)) as pool:
            received = list(pool.map(lambda agent: self.ask(slow, *agent), agents))
        for text in received[:2]:
            assert text.startswith(b"HTTP/1.1 102 Processing\r\n\r\n") and parse(text).status == 200
        for text in received[2:]:
            assert text.startswith(b"HTTP/1.1 200 ") and b" 102 " not in text


BROKEN = {
    "garbage": (b"GARBAGE\r\n\r\n", {400}),
    "no_version": (b"GET /healthz\r\n\r\n", {400}),
    "tls_to_plain": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", {400}),
    "old_version": (b"GET /healthz HTTP/0.9\r\n\r\n", {400, 501, 505}),
    "space_in_header_name": (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", {400}),
    "control_in_header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", {400}),
    "negative_length": (b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
    "length_not_a_number": (b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\nx", {400}),
    "two_lengths": (b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", {400}),
    "length_and_chunks": (
        b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "unknown_coding": (b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n", {400, 501}),
    "huge_header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * (1 << 20) + b"\r\n\r\n", {431}),
    "endless_headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200_000 + b"\r\n", {431}),
    "bad_expectation": (b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", {401, 417}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_http_gets_the_envelope_and_harms_nobody(router, name):
    request, statuses = BROKEN[name]
    try:
        received = wire.raw(router.port, request)
    except (ConnectionResetError, BrokenPipeError):
        pytest.fail("reset instead of an answer")
    answer = parse(received)
    assert answer.status in statuses, received[:500]
    assert_envelope(answer)
    assert router.embed("still well", model="test/ok").status == 200


def test_a_bad_chunk_is_refused(router):
    received = wire.raw(
        router.port, post(router, "Transfer-Encoding: chunked", body=b"zz\r\nxx\r\n0\r\n\r\n", length=False)
    )
    answer = parse(received)
    assert answer.status == 400
    assert_envelope(answer)


@pytest.mark.parametrize("keep", [1, 20, 100, 200])
def test_a_cut_request_ends_without_an_answer_to_it(router, keep):
    request = post(router)
    received = wire.raw(router.port, request[: min(keep, len(request) - 1)], half_close=True)
    assert received == b"" or parse(received).status in (400, 408)
    assert router.embed("still well", model="test/ok").status == 200


@pytest.fixture(scope="module")
def small(tmp_path_factory, fake):
    config = configuration(
        provider(fake.base_url),
        models=[model_of("ok")],
        embedded=False,
        sections={"limits": {"body_bytes": "64KiB"}},
    )
    router = Router(tmp_path_factory.mktemp("small"), config)
    yield router
    router.stop()


class TestSize:
    def big(self, size: int) -> bytes:
        frame = json.dumps({"input": "", "model": "test/ok"}).encode()
        return json.dumps({"input": "x" * (size - len(frame)), "model": "test/ok"}).encode()

    def test_a_body_of_exactly_the_limit_is_taken(self, small):
        assert small.request("POST", "/api/v1/embeddings", self.big(65536)).status == 200

    def test_one_byte_more_is_a_413(self, small):
        answer = small.request("POST", "/api/v1/embeddings", self.big(65537))
        assert answer.status == 413 and answer.error["metadata"]["error_type"] == "payload_too_large"
        assert "65536" in answer.error["message"]
        assert_envelope(answer)

    def test_by_its_length_it_is_refused_before_the_key(self, small):
        answer = small.request("POST", "/api/v1/embeddings", self.big(70_000), {"Authorization": None})
        assert answer.status == 413

    def test_chunks_that_pass_the_limit_are_a_413(self, small):
        body = self.big(70_000)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(body[i : i + 1000]), body[i : i + 1000]) for i in range(0, len(body), 1000)
        )
        received = wire.raw(
            small.port, post(small, "Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n", length=False)
        )
        assert parse(received).status == 413

    def test_a_client_still_sending_gets_the_answer(self, small):
        with socket.create_connection(("127.0.0.1", small.port), timeout=wire.PATIENCE) as sock:
            head = post(small, "Content-Length: 50000000", body=b"", length=False)
            sock.sendall(head + b"x" * 900_000)
            answer = b""
            while b"\r\n\r\n" not in answer:
                chunk = sock.recv(65536)
                assert chunk, "closed without an answer"
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_hundred_clients_at_once_each_get_their_own(router):
    def one(i: int) -> bool:
        text = f"client {i}"
        answer = router.embed(text, model="test/ok", encoding_format="base64" if i % 2 else "float")
        return same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of(text))

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(one, range(300)))


def test_the_embedded_model_serves_many_clients_at_once(router):
    from support.vectors import cosine

    texts = [f"text number {i}" for i in range(64)]
    alone = [as_floats(entry["embedding"]) for entry in router.embed(texts).json["data"]]

    def one(i: int) -> float:
        answer = router.embed(texts[i], model=TAURUS)
        return cosine(as_floats(answer.json["data"][0]["embedding"]), alone[i])

    with ThreadPoolExecutor(32) as pool:
        assert min(pool.map(one, range(64))) > 0.9999
