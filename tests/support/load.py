"""Requests at a steady rate, every vector of every answer compared with the one of its text, bit for bit.

Open loop: a request has its time whatever became of those before, and its latency counts from then. Keep-alive
connections, raw asyncio streams: a request costs this process about a fifth of a millisecond.
"""

import asyncio
import base64
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from support import log_audit, wire
from support.vectors import as_floats, vector_of

TEXTS = [f"text number {i} of those that are sent" for i in range(256)]


@cache
def encoded(text: str, space: str) -> set[str]:
    """Its vector, and what of it a provider may make of it that has such a value (FAULTS A7, A8)."""
    legal = ("ok", "negative-zero", "subnormal", "leading-zero")
    return {base64.b64encode(vector_of(text, space, fault=fault).tobytes()).decode() for fault in legal}


@dataclass
class Sent:
    """One request as it ended. `at`: seconds since the load began; `fault`: what was not right about it."""

    at: float
    took: float
    status: int
    model: str
    form: str
    provider: str = ""
    fault: str = ""


@dataclass
class Outcome:
    sent: list[Sent] = field(default_factory=list)

    @property
    def errors(self) -> list[Sent]:
        """No answer, or another than 200."""
        return [s for s in self.sent if s.status != 200]

    @property
    def wrong(self) -> list[Sent]:
        """A 200 with another vector than the text's own."""
        return [s for s in self.sent if s.status == 200 and s.fault]

    def between(self, begin: float, end: float) -> "Outcome":
        return Outcome([s for s in self.sent if begin <= s.at < end])

    def percentile_ms(self, share: float) -> float:
        took = sorted(s.took for s in self.sent)
        return took[min(len(took) - 1, int(share * len(took)))] * 1e3 if took else float("nan")

    def summary(self) -> str:
        faults = Counter(s.fault[:160] for s in self.errors + self.wrong)
        return f"{len(self.sent)} sent, {len(self.errors)} errors, {len(self.wrong)} wrong: {faults.most_common(5)}"


class Load:
    """Runs in a thread of its own from `with` to the end of the block.

    `models`: the names asked for in turn. `space`: of the vectors that are right.
    """

    def __init__(self, router, models: list[str], rate: float, space: str = "", connections: int = 128):
        self.outcome = Outcome()
        self._router, self._models, self._rate, self._space = router, models, rate, space
        self._connections = connections
        self._next = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.began = 0.0

    def __enter__(self) -> "Load":
        log_audit.text(TEXTS)
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ending.set()
        self._thread.join(wire.PATIENCE * 4)
        assert not self._thread.is_alive(), "a request of the load never ended"

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def wait(self, count: int) -> None:
        """Until so many more have ended."""
        there = len(self.outcome.sent)
        wire.eventually(lambda: len(self.outcome.sent) >= there + count, wire.PATIENCE * 2, "the load goes on")

    async def _run(self) -> None:
        await asyncio.gather(*(self._connection() for _ in range(self._connections)))

    async def _connection(self) -> None:
        stream = None
        while not self._ending.is_set():
            number = self._next
            self._next += 1
            due = number / self._rate
            while (pause := due - self.now) > 0:
                await asyncio.sleep(min(pause, 0.5))
                if self._ending.is_set():
                    return
            stream = await self._send(stream, number, due)

    async def _send(self, stream, number: int, due: float):
        model = self._models[number % len(self._models)]
        # Two or three alike vectors may be alike texts to a provider; from four on it is a fault (A9).
        texts = [TEXTS[(number * 7 + i * 31) % len(TEXTS)] for i in range((1, 4, 1, 5)[number % 4])]
        form = "float" if number % 5 == 0 else "base64"
        body = json.dumps({"model": model, "input": texts, "encoding_format": form}).encode()
        sent = Sent(due, 0.0, 0, model, form)
        try:
            if stream is None:
                stream = await asyncio.open_connection("127.0.0.1", self._router.port)
            status, headers, answer = await asyncio.wait_for(self._exchange(stream, body), wire.PATIENCE)
            sent.status, sent.provider = status, headers.get("x-embedrouter-provider", "")
            sent.fault = self._fault(status, answer, texts)
            closing = headers.get("connection", "") == "close"
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            sent.fault, closing = f"{type(error).__name__} {error}", True
        sent.took = self.now - due
        self.outcome.sent.append(sent)
        if closing and stream is not None:
            stream[1].close()
            stream = None
        return stream

    async def _exchange(self, stream, body: bytes):
        reader, writer = stream
        key = f"Authorization: Bearer {self._router.key}\r\n" if self._router.key else ""
        writer.write(
            f"POST /api/v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1:{self._router.port}\r\n{key}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict((name.lower(), value) for name, _, value in (line.partition(": ") for line in head[1:-2]))
        answer = await reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, answer

    def _fault(self, status: int, answer: bytes, texts: list[str]) -> str:
        if status != 200:
            return answer.decode(errors="replace")
        data = json.loads(answer)["data"]
        if [entry["index"] for entry in data] != list(range(len(texts))):
            return "not one vector for each text"
        for text, entry in zip(texts, data):
            got = entry["embedding"]
            if isinstance(got, list):
                got = base64.b64encode(as_floats(got).tobytes()).decode()
            if got not in encoded(text, self._space):
                return f"another vector than that of its text, by {self._space or 'no space'}"
        return ""
