"""A small OpenTelemetry collector: keeps the spans it is sent by OTLP/HTTP in JSON."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import wire


class Collector:
    def __init__(self, statuses: list[int] | None = None):
        """`statuses`: what the first posts are answered, 200 after that."""
        self.posts: list[dict] = []
        self.refused = 0
        self._statuses = list(statuses or [])
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector._statuses.pop(0) if collector._statuses else 200
                if status == 200:
                    assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                    collector.posts.append(json.loads(body))
                else:
                    collector.refused += 1
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[dict]:
        return [
            span
            for post in list(self.posts)
            for resource in post["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def wait_for(self, condition, what: str) -> list[dict]:
        """The spans, once `condition` holds of them."""
        wire.eventually(lambda: condition(self.spans), wire.PATIENCE, what)
        return self.spans

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def attributes(span: dict) -> dict:
    return {entry["key"]: next(iter(entry["value"].values())) for entry in span["attributes"]}
