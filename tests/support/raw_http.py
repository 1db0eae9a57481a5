"""Requests as bytes, and what comes back, for tests that say exactly what goes over the wire."""

import http.client
import io
import json

from support import wire

OK = {"input": "a text", "model": "test/ok"}
OK_BODY = json.dumps(OK).encode()


def parse(received: bytes) -> wire.Answer:
    """The first response of a raw exchange, interim ones skipped."""
    while received.startswith(b"HTTP/1.1 1"):
        received = received.partition(b"\r\n\r\n")[2]

    class Replay:
        def makefile(self, *_):
            return io.BytesIO(received)

    response = http.client.HTTPResponse(Replay())
    response.begin()
    return wire.Answer(response.status, response.headers, response.read())


def post(router, *header_lines: str, body: bytes = OK_BODY, length: bool = True, keep: bool = False) -> bytes:
    """A request as bytes; the connection ends with its answer unless `keep`."""
    lines = ["POST /api/v1/embeddings HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
             f"Authorization: Bearer {router.key}", *header_lines]  # fmt: skip
    if length:
        lines.append(f"Content-Length: {len(body)}")
    if not keep:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
