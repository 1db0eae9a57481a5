"""Upstreams of exact bytes and frames, for what no server library would say: a function talks to each connection."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from support.vectors import vector_of

PATIENCE = 30.0  # seconds


def embeddings_of(body: bytes) -> bytes:
    """The right answer to a request's body, as the fake upstream would give it."""
    asked = json.loads(body)
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    data = [
        {"object": "embedding", "index": i, "embedding": list(vector_of(text))} for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return json.dumps({"object": "list", "data": data, "model": asked["model"], "usage": usage}).encode()


def answer_of(body: bytes, headers: str = "", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def read_request(sock: socket.socket) -> tuple[str, bytes] | None:
    """Head and body of the next HTTP/1.1 request, or None at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (chunk := sock.recv(65536)):
            return None
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head.decode(), body


def serve(sock: socket.socket, i: int) -> None:
    """The script of a server that answers every request in HTTP/1.1 with the vectors of its texts."""
    while request := read_request(sock):
        sock.sendall(answer_of(embeddings_of(request[1])))


class Scripted:
    """`script(connection, i)` runs on a thread of its own for the i-th connection, which is closed behind it."""

    def __init__(
        self,
        script: Callable,
        certificate: tuple[Path, Path] | None = None,
        protocols: list[str] | None = None,
        client_ca: Path | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ):
        self.script = script
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            if protocols:
                self.context.set_alpn_protocols(protocols)
            if client_ca:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(client_ca)
        self.listener = socket.create_server(address)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.open: set[socket.socket] = set()
        self.failures: list[Exception] = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.listener_host}:{self.port}/v1"

    @property
    def listener_host(self) -> str:
        return self.listener.getsockname()[0]

    def accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            self.connections += 1
            threading.Thread(target=self.talk, args=(sock, self.connections - 1), daemon=True).start()

    def talk(self, sock: socket.socket, i: int) -> None:
        self.open.add(sock)
        try:
            secure = self.context.wrap_socket(sock, server_side=True) if self.context else sock
            self.open.add(secure)
            self.script(secure, i)
            secure.close()
        except OSError:
            pass  # the other side left
        except Exception as error:
            self.failures.append(error)
        finally:
            sock.close()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        assert not self.failures, self.failures


DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
REFUSED_STREAM, ENHANCE_YOUR_CALM = 7, 11
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
STATUS_200 = b"\x88"  # of HPACK's static table


class Http2:
    """The server's end of one HTTP/2 connection."""

    def __init__(self, sock: ssl.SSLSocket, settings: dict[int, int] | None = None):
        self.sock = sock
        self.file = sock.makefile("rb")
        self.bodies: dict[int, bytes] = {}
        assert self.file.read(24).startswith(b"PRI * HTTP/2.0")
        self.settings(settings or {})

    def send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self.sock.sendall(struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload)

    def settings(self, values: dict[int, int]) -> None:
        self.send(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in values.items()))

    def request(self) -> tuple[int, bytes] | None:
        """Stream and body of the next whole request, or None at the end of the connection."""
        while len(head := self.file.read(9)) == 9:
            length = int.from_bytes(head[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            payload = self.file.read(length)
            if kind == SETTINGS and not flags & ACK:
                self.send(SETTINGS, ACK, 0, b"")
            elif kind == HEADERS:
                self.bodies[stream] = b""
            elif kind == DATA:
                self.bodies[stream] = self.bodies.get(stream, b"") + payload
                self.send(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20))
                if not flags & END_STREAM:
                    self.send(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1 << 20))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                return stream, self.bodies.pop(stream)
        return None

    def answer(self, stream: int, body: bytes) -> None:
        self.send(HEADERS, END_HEADERS, stream, STATUS_200 + b"\x0f\x10\x10application/json")
        for at in range(0, len(body), 16_000):
            last = at + 16_000 >= len(body)
            self.send(DATA, END_STREAM if last else 0, stream, body[at : at + 16_000])

    def embed(self, request: tuple[int, bytes]) -> None:
        self.answer(request[0], embeddings_of(request[1]))

    def goaway(self, last_stream: int, code: int = 0) -> None:
        self.send(GOAWAY, 0, 0, struct.pack(">II", last_stream, code))

    def reset(self, stream: int, code: int) -> None:
        self.send(RST_STREAM, 0, stream, struct.pack(">I", code))

    def serve(self) -> None:
        while request := self.request():
            self.embed(request)
