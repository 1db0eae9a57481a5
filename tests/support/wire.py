"""HTTP as bare as the tests need it: no retries, no redirects, every status a value."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds; nothing takes so long, and a test that waits for ever tells nothing


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @cached_property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        return self.json["error"]

    @property
    def code(self) -> str:
        return self.error["metadata"]["code"]


def connect(base: str, ca_file: str | None = None) -> http.client.HTTPConnection:
    url = urlsplit(base)
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        return http.client.HTTPSConnection(url.hostname, url.port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE)


def exchange(connection, method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> Answer:
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def request(base: str, method: str, path: str, body=None, headers: dict | None = None, ca_file=None) -> Answer:
    """`body`: bytes as they are, anything else as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    connection = connect(base, ca_file)
    try:
        return exchange(connection, method, path, body, headers)
    finally:
        connection.close()


def raw(port: int, *parts: bytes, half_close: bool = False) -> bytes:
    """Sends bytes as they are and returns all that comes back until the server closes.

    `half_close` ends the sending side; to a server with an answer under way that means the client left.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        for part in parts:
            sock.sendall(part)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return receive_all(sock)


def receive_all(sock: socket.socket) -> bytes:
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    return received


def eventually(condition: Callable[[], object], within: float, what: str):
    """Polls until `condition` is true and returns what it returned."""
    deadline = time.monotonic() + within
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.01)


def assert_envelope(answer: Answer) -> None:
    """The error body that every official client parses."""
    assert answer.headers.get_content_type() == "application/json", answer.headers
    error = answer.error
    assert type(error["code"]) is int and error["code"] == answer.status, answer.body
    assert isinstance(error["message"], str) and error["message"], answer.body
    metadata = error["metadata"]
    assert isinstance(metadata["error_type"], str) and isinstance(metadata["code"], str), answer.body
