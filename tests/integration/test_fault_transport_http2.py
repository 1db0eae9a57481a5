"""HTTP/2 upstreams that go away, refuse and change their minds (FAULTS B5): nothing of it reaches the caller."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.router import Router, configuration, model_of, provider
from support.scripted import (
    ENHANCE_YOUR_CALM,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    REFUSED_STREAM,
    Http2,
    Scripted,
    answer_of,
    embeddings_of,
    read_request,
)
from support.vectors import as_floats, same_bits, vector_of


@pytest.fixture
def serve(start_router, certificate):
    """A router in front of an upstream that `script` plays: (router, upstream)."""
    upstreams: list[Scripted] = []

    def start(script, protocols=("h2", "http/1.1"), **members) -> tuple[Router, Scripted]:
        upstream = Scripted(script, certificate, list(protocols))
        upstreams.append(upstream)
        config = configuration(
            provider(upstream.base_url, ca_file=certificate[0], **members),
            models=[model_of("ok")],
            embedded=False,
            sections={"server": {"threads": 1}},
        )
        return start_router(config), upstream

    yield start
    for upstream in upstreams:
        upstream.stop()


def right(router: Router, text: str) -> bool:
    answer = router.embed(text, model="test/ok")
    assert answer.status == 200, answer.body
    return same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of(text))


def attempts(router: Router) -> float:
    return sum(value for name, value in router.metrics().items() if name.startswith("embedrouter_attempts_total"))


def test_b5_many_requests_share_one_connection(serve):
    router, upstream = serve(lambda sock, i: Http2(sock).serve())
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda i: right(router, f"text {i}"), range(200)))
    assert upstream.connections == 1


def test_b5_an_upstream_without_http2_is_spoken_to_in_http11(serve):
    def script(sock, i):
        assert sock.selected_alpn_protocol() == "http/1.1"
        while request := read_request(sock):
            sock.sendall(answer_of(embeddings_of(request[1])))

    router, upstream = serve(script, protocols=["http/1.1"])
    assert all(right(router, f"text {i}") for i in range(5))
    assert upstream.connections == 1


def test_b5_http2_can_be_switched_off(serve):
    def script(sock, i):
        assert sock.selected_alpn_protocol() == "http/1.1"
        while request := read_request(sock):
            sock.sendall(answer_of(embeddings_of(request[1])))

    router, _ = serve(script, http2=False)
    assert right(router, "a")


def test_b5_goaway_below_ours_is_sent_again_without_spending_a_retry(serve):
    def script(sock, i):
        peer = Http2(sock)
        if i < 3:  # more often than the router would try
            peer.request()
            peer.goaway(0)
            peer.request()
        else:
            peer.serve()

    router, upstream = serve(script)
    assert right(router, "a text")
    assert upstream.connections == 4
    assert attempts(router) == 1


def test_b5_goaway_above_ours_lets_the_answer_come(serve):
    def script(sock, i):
        peer = Http2(sock)
        while request := peer.request():
            if request[0] == 1:
                peer.goaway(request[0])
            peer.embed(request)

    router, upstream = serve(script)
    assert right(router, "one") and right(router, "two")
    assert upstream.connections == 2
    assert attempts(router) == 2


def test_b5_refused_stream_is_sent_again_without_spending_a_retry(serve):
    refused = threading.Event()

    def script(sock, i):
        peer = Http2(sock)
        while request := peer.request():
            if refused.is_set():
                peer.embed(request)
            else:
                refused.set()
                peer.reset(request[0], REFUSED_STREAM)

    router, _ = serve(script)
    assert right(router, "a text")
    assert attempts(router) == 1


@pytest.mark.parametrize("how", ["goaway", "reset"])
def test_b5_enhance_your_calm_is_a_429(serve, how):
    def script(sock, i):
        peer = Http2(sock)
        stream, _ = peer.request()
        peer.goaway(0, ENHANCE_YOUR_CALM) if how == "goaway" else peer.reset(stream, ENHANCE_YOUR_CALM)
        peer.request()

    router, upstream = serve(script)
    answer = router.embed("a", model="test/ok")
    assert answer.status == 429 and answer.code == "upstream_rate_limited", answer.body
    assert upstream.connections == 1


def test_b5_one_stream_at_a_time_is_kept(serve):
    broken = threading.Event()

    def script(sock, i):
        peer = Http2(sock, {MAX_CONCURRENT_STREAMS: 1})
        while request := peer.request():
            if peer.bodies:
                broken.set()
            peer.embed(request)

    router, _ = serve(script)
    assert right(router, "first")
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda i: right(router, f"text {i}"), range(40)))
    assert not broken.is_set()


def test_b5_settings_may_change_in_mid_flight(serve):
    def script(sock, i):
        peer = Http2(sock)
        for count in range(1000):
            if not (request := peer.request()):
                return
            peer.settings({INITIAL_WINDOW_SIZE: 10 + count, MAX_CONCURRENT_STREAMS: 1 + count % 3})
            peer.embed(request)

    router, _ = serve(script)
    assert all(right(router, f"text {i} " * 200) for i in range(10))


def test_b5_a_connection_that_dies_while_idle_costs_the_caller_nothing(serve):
    def script(sock, i):
        peer = Http2(sock)
        peer.embed(peer.request())
        peer.request()  # and leaves without a word

    router, _ = serve(script)
    assert all(right(router, f"text {i}") for i in range(5))
