"""fake-upstream as a fixture."""

import json
import signal
import subprocess
from pathlib import Path

from support import wire
from support.program import FAKE_UPSTREAM, Program, require


def faults() -> list[dict]:
    """The table: name, id, expect, what."""
    require(FAKE_UPSTREAM, "build it first, or set EMBEDROUTER_FAKE_UPSTREAM")
    done = subprocess.run([FAKE_UPSTREAM, "--list", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class FakeUpstream:
    def __init__(self, log: Path | None = None, certificate: tuple[Path, Path] | None = None, width: int = 64):
        command = [str(FAKE_UPSTREAM), "--port", "0", "--width", str(width)]
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

    def attempts(self, model: str | None = None) -> list[dict]:
        listed = wire.request(self.url, "GET", "/attempts", ca_file=self.ca_file).json["attempts"]
        return [attempt for attempt in listed if model in (None, attempt["model"])]

    def ended(self, model: str) -> list[dict]:
        """As attempts(), once none is open: a client may have its answer before the end is noted."""
        attempts = lambda: self.attempts(model)  # noqa: E731
        wire.eventually(lambda: all(a["state"] != "open" for a in attempts()), 5, f"the attempts on {model} end")
        return attempts()

    def forget(self) -> None:
        wire.request(self.url, "DELETE", "/attempts", ca_file=self.ca_file)

    def stop(self) -> None:
        self.program.stop(expect=-signal.SIGTERM)
