"""GET /readyz: 200 while the router embeds, 503 in the envelope when it does not."""

import signal
import socket
import time

from support import threads, wire
from support.program import MODEL_DIR
from support.router import TAURUS, TAURUS_TOKENS, configuration
from support.wire import assert_envelope

INTERVAL = 0.5  # seconds


def ready(router) -> int:
    return router.request("GET", "/readyz", headers={"Authorization": None}).status


def became_ready(router) -> None:
    wire.eventually(lambda: ready(router) == 200, wire.PATIENCE, "it is ready")


def test_it_is_ready_soon_after_the_start_and_stays_so(start_router):
    router = start_router(configuration(sections={"server": {"readyz_interval": "200ms"}}))
    became_ready(router)
    batches = router.metrics()["embedrouter_batches_total"]
    more = lambda: router.metrics()["embedrouter_batches_total"] >= batches + 3  # noqa: E731
    wire.eventually(more, wire.PATIENCE, "it embeds again and again, asked or not")
    assert router.metrics()["embedrouter_ready"] == 1


def test_without_a_model_its_threads_answer(start_router):
    router = start_router(
        configuration(embedded=False, sections={"server": {"readyz_interval": "200ms", "threads": 3}})
    )
    became_ready(router)


def test_a_model_that_is_wedged_shows_within_two_intervals_and_recovers_by_itself(start_router):
    """One worker thread and more in its queue than it can do in two intervals: nobody gets a turn in time."""
    router = start_router(
        configuration(
            sections={
                "server": {"readyz_interval": f"{int(INTERVAL * 1000)}ms"},
                "embedded": {"enabled": True, "model_dir": MODEL_DIR, "precision": "fp32", "threads": 1},
            }
        )
    )
    became_ready(router)
    # Each text fills a batch to the last token: a shorter one would leave room, and short texts are let in there.
    text = "word " * (TAURUS_TOKENS - 2)
    flood = [router.begin([text] * 6, TAURUS) for _ in range(400)]
    try:
        seen = []

        def not_ready():
            answer = router.request("GET", "/readyz", headers={"Authorization": None})
            seen.append(answer)
            return answer.status == 503

        wire.eventually(not_ready, wire.PATIENCE, "it says that it is not ready")
        assert_envelope(seen[-1])
        assert seen[-1].code == "not_ready" and "I/O thread" in seen[-1].error["message"]
        assert router.metrics()["embedrouter_ready"] == 0
        assert router.request("GET", "/healthz").status == 200, "it lives"
    finally:
        for connection in flood:
            connection.close()
    became_ready(router)
    assert router.embed("after all").status == 200


def computing(router, since: dict[int, int], found: list[int]) -> bool:
    """Whether a thread has computed for some time since then; it is added to `found`."""
    used = threads.used_ticks(router.program.process.pid)
    busiest = max(used, key=lambda thread: used[thread] - since.get(thread, 0))
    found[:] = [busiest]
    return used[busiest] - since.get(busiest, 0) >= 3


def test_g4_a_compute_thread_that_hangs_fails_what_it_holds_alone_and_shows_until_it_goes_on(start_router):
    router = start_router(
        configuration(
            sections={
                "server": {"readyz_interval": "300ms"},
                "limits": {"total_timeout": "6s"},
                "embedded": {"enabled": True, "model_dir": MODEL_DIR, "precision": "fp32", "threads": 2},
            }
        )
    )
    became_ready(router)
    since, found = threads.used_ticks(router.program.process.pid), []
    held = router.begin(["word " * (TAURUS_TOKENS - 2)] * 300, TAURUS)
    wire.eventually(lambda: computing(router, since, found), wire.PATIENCE, "a thread computes")
    with threads.frozen(found[0]):
        fault = []

        def not_ready() -> bool:
            answer = router.request("GET", "/readyz", headers={"Authorization": None})
            fault[:] = [answer]
            return answer.status == 503 and "a compute thread" in answer.error["message"]

        wire.eventually(not_ready, wire.PATIENCE, "it says that a compute thread hangs")
        assert fault[0].code == "not_ready"
        assert router.metrics()["embedrouter_batch_busy_seconds"] > 0.3
        assert held.getresponse().status == 504, "at its deadline"
        assert router.embed("another request goes on").status == 200
        assert ready(router) == 503
    became_ready(router)
    assert router.embed("after all").status == 200
    assert router.request("GET", "/readyz", headers={"Authorization": None}).status == 200


def test_while_it_drains_it_is_not_ready(start_router):
    router = start_router(configuration(embedded=False, sections={"server": {"readyz_interval": "200ms"}}))
    became_ready(router)
    # A request that has begun keeps its connection through the beginning of the end.
    with socket.create_connection(("127.0.0.1", router.port), timeout=wire.PATIENCE) as sock:
        sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        time.sleep(0.2)  # the first half has arrived; if it had not, the connection would be closed without an answer
        router.program.process.send_signal(signal.SIGTERM)
        wire.eventually(lambda: refuses(router.port), wire.PATIENCE, "it takes no new connections")
        sock.sendall(b"\r\n")
        received = wire.receive_all(sock)
    assert received.startswith(b"HTTP/1.1 503 ") and b'"shutting_down"' in received
    assert router.program.wait() == 0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return False
    except OSError:
        return True
