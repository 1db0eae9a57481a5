"""Every status the router has, provoked for real, as the class each client has for it and with the fields it keeps."""

import contextlib
import json
import socket
import threading

import pytest

from support import wire
from support.router import TAURUS, Model, Router, configuration, provider

# Statuses of the contract that the router does not answer with yet, or that no client can see.
NOT_YET = {
    409: "nothing under /embeddings conflicts; it belongs to changing keys and credentials",
    422: "what cannot be processed, by the router or a provider, is a 400",
    499: "noted in the log and in /metrics; the client it is about has left",
    500: "an error of the router itself, which no request brings about; a provider's 500 is a 502",
}


class Holding:
    """A relay that passes the first `limit` bytes of a client on and keeps the rest: a body that never comes."""

    def __init__(self, port: int, limit: int):
        self.to, self.limit = port, limit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.to)) as router, contextlib.suppress(OSError):
            threading.Thread(target=self._pass_on, args=(client, router), daemon=True).start()
            while chunk := router.recv(65536):
                client.sendall(chunk)

    def _pass_on(self, client: socket.socket, router: socket.socket) -> None:
        left = self.limit
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                router.sendall(chunk[:left])
                left -= min(left, len(chunk))

    def close(self) -> None:
        self.listener.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory, upstream):
    """A router that takes bodies of 4 KiB and waits a second for them."""
    config = configuration(
        provider(upstream.base_url), models=[Model("test/ok", "ok")], embedded=False,
        sections={"limits": {"body_bytes": "4KiB", "idle_timeout": "1s"}},
    )  # fmt: skip
    router = Router(tmp_path_factory.mktemp("small"), config)
    yield router
    router.stop()


@pytest.fixture(scope="session")
def management_key(served):
    return served.create_seen_key("--management")


@contextlib.contextmanager
def a_place_taken(served, upstream):
    """The only place at the endpoint of `test/narrow` is taken."""
    connection = served.begin("a", "test/narrow")
    try:
        taken = lambda: [a for a in upstream.attempts("delay-60s") if a["state"] == "open"]  # noqa: E731
        wire.eventually(taken, wire.PATIENCE, "the place is taken")
        yield
    finally:
        connection.close()
        wire.eventually(lambda: not taken(), wire.PATIENCE, "the place is given back")


def too_long(client, request):
    return client.error("word " * 400, TAURUS), "context_length_exceeded"


def wrong_key(client, request):
    return client.error(key="sk-or-v1-wrong"), "authentication"


def wrong_kind_of_key(client, request):
    return client.error(key=request.getfixturevalue("management_key")), "permission_denied"


def no_such_model(client, request):
    return client.error(model="no/model"), "not_found"


def body_that_never_comes(client, request):
    router = request.getfixturevalue("small")
    # 2,000 bytes hold every client's headers, and 3,800 of text do not fit in the rest.
    relay = Holding(router.port, 2_000)
    try:
        return client.error("x" * 3_800, url=f"http://127.0.0.1:{relay.port}/api/v1", key=router.key), "timeout"
    finally:
        relay.close()


def another_space(client, request):
    return client.error(headers={"X-Embedrouter-Space": "of another model"}), "precondition_failed"


def body_too_large(client, request):
    router = request.getfixturevalue("small")
    return client.error("x" * 5_000, url=router.api, key=router.key), "payload_too_large"


def rate_limited(client, request):
    error = client.error(model="test/status-429-retry-7")
    if "headers" in client.kind.fields:
        assert 1 <= int(error["headers"]["retry-after"]) <= 7, "what is left of it"
    return error, "rate_limit_exceeded"


def wrong_count(client, request):
    return client.error(model="test/short-last"), "provider_unavailable"


def no_place(client, request):
    with a_place_taken(request.getfixturevalue("served"), request.getfixturevalue("upstream")):
        error = client.error(model="test/narrow")
    if "headers" in client.kind.fields:
        assert error["headers"]["retry-after"] == "1"
    return error, "provider_overloaded"


def upstream_timed_out(client, request):
    return client.error(model="test/status-504"), "timeout"


def balance_spent(client, request):
    return client.error(model="test/status-429-quota"), "payment_required"


def edge_timed_out(client, request):
    return client.error(model="test/status-524"), "timeout"


def upstream_overloaded(client, request):
    return client.error(model="test/status-529"), "provider_overloaded"


# status → (how it is provoked, in words; how it is provoked)
SCENES = {
    400: ("a text longer than the model takes", too_long),
    401: ("a key nobody made", wrong_key),
    402: ("the router's balance with the provider is spent", balance_spent),
    403: ("a management key", wrong_kind_of_key),
    404: ("a model that does not exist", no_such_model),
    408: ("a body that never comes", body_that_never_comes),
    412: ("a pinned vector space that no endpoint has", another_space),
    413: ("a body over `limits.body_bytes`", body_too_large),
    429: ("the provider answers 429 with a hint, which is handed on", rate_limited),
    502: ("the provider sends a vector too few", wrong_count),
    503: ("every place at the provider's endpoint is taken", no_place),
    504: ("the provider answers 504", upstream_timed_out),
    524: ("the edge in front of the provider answers 524", edge_timed_out),
    529: ("the provider answers 529", upstream_overloaded),
}


@pytest.mark.parametrize("status", SCENES)
def test_a_status_is_the_class_the_client_has_for_it(client, status, request):
    error, error_type = SCENES[status][1](client, request)
    assert (error["class"], error["status"]) == (client.kind.classes[status], status), error
    typed = "Default" not in error["class"]  # the SDKs do not parse the body of a status they have no class for
    if "headers" in client.kind.fields:
        assert error["headers"]["content-type"].startswith("application/json")
    if "body" in client.kind.fields:
        body = json.loads(error["body"])["error"]
        assert body["code"] == status and body["metadata"]["error_type"] == error_type
        assert body["message"] in error["message"]
    if "code" in client.kind.fields and typed:
        assert error["code"] == status
    if "metadata" in client.kind.fields and typed:
        assert error["metadata"]["error_type"] == error_type
    assert len(error["message"]) > 10


@pytest.mark.parametrize("status", [401])
def test_no_key_is_401_where_a_client_goes_without(drivers, served, status):
    """The official SDKs then send no Authorization at all."""
    for name in ("openrouter-python", "openrouter-python-previous", "openrouter-typescript"):
        client = drivers(name)
        answer = client.ask("embed", "async", served.api, None, {"input": "a", "model": "test/ok"})
        assert answer["error"]["class"] == client.kind.classes[status], answer
        assert "Missing Authentication header" in answer["error"]["message"]
