"""A server that speaks the Hugging Face hub's HTTP, with a second one, at another origin, where large files lie.

Small files are answered by the hub itself, large ones (`.safetensors`) by a redirect to the other, with their sha256
and size in the headers of the redirect. `faults` says what goes wrong, each once, in turn.
"""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c" * 40


@dataclass
class Repository:
    files: dict[str, bytes]
    commit: str = COMMIT
    revisions: tuple[str, ...] = ("main",)
    token: str | None = None  # None: anybody may read it
    gated: bool = False
    cached: bool = False  # small files lie at another path of the hub, to which it redirects


@dataclass
class Seen:
    """A request, and which of the two servers it came to."""

    at: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_large(path: str) -> bool:
    return path.endswith(".safetensors")


class Hub:
    def __init__(self):
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        # By the end of a path: ("status", code, headers), ("cut", bytes) and ("stall", bytes) after so many,
        # ("corrupt",), ("ignore-range",), ("elsewhere",): another part than was asked for; ("size", bytes): it says it
        # had so many.
        self.faults: dict[str, list[tuple]] = {}
        self.seen: list[Seen] = []
        self._over = threading.Event()
        self._servers = {at: self._start(at) for at in ("hub", "cdn")}

    def _start(self, at: str) -> ThreadingHTTPServer:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub._answer(at, self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def url(self, at: str = "hub") -> str:
        return f"http://127.0.0.1:{self._servers[at].server_port}"

    def stop(self) -> None:
        self._over.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def fetched(self, ending: str, method: str = "GET") -> list[Seen]:
        """The requests for a file, where its bytes are."""
        at = "cdn" if is_large(ending) else "hub"
        return [seen for seen in self.seen if seen.method == method and seen.at == at and seen.path.endswith(ending)]

    # --- what it answers

    def _answer(self, at: str, request) -> None:
        path = unquote(request.path.partition("?")[0])
        self.seen.append(Seen(at, request.command, path, {k.lower(): v for k, v in request.headers.items()}))
        if at == "cdn":
            _, author, slug, _, file = path.split("/", 4)
            return self._send_file(request, self.repositories[f"{author}/{slug}"].files[file], path, {})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
            return self._send_revision(request, *found.groups())
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)", path):
            return self._send_resolved(request, *found.groups())
        if found := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", path):
            return self._send_small(request, *found.groups())
        return self._send(request, 404, b"", {"X-Error-Code": "RepoNotFound"})

    def _permitted(self, request, name: str) -> Repository | None:
        repository = self.repositories.get(name)
        allowed = repository and repository.token in (None, request.headers.get("Authorization", "").removeprefix("Bearer "))
        if repository and allowed:
            return repository
        if repository and repository.gated:
            self._send(request, 403 if "Authorization" in request.headers else 401, b"", {"X-Error-Code": "GatedRepo"})
        else:
            self._send(request, 404 if "Authorization" in request.headers else 401, b"", {"X-Error-Code": "RepoNotFound"})
        return None

    def _send_revision(self, request, name: str, revision: str) -> None:
        if fault := self._fault("/revision/" + revision, "status"):
            return self._send(request, fault[1], b"", fault[2])
        if name in self.renamed:
            return self._send(request, 307, b"", {"Location": f"/api/models/{self.renamed[name]}/revision/{revision}"})
        repository = self._permitted(request, name)
        if not repository:
            return None
        if revision not in (*repository.revisions, repository.commit):
            return self._send(request, 404, b"", {"X-Error-Code": "RevisionNotFound"})
        listed = {"id": name, "sha": repository.commit, "siblings": [{"rfilename": file} for file in repository.files]}
        return self._send(request, 200, json.dumps(listed).encode(), {"Content-Type": "application/json"})

    def _send_resolved(self, request, name: str, commit: str, file: str) -> None:
        repository = self._permitted(request, self.renamed.get(name, name))
        if not repository:
            return None
        if fault := self._fault(file, "status"):
            return self._send(request, fault[1], b"", fault[2])
        if commit != repository.commit or file not in repository.files:
            return self._send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
        if not is_large(file) and repository.cached:
            place = f"/api/resolve-cache/models/{self.renamed.get(name, name)}/{commit}/{file}"
            return self._send(request, 307, b"Temporary Redirect", {"Location": place})
        if not is_large(file):
            return self._send_small(request, name, commit, file)
        data = repository.files[file]
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-Etag": f'"{hashlib.sha256(data).hexdigest()}"',
            "X-Linked-Size": str(self._told_size(request, file, data)),
            "Location": f"{self.url('cdn')}/{self.renamed.get(name, name)}/blob/{file}?Signature=signed",
        }
        return self._send(request, 302, b"Found. Redirecting", headers)

    def _send_small(self, request, name: str, commit: str, file: str) -> None:
        repository = self._permitted(request, self.renamed.get(name, name))
        if not repository:
            return None
        data = repository.files[file]
        size = str(self._told_size(request, file, data))
        return self._send_file(request, data, file, {"X-Repo-Commit": commit, "ETag": f'"{git_blob(data)}"', "X-Linked-Size": size})

    def _told_size(self, request, file: str, data: bytes) -> int:
        fault = self._fault(file, "size") if request.command == "HEAD" else None
        return fault[1] if fault else len(data)

    def _fault(self, path: str, *kinds: str) -> tuple | None:
        for ending, faults in self.faults.items():
            if path.endswith(ending) and faults and faults[0][0] in kinds:
                return faults.pop(0)
        return None

    def _send_file(self, request, data: bytes, path: str, headers: dict[str, str]) -> None:
        fault = None
        if request.command == "GET":
            fault = self._fault(path, "cut", "stall", "corrupt", "ignore-range", "elsewhere")
        kind = fault[0] if fault else ""
        if kind == "corrupt":
            data = data[:-1] + bytes([data[-1] ^ 1])
        status, body = 200, data
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and kind != "ignore-range":
            first = int(asked[1])
            status, body = 206, data[first:]
            headers = {**headers, "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"}
        if kind == "elsewhere":
            headers = {**headers, "Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"}
        if kind in ("cut", "stall"):
            return self._send(request, status, body, headers, cut=fault[1], stall=kind == "stall")
        return self._send(request, status, body, headers)

    def _send(self, request, status: int, body: bytes, headers: dict[str, str], cut: int | None = None, stall: bool = False) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        request.wfile.write(body if cut is None else body[:cut])
        if stall:
            self._over.wait()
        if cut is not None:
            request.close_connection = True
