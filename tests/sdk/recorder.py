"""A server that answers what it is told and remembers what it was asked, byte for byte as a program reads it."""

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# What clients add by themselves is not the caller's.
DOCUMENTED = ("authorization", "content-type", "accept", "http-referer", "x-openrouter-title", "x-openrouter-categories")


@dataclass
class Asked:
    method: str
    path: str
    query: dict
    headers: dict
    body: object

    def same_as(self, names: tuple = ()) -> tuple:
        """What two clients must agree on; `names`: of further headers."""
        headers = {name: self.headers.get(name) for name in (*DOCUMENTED, *names)}
        return self.method, self.path, self.query, headers, self.body


@dataclass
class Answer:
    status: int = 200
    body: str = "{}"
    headers: dict = field(default_factory=lambda: {"Content-Type": "application/json"})


class Recorder:
    def __init__(self, host: str = "127.0.0.1"):
        """At `host`; empty: at every address of this machine."""
        self.asked: list[Asked] = []
        self.answers: deque[Answer] = deque()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one segment: no waiting for the other side's delayed acknowledgement

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                at = urlsplit(self.path)
                recorder.asked.append(
                    Asked(
                        self.command,
                        at.path,
                        parse_qs(at.query, keep_blank_values=True),
                        {name.lower(): value for name, value in self.headers.items()},
                        json.loads(body) if body else None,
                    )
                )
                answer = recorder.answers[0]
                if len(recorder.answers) > 1:
                    recorder.answers.popleft()
                data = answer.body.encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status not in (204, 304):
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if answer.status not in (204, 304):
                    self.wfile.write(data)
                self.wfile.flush()

            do_GET = do_POST = do_PATCH = do_DELETE = answer

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1"

    def will(self, *answers: Answer) -> None:
        """Answers from now on, the last one for all further requests."""
        self.answers = deque(answers)
        self.asked = []

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
