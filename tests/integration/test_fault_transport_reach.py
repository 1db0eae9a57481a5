"""Ways to an upstream that are closed, slow, moved or not to be trusted, and answers in a wrong coding (FAULTS B4, B6 to B9)."""

import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.certificates import make_certificate
from support.program import BINARY, require
from support.router import Router, configuration, model_of, provider
from support.scripted import Http2, Scripted, answer_of, embeddings_of, read_request, serve
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope, eventually

FAKE_DNS = BINARY.parent / "libfake_dns.so"


def config_of(base_url: str, **members) -> str:
    limits = {"total_timeout": "20s"}
    return configuration(
        provider(base_url, **members), models=[model_of("ok")], embedded=False, sections={"limits": limits}
    )


def right(router: Router, text: str = "a text") -> bool:
    answer = router.embed(text, model="test/ok")
    assert answer.status == 200, answer.body
    return same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of(text))


def failure(router: Router, code: str, status: int = 502):
    answer = router.embed("a text", model="test/ok")
    assert (answer.status, answer.code) == (status, code), answer.body
    assert_envelope(answer)
    return answer.error["message"]


# B4


@pytest.mark.parametrize("reset", [False, True])
def test_b4_a_reused_connection_that_dies_unheard_is_not_counted(start_router, play, reset):
    def script(sock, i):
        sock.sendall(answer_of(embeddings_of(read_request(sock)[1])))
        read_request(sock)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    router = start_router(config_of(play(script).base_url))
    assert all(right(router, f"text {i}") for i in range(6))
    attempts = {n: v for n, v in router.metrics().items() if n.startswith("embedrouter_attempts_total")}
    assert sum(v for n, v in attempts.items() if 'outcome="ok"' in n) == 6
    assert sum(v for n, v in attempts.items() if 'outcome="error"' in n) == 0


# B6


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent"])
def test_b6_no_key_follows_a_redirect(start_router, play, status):
    elsewhere = play(serve)
    there = f"http://127.0.0.1:{elsewhere.port}/v1/embeddings"

    def script(sock, i):
        while read_request(sock):
            sock.sendall(answer_of(b"{}", f"Location: {there}\r\n", status))

    upstream = play(script)
    router = start_router(
        config_of(upstream.base_url, api_key_env="UPSTREAM_KEY"), environment={"UPSTREAM_KEY": "sk-upstream-redirect"}
    )
    assert f"127.0.0.1:{elsewhere.port}" in failure(router, "upstream_redirected")
    assert elsewhere.connections == 0
    assert upstream.connections == 1, "it will not heal, so it is not asked again"


def test_b6_interim_answers_are_passed_over(start_router, play):
    def script(sock, i):
        while request := read_request(sock):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            sock.sendall(answer_of(embeddings_of(request[1])))

    assert right(start_router(config_of(play(script).base_url)))


@pytest.mark.parametrize("text", ["204 No Content", "206 Partial Content"])
def test_b6_half_an_answer_is_none(start_router, play, text):
    def script(sock, i):
        while request := read_request(sock):
            body = embeddings_of(request[1])
            sock.sendall(f"HTTP/1.1 {text}\r\n\r\n".encode() if text[:3] == "204" else answer_of(body, status=text))

    failure(start_router(config_of(play(script).base_url)), "upstream_invalid_answer")


# B7


@pytest.fixture
def named(start_router, tmp_path):
    """A router for which `upstream.test` stands for what `names` is called with."""
    file = tmp_path / "names"

    def names(words: str) -> None:
        fresh = tmp_path / "names.new"
        fresh.write_text(f"upstream.test {words}\n")
        fresh.rename(file)

    def start(port: int, words: str, **members) -> Router:
        names(words)
        preload = {"LD_PRELOAD": str(require(FAKE_DNS, "the build makes it")), "FAKE_DNS": str(file)}
        config = config_of(f"http://upstream.test:{port}/v1", **members)
        return start_router(config, environment=preload)

    return start, names


@pytest.mark.plain
def test_b7_a_name_that_does_not_exist_is_said(named):
    start, _ = named
    assert "name" in failure(start(9, ""), "upstream_unreachable")


@pytest.mark.plain
def test_b7_a_slow_name_server_ends_at_the_deadline_for_connecting(named):
    start, _ = named
    router = start(9, "!slow 127.0.0.1", connect_timeout="500ms")
    began = time.monotonic()
    assert "address" in failure(router, "upstream_timeout", 504)
    assert time.monotonic() - began < 15  # the name server takes twice that


@pytest.mark.plain
def test_b7_one_dead_address_of_two_costs_nothing(named, play):
    start, _ = named
    router = start(play(serve).port, "127.0.0.2 127.0.0.1")
    assert all(right(router, f"text {i}") for i in range(3))


@pytest.mark.plain
def test_b7_an_upstream_that_moves_under_load_is_found_again(named, play):
    start, names = named
    old = Scripted(serve)
    router = start(old.port, "127.0.0.1")
    assert right(router)
    moved = threading.Event()
    answers: list[int] = []

    def load(worker: int) -> None:
        while not moved.is_set():
            answers.append(router.embed(f"text {worker}", model="test/ok").status)

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(load, i) for i in range(4)]
        play(serve, address=("127.0.0.2", old.port))
        names("127.0.0.2")
        old.stop()
        try:
            eventually(lambda: len(answers) > 20 and set(answers[-20:]) == {200}, 20, "it is found again")
            assert right(router, "after the move")
        finally:
            moved.set()
        [worker.result() for worker in workers]


# B8


@pytest.mark.parametrize("what", ["expired", "wrong-host"])
def test_b8_an_upstream_that_cannot_prove_who_it_is_is_asked_once(start_router, play, tmp_path, what):
    host = "DNS:other.example" if what == "wrong-host" else "IP:127.0.0.1"
    made = make_certificate(tmp_path, what, -1 if what == "expired" else 2, host)
    upstream = play(serve, made)
    router = start_router(config_of(upstream.base_url, ca_file=made[0]))
    message = failure(router, "upstream_untrusted")
    assert "certificate" in message and ("expired" if what == "expired" else "mismatch") in message
    assert upstream.connections == 1


def test_b8_a_handshake_that_stalls_ends_at_the_deadline(start_router, play):
    stalled = play(lambda sock, i: sock.recv(1 << 16) and sock.recv(1))
    router = start_router(config_of(f"https://127.0.0.1:{stalled.port}/v1", connect_timeout="500ms"))
    assert "secure connection" in failure(router, "upstream_timeout", 504)


def test_b8_sessions_that_cannot_be_resumed_cost_nothing(start_router, play, certificate):
    def script(sock, i):
        request = read_request(sock)
        sock.sendall(answer_of(embeddings_of(request[1]), "Connection: close\r\n"))
        # The keys of the tickets are gone with the next context.
        upstream.context = Scripted(serve, certificate).context

    upstream = play(script, certificate)
    router = start_router(config_of(upstream.base_url, ca_file=certificate[0]))
    assert all(right(router, f"text {i}") for i in range(4))


def test_b8_a_client_certificate_opens_what_asks_for_one(start_router, play, certificate, tmp_path):
    mine = make_certificate(tmp_path, "client")
    other = make_certificate(tmp_path, "other")
    upstream = play(serve, certificate, client_ca=mine[0])
    trusted = {"ca_file": certificate[0]}
    assert right(
        start_router(config_of(upstream.base_url, **trusted, client_cert_file=mine[0], client_key_file=mine[1]))
    )
    for shown in ({}, {"client_cert_file": other[0], "client_key_file": other[1]}):
        assert "client certificate" in failure(
            start_router(config_of(upstream.base_url, **trusted, **shown)), "upstream_untrusted"
        )


# Proxies


def tunnel(heard: list[str]):
    """A proxy that knows CONNECT, and sends all to the port it is asked for on 127.0.0.1."""

    def pump(source, sink):
        try:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def script(sock, i):
        head, _ = read_request(sock)
        heard.append(head)
        port = int(head.split(" ")[1].rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(upstream, sock), daemon=True).start()
            pump(sock, upstream)

    return script


@pytest.mark.parametrize("told", ["file", "environment"])
def test_tls_goes_through_a_proxy(start_router, play, certificate, told):
    heard: list[str] = []
    proxy = play(tunnel(heard))
    upstream = play(lambda sock, i: Http2(sock).serve(), certificate, ["h2"])
    members, environment = {"ca_file": certificate[0]}, {}
    if told == "file":
        members["proxy"] = f"http://127.0.0.1:{proxy.port}"
    else:
        environment = {"HTTPS_PROXY": f"http://user:word@127.0.0.1:{proxy.port}/", "NO_PROXY": "other.example"}
    router = start_router(
        config_of(f"https://localhost:{upstream.port}/v1", **members), environment=environment
    )
    assert right(router)
    assert heard[0].startswith(f"CONNECT localhost:{upstream.port} HTTP/1.1\r\n")
    assert ("Proxy-Authorization: Basic dXNlcjp3b3Jk" in heard[0]) == (told == "environment")


@pytest.mark.parametrize("why", ["no-proxy", "empty", "plain"])
def test_the_environments_proxy_is_left_out(start_router, play, certificate, why):
    proxy = play(lambda sock, i: None)
    upstream = play(serve, None if why == "plain" else certificate)
    members = {} if why == "plain" else {"ca_file": certificate[0]}
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"}
    if why == "no-proxy":
        environment["NO_PROXY"] = "127.0.0.1"
    if why == "empty":
        members["proxy"] = ""
    assert right(start_router(config_of(upstream.base_url, **members), environment=environment))
    assert proxy.connections == 0


# B9


def test_b9_a_coded_answer_is_read(start_router, play):
    asked: list[str] = []

    def script(sock, i):
        while request := read_request(sock):
            asked.append(request[0])
            body = gzip.compress(embeddings_of(request[1]))
            sock.sendall(answer_of(body, "Content-Encoding: gzip\r\n"))

    upstream = play(script)
    assert right(start_router(config_of(upstream.base_url)))
    assert right(start_router(config_of(upstream.base_url, compression=True)))
    assert "Accept-Encoding: identity" in asked[0]
    assert "Accept-Encoding: gzip, deflate, br, zstd" in asked[1]


def test_b9_concatenated_members_are_one_answer(start_router, play):
    def script(sock, i):
        while request := read_request(sock):
            body = embeddings_of(request[1])
            sock.sendall(answer_of(gzip.compress(body[:99]) + gzip.compress(body[99:]), "Content-Encoding: gzip\r\n"))

    assert right(start_router(config_of(play(script).base_url)))


@pytest.mark.parametrize("what", ["wrong", "cut", "unknown"])
def test_b9_an_answer_in_a_broken_coding_is_a_fault(start_router, play, what):
    def script(sock, i):
        while request := read_request(sock):
            body = embeddings_of(request[1])
            coded = {"wrong": body, "cut": gzip.compress(body)[:-9], "unknown": body}[what]
            name = "compress" if what == "unknown" else "gzip"
            sock.sendall(answer_of(coded, f"Content-Encoding: {name}\r\n"))

    failure(start_router(config_of(play(script).base_url)), "upstream_invalid_answer")


def test_b9_a_bomb_costs_no_more_than_the_cap(start_router, play):
    bomb = gzip.compress(bytes(1 << 20))  # members of 1 MiB each: 700 MiB together
    body = bomb * 700

    def script(sock, i):
        while read_request(sock):
            sock.sendall(answer_of(body, "Content-Encoding: gzip\r\n"))

    router = start_router(config_of(play(script).base_url))
    failure(router, "upstream_invalid_answer")
    peak = next(
        int(line.split()[1])
        for line in open(f"/proc/{router.program.process.pid}/status").read().splitlines()
        if line.startswith("VmHWM")
    )
    assert peak < (256 + 128) * 1024  # KiB: the cap on an answer, and the router
