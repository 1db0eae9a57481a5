"""fake-upstream as a fixture."""

import json
import signal
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import quote

from support import wire
from support.program import FAKE_UPSTREAM, Program, require


@cache
def _listed() -> dict:
    require(FAKE_UPSTREAM, "build it first, or set EMBEDROUTER_FAKE_UPSTREAM")
    done = subprocess.run([FAKE_UPSTREAM, "--list", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def faults() -> list[dict]:
    """The table: name, id, expect, what, dialects."""
    return _listed()["faults"]


def dialects() -> list[dict]:
    """The formats: name, path, base_path."""
    return _listed()["dialects"]


class FakeUpstream:
    def __init__(
        self, log: Path | None = None, certificate: tuple[Path, Path] | None = None, width: int = 64,
        port: int = 0, seed: int = 0, handshake: str = "normal",
    ):  # fmt: skip
        command = [str(FAKE_UPSTREAM), "--port", str(port), "--width", str(width)]
        command += ["--seed", str(seed), "--handshake", handshake]
        if log:
            command += ["--log", str(log)]
        self.ca_file = str(certificate[0]) if certificate else None
        if certificate:
            command += ["--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])]
        self.program = Program(command)
        self.port = int(self.program.first_line().rsplit(":", 1)[1])
        self.scheme = "https" if certificate else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"

    def base_url_of(self, dialect: str, model: str) -> str:
        """By which a gateway reaches `model` in this format."""
        [path] = [d["base_path"] for d in dialects() if d["name"] == dialect]
        return self.url + path.replace("<model>", quote(model, safe=""))

    def attempts(self, model: str | None = None) -> list[dict]:
        only = f"?model={quote(model, safe='')}" if model else ""
        return wire.request(self.url, "GET", f"/attempts{only}", ca_file=self.ca_file).json["attempts"]

    def behave(self, model: str, be: str | None) -> None:
        """From now on requests for `model` ("*": for any) are answered as if for `be`; None: as they say."""
        answer = wire.request(self.url, "PUT", "/behaviour", {"for": model, "be": be}, ca_file=self.ca_file)
        assert answer.status == 200, answer.body

    def ended(self, model: str) -> list[dict]:
        """As attempts(), once none is open: a client may have its answer before the end is noted."""
        attempts = lambda: self.attempts(model)  # noqa: E731
        wire.eventually(lambda: all(a["state"] != "open" for a in attempts()), 5, f"the attempts on {model} end")
        return attempts()

    def forget(self) -> None:
        wire.request(self.url, "DELETE", "/attempts", ca_file=self.ca_file)

    def stop(self) -> None:
        self.program.stop(expect=-signal.SIGTERM)
