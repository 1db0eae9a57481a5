"""Requests made so that two programs read them differently, and requests that are no requests.

Behind each of them stands a second, smuggled request: whole, with a good key, for a model that nothing else asks for.
What a proxy would have taken for a body must never reach the upstream.
"""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import wire
from support.raw_http import replies
from support.router import Model, Router, configuration, model_of, provider
from support.wire import assert_envelope

BODY = json.dumps({"input": "a text", "model": "test/ok"}).encode()
SMUGGLED = Model(id="test/smuggled", upstream="ok@smuggled")


@pytest.fixture(scope="module")
def target(tmp_path_factory, fake):
    models = [model_of("ok"), SMUGGLED]
    router = Router(tmp_path_factory.mktemp("hostile"), configuration(provider(fake.base_url), models=models, embedded=False))
    yield router
    router.stop()


def post(key: str, *lines: bytes, body: bytes = b"", model_body: bytes | None = None) -> bytes:
    """`lines` join the head as they are; a Content-Length only if it is among them."""
    head = [b"POST /api/v1/embeddings HTTP/1.1", b"Host: router", b"Authorization: Bearer " + key.encode(), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def smuggled(key: str) -> bytes:
    body = json.dumps({"input": "smuggled", "model": SMUGGLED.id}).encode()
    return post(key, b"Content-Length: %d" % len(body), b"Connection: close", body=body)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKS = chunked(BODY)
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"

# Framing that strict readers refuse: name -> (lines of the head, what stands behind it, statuses).
REFUSED = {
    "length_then_chunked": ([LENGTH, CHUNKED], CHUNKS, {400}),
    "chunked_then_length": ([CHUNKED, LENGTH], CHUNKS, {400}),
    "zero_length_and_chunked": ([b"Content-Length: 0", CHUNKED], CHUNKS, {400}),
    "same_length_twice": ([LENGTH, LENGTH], BODY, {400}),
    "two_lengths": ([LENGTH, b"Content-Length: 0"], BODY, {400}),
    "length_list": ([LENGTH + b", %d" % len(BODY)], BODY, {400}),
    "length_list_differs": ([b"Content-Length: 0, %d" % len(BODY)], BODY, {400}),
    "length_signed": ([b"Content-Length: +0"], b"", {400}),
    "length_negative": ([b"Content-Length: -0"], b"", {400}),
    "length_hexadecimal": ([b"Content-Length: 0x0"], b"", {400}),
    "length_empty": ([b"Content-Length:"], b"", {400}),
    "length_fraction": ([b"Content-Length: 0.0"], b"", {400}),
    "length_with_vertical_tab": ([b"Content-Length: \x0b0"], b"", {400}),
    "length_wraps_64_bits": ([b"Content-Length: 18446744073709551616"], b"", {400}),
    "length_in_other_digits": (["Content-Length: ٠".encode()], b"", {400}),
    "coding_space_before_colon": ([b"Transfer-Encoding : chunked"], CHUNKS, {400}),
    "length_space_before_colon": ([b"Content-Length : 0"], b"", {400}),
    "coding_folded": ([b"Transfer-Encoding:", b" chunked"], CHUNKS, {400}),
    "length_folded": ([b"Content-Length:", b"\t0"], b"", {400}),
    "header_folded": ([b"X: a", b" b", LENGTH], BODY, {400}),
    "first_header_indented": ([b" Transfer-Encoding: chunked"], CHUNKS, {400}),
    "coding_unknown": ([b"Transfer-Encoding: xchunked"], CHUNKS, {501}),
    "coding_identity": ([b"Transfer-Encoding: identity", LENGTH], BODY, {400, 501}),
    "coding_list": ([b"Transfer-Encoding: gzip, chunked"], CHUNKS, {501}),
    "coding_chunked_not_last": ([b"Transfer-Encoding: chunked, identity"], CHUNKS, {501}),
    "coding_twice": ([CHUNKED, CHUNKED], CHUNKS, {400}),
    "coding_twice_in_one": ([b"Transfer-Encoding: chunked, chunked"], CHUNKS, {501}),
    "coding_second_unknown": ([CHUNKED, b"Transfer-Encoding: x"], CHUNKS, {400, 501}),
    "coding_with_vertical_tab": ([b"Transfer-Encoding: \x0bchunked"], CHUNKS, {400}),
    "coding_with_nul": ([b"Transfer-Encoding: chunked\x00"], CHUNKS, {400}),
    "coding_quoted": ([b'Transfer-Encoding: "chunked"'], CHUNKS, {501}),
    "coding_with_parameter": ([b"Transfer-Encoding: chunked;q=1"], CHUNKS, {501}),
    "coding_empty": ([b"Transfer-Encoding:", LENGTH], BODY, {400, 501}),
    "bare_feed_hides_coding": ([b"X: y\nTransfer-Encoding: chunked"], CHUNKS, {400}),
    "bare_return_hides_coding": ([b"X: y\rTransfer-Encoding: chunked"], CHUNKS, {400}),
    "feed_ends_the_head": ([b"X: y\n\nGET /nothing HTTP/1.1"], b"", {400}),
    "return_in_name": ([b"X\r: y"], b"", {400}),
    "nul_in_name": ([b"X\x00: y"], b"", {400}),
    "nul_in_value": ([b"X: y\x00z"], b"", {400}),
    "empty_name": ([b": y"], b"", {400}),
    "no_colon": ([b"Content-Length"], b"", {400}),
    "bracket_in_name": ([b"X[]: y"], b"", {400}),
    "second_host": ([b"Host: other", LENGTH], BODY, {400}),
    "old_version_chunked": ([CHUNKED], CHUNKS, {400}),  # HTTP/1.0, see below
    "chunk_size_empty": ([CHUNKED], b"\r\n", {400}),
    "chunk_size_hexadecimal_prefix": ([CHUNKED], b"0x5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_signed": ([CHUNKED], b"+5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_negative": ([CHUNKED], b"-5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_wraps": ([CHUNKED], b"10000000000000005\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_of_zeros": ([CHUNKED], b"0" * 100_000 + b"5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_space_before": ([CHUNKED], b" 5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_space_behind": ([CHUNKED], b"5 \r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_two": ([CHUNKED], b"5 5\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_bare_feed": ([CHUNKED], b"5\nhello\r\n0\r\n\r\n", {400}),
    "chunk_size_bare_return": ([CHUNKED], b"5\rhello\r\n0\r\n\r\n", {400}),
    "chunk_extension_with_feed": ([CHUNKED], b"5;a\nb\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_extension_with_return": ([CHUNKED], b'5;a="\rb"\r\nhello\r\n0\r\n\r\n', {400}),
    "chunk_extension_endless": ([CHUNKED], b"5;" + b"x" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n", {400}),
    "chunk_longer_than_said": ([CHUNKED], b"5\r\nhello!\r\n0\r\n\r\n", {400}),
    "chunk_shorter_than_said": ([CHUNKED], b"5\r\nhell\r\n0\r\n\r\n", {400}),
    "chunk_without_its_end": ([CHUNKED], b"5\r\nhello0\r\n\r\n", {400}),
    "chunk_ends_with_feed": ([CHUNKED], b"5\r\nhello\n0\r\n\r\n", {400}),
    "chunks_end_with_feeds": ([CHUNKED], CHUNKS[:-4] + b"\n\n", {400}),
    "trailer_that_is_a_request": ([CHUNKED], CHUNKS[:-2] + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "trailer_folded": ([CHUNKED], CHUNKS[:-2] + b"A: b\r\n c\r\n\r\n", {400}),
    "trailer_space_before_colon": ([CHUNKED], CHUNKS[:-2] + b"A : b\r\n\r\n", {400}),
    "trailers_endless": ([CHUNKED], CHUNKS[:-2] + b"A: b\r\n" * 100_000 + b"\r\n", {400}),
}  # fmt: skip


@pytest.mark.parametrize("piece", [0, 3], ids=["at_once", "in_pieces"])
@pytest.mark.parametrize("name", REFUSED)
def test_b11_framing_in_doubt_is_refused_and_ends_the_connection(target, fake, name, piece):
    lines, behind, statuses = REFUSED[name]
    request = post(target.key, *lines, body=behind)
    if name.startswith("old_version"):
        request = request.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
    request += smuggled(target.key)
    # Of a long one the beginning is enough to be cut up.
    parts = [request[i : i + piece] for i in range(0, 1200, piece)] + [request[1200:]] if piece else [request]
    answers = replies(wire.raw(target.port, *parts))
    assert len(answers) == 1 and answers[0].status in statuses, answers
    assert answers[0].headers["Connection"] == "close"
    assert_envelope(answers[0])
    assert fake.attempts("ok@smuggled") == [], "the second request was taken for one"
    assert target.embed("still well", model="test/ok").status == 200


def test_the_second_request_would_be_answered_if_it_were_one(target, start_fake, start_router):
    own = start_fake()
    router = start_router(configuration(provider(own.base_url), models=[model_of("ok"), SMUGGLED], embedded=False))
    received = wire.raw(router.port, post(router.key, LENGTH, body=BODY) + smuggled(router.key))
    assert [answer.status for answer in replies(received)] == [200, 200]
    assert len(own.attempts("ok@smuggled")) == 1


# What is in a body is never a request, whoever refuses or ignores the body. name -> (request line, lines, answers).
IN_A_BODY = {
    "get": (b"GET /healthz", [], [200]),
    "head": (b"HEAD /healthz", [], [200]),
    "options": (b"OPTIONS /nothing", [], None),
    "delete": (b"DELETE /api/v1/embeddings", [], [405]),
    "unknown_path": (b"POST /nothing", [], [404]),
    "no_key": (b"POST /api/v1/embeddings", [], [401]),
    "absolute": (b"GET http://other.example/healthz", [], [200]),
    "underscore_is_no_coding": (b"GET /healthz", [b"Transfer_Encoding: chunked"], [200]),
    "not_for_us": (b"GET /healthz", [b"TE: chunked", b"Trailer: Content-Length", b"X-HTTP-Method-Override: POST"], [200]),
    "upgrade": (b"GET /healthz", [b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"], [200]),
}  # fmt: skip


@pytest.mark.parametrize("coding", ["sized", "chunked"])
@pytest.mark.parametrize("name", IN_A_BODY)
def test_a_request_in_the_body_of_another_is_not_one(target, fake, name, coding):
    line, lines, statuses = IN_A_BODY[name]
    inner = smuggled(target.key)
    framing = b"Content-Length: %d" % len(inner) if coding == "sized" else CHUNKED
    outer = b"\r\n".join([line + b" HTTP/1.1", b"Host: router", *lines, framing]) + b"\r\n\r\n"
    outer += inner if coding == "sized" else chunked(inner[:10], inner[10:])
    last = b"GET /healthz HTTP/1.1\r\nHost: router\r\nConnection: close\r\n\r\n"
    method = line.split()[0].decode()
    answers = replies(wire.raw(target.port, outer + last), methods=(method,))
    assert len(answers) == 2 and answers[1].json == {"status": "ok"}, answers
    assert statuses is None or [answers[0].status] == statuses
    assert fake.attempts("ok@smuggled") == []


def test_a_request_behind_a_body_that_was_never_asked_for_is_not_one(target, fake):
    """401 to `Expect: 100-continue`: what follows may be the body or a request, so nothing of it is read as one."""
    head = b"\r\n".join([b"POST /api/v1/embeddings HTTP/1.1", b"Host: router", b"Expect: 100-continue",
                         b"Content-Length: 5000"]) + b"\r\n\r\n"  # fmt: skip
    with socket.create_connection(("127.0.0.1", target.port), timeout=wire.PATIENCE) as sock:
        sock.sendall(head)
        received = sock.recv(65536)
        sock.sendall(smuggled(target.key))
        sock.shutdown(socket.SHUT_WR)
        received += wire.receive_all(sock)
    answers = replies(received)
    assert [answer.status for answer in answers] == [401]
    assert fake.attempts("ok@smuggled") == []


# No requests at all: name -> (bytes, statuses; an empty set: a clean close without an answer).
NOT_REQUESTS = {
    "nothing_but_line_ends": (b"\r\n" * 5000, set()),
    "http2_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 501, 505}),
    "http3": (b"GET / HTTP/3\r\n\r\n", {400, 501, 505}),
    "version_12": (b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n", {400, 501, 505}),
    "version_in_small": (b"GET /healthz http/1.1\r\nHost: x\r\n\r\n", {400}),
    "no_host": (b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    "host_with_space": (b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", {400}),
    "host_with_path": (b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", {400}),
    "host_with_user": (b"GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n", {400}),
    "host_with_bad_port": (b"GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n", {400}),
    "two_spaces": (b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "tab_for_space": (b"GET\t/healthz\tHTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "space_in_target": (b"GET /healthz /x HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "feed_in_target": (b"GET /healthz\nX: HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "return_in_target": (b"GET /healthz\rX HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "nul_in_target": (b"GET /healthz\x00 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "relative_target": (b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "connect": (b"CONNECT router:80 HTTP/1.1\r\nHost: router:80\r\n\r\n", {400}),
    "other_scheme": (b"GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "user_in_target": (b"GET http://a@b/healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "method_of_controls": (b"G\x01T /healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "no_method": (b" /healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "space_before_the_line": (b" GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "long_method": (b"A" * 100_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n", {400, 431}),
    "long_target": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414, 431}),
    "endless_line": (b"A" * 3_000_000, {400, 431}),
    "many_headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A:\r\n" * 5000 + b"\r\n", {431}),
    "megabyte_header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n", {431}),
    "zeros": (bytes(70_000), {400, 431}),
    "noise": (bytes(range(256)) * 300, {400, 431}),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_REQUESTS)
def test_what_is_no_request_is_answered_once_or_the_connection_ends(target, name):
    request, statuses = NOT_REQUESTS[name]
    with socket.create_connection(("127.0.0.1", target.port), timeout=wire.PATIENCE) as sock:
        try:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has its answer already; that must still be readable
        answers = replies(wire.receive_all(sock))
    if not statuses:
        assert answers == []
    else:
        assert len(answers) == 1 and answers[0].status in statuses, answers
        assert_envelope(answers[0])
    assert target.embed("still well", model="test/ok").status == 200


@pytest.mark.parametrize("member", ["model", "user", "input_type", "session_id"])
def test_b11_line_breaks_in_a_member_reach_no_header(target, fake, member):
    injected = "x\r\nX-Injected: yes\r\n\r\nGET /nothing HTTP/1.1\r\n\r\n"
    members = {"input": "a", "model": "test/ok", member: injected}
    answer = target.request("POST", "/api/v1/embeddings", members)
    assert "X-Injected" not in answer.headers and b"X-Injected" not in answer.headers.as_bytes()
    assert answer.status == {"model": 404, "input_type": 400}.get(member, 200)
    assert target.embed("still well", model="test/ok").status == 200


def test_b11_line_breaks_written_as_escapes_stay_in_the_target(target):
    for path in ("/api/v1/embeddings%0d%0aX-Injected:%20yes", "/%0d%0a%0d%0a", "/healthz?%0aX-Injected:yes"):
        answer = target.request("GET", path)
        assert answer.status in (200, 404) and "X-Injected" not in answer.headers


def test_hostile_requests_side_by_side_spoil_none_of_the_good_ones(target):
    names = [name for name in REFUSED if "endless" not in name]

    def hostile(name: str) -> int:
        lines, behind, _ = REFUSED[name]
        return len(replies(wire.raw(target.port, post(target.key, *lines, body=behind) + smuggled(target.key))))

    def good(i: int) -> bool:
        answer = target.embed(f"text {i}", model="test/ok")
        return answer.status == 200 and len(answer.json["data"]) == 1

    with ThreadPoolExecutor(8) as pool:
        bad = [pool.submit(hostile, name) for name in names if not name.startswith("old_version")]
        fine = [pool.submit(good, i) for i in range(100)]
        assert all(future.result() for future in fine)
        assert {future.result() for future in bad} == {1}
