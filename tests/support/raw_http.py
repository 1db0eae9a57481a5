"""Requests as bytes, and what comes back, for tests that say exactly what goes over the wire."""

import http.client
import io
import json

from support.wire import Answer

OK = {"input": "a text", "model": "test/ok"}
OK_BODY = json.dumps(OK).encode()

_INTERIM = (100, 102)


class _Replay:
    def __init__(self, stream: io.BytesIO):
        self.stream = stream

    def makefile(self, *_):
        return _Unclosed(self.stream)


class _Unclosed:
    """http.client closes its file with each answer; the next answer is behind it."""

    def __init__(self, stream: io.BytesIO):
        self.readline, self.read, self.readinto = stream.readline, stream.read, stream.readinto

    def flush(self):
        pass

    def close(self):
        pass


def replies(received: bytes, methods: tuple[str, ...] = ()) -> list[Answer]:
    """The final answers in `received`, read strictly; it must hold nothing else. `methods`: of the requests, where they matter."""
    stream = io.BytesIO(received)
    answers: list[Answer] = []
    while stream.tell() < len(received):
        method = methods[len(answers)] if len(answers) < len(methods) else None
        response = http.client.HTTPResponse(_Replay(stream), method=method)
        response.begin()
        if response.status in _INTERIM:
            continue
        length = response.headers["Content-Length"]
        body = b"" if method == "HEAD" else stream.read(int(length))
        assert method == "HEAD" or len(body) == int(length), "the last answer is cut"
        answers.append(Answer(response.status, response.headers, body))
    return answers


def parse(received: bytes) -> Answer:
    """The first of them."""
    return replies(received)[0]


def post(router, *header_lines: str, body: bytes = OK_BODY, length: bool = True, keep: bool = False) -> bytes:
    """A request as bytes; the connection ends with its answer unless `keep`."""
    lines = ["POST /api/v1/embeddings HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
             f"Authorization: Bearer {router.key}", *header_lines]  # fmt: skip
    if length:
        lines.append(f"Content-Length: {len(body)}")
    if not keep:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
