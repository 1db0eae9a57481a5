"""Slow work keeps its client, and work whose client has gone ends."""

import threading

import pytest
from clients import KINDS

from support import wire
from support.router import TAURUS
from support.vectors import as_floats, same_bits, vector_of


@pytest.fixture(scope="session")
def slow_answers(drivers, served):
    """What each client has of an upstream that takes 12 s, with the client's own timeouts and retries; all at once."""
    answers = {}

    def ask(name: str, mode: str) -> None:
        members = {"input": "slow", "model": f"test/slow-{name}-{mode}"}
        client = drivers(name)
        answers[name, mode] = client.ask("embed", mode, served.api, served.key, members, timeout=None, defaults=True)

    for name in KINDS:
        drivers(name)
    threads = [threading.Thread(target=ask, args=(name, mode)) for name, k in KINDS.items() for mode in k.modes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.feature("12 s of work, sent once")
def test_slow_work_is_waited_for_and_sent_once(client, slow_answers, upstream):
    answer = slow_answers[client.name, client.mode]
    assert "result" in answer, answer
    [embedding] = answer["result"]["embeddings"]
    assert same_bits(as_floats(embedding), vector_of("slow"))
    [attempt] = upstream.ended(f"{client.name}-{client.mode}/delay-12s")
    assert attempt["state"] == "answered"


def departures(router) -> float:
    return router.metrics().get('embedrouter_requests_total{operation="post_embeddings",status="499"}', 0)


@pytest.mark.feature("leaving ends the provider's work")
def test_a_client_that_gives_up_cancels_the_upstream(client, upstream, served):
    model = f"{client.name}-{client.mode}/delay-60s"
    before = departures(served)
    answer = client.ask("embed", {"input": "a", "model": f"test/left-{client.name}-{client.mode}"}, timeout=1)
    assert "error" in answer and not answer["error"].get("status") == 504, answer
    [attempt] = wire.eventually(
        lambda: [a for a in upstream.attempts(model) if a["state"] != "open"], wire.PATIENCE, "the upstream is let go"
    )
    assert attempt["state"] == "client_left"
    wire.eventually(lambda: departures(served) > before, wire.PATIENCE, "it is counted")


@pytest.mark.feature("leaving empties the queue")
def test_a_client_that_gives_up_leaves_the_queue_of_the_embedded_model(client, served):
    """Half a million tokens: the model needs many times the second that the client waits."""
    before, tokens = departures(served), served.metrics()["embedrouter_prompt_tokens_total"]
    answer = client.ask("embed", {"input": ["many words " * 120] * 2048, "model": TAURUS}, timeout=1)
    assert "error" in answer, "it was not embedded"
    wire.eventually(lambda: departures(served) > before, wire.PATIENCE, "it is counted")
    assert served.embed("next").status == 200
    assert served.metrics()["embedrouter_prompt_tokens_total"] - tokens < 100, "no answer was made of it"
