"""All answers of a raw exchange, read as strictly as RFC 9112 asks."""

import http.client
import io

from support.wire import Answer

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
    """The final answers in `received`, which must hold nothing else. `methods`: of the requests, where they matter."""
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
