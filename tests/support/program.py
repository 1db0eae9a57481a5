"""A program under test as a process: its output, its end, and whether it ended well."""

import os
import signal
import subprocess
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("EMBEDROUTER_BIN", REPOSITORY / "build/release/bin/embedrouter"))
FAKE_UPSTREAM = Path(os.environ.get("EMBEDROUTER_FAKE_UPSTREAM", BINARY.parent / "fake-upstream"))
MODEL_DIR = Path(os.environ.get("EMBEDROUTER_MODEL_DIR", REPOSITORY / ".models/all-minilm-l6-v2"))

START_SECONDS = 30.0
STOP_SECONDS = 60.0
SANITIZER_MARKS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "terminate called")


def require(path: Path, how: str) -> Path:
    assert path.exists(), f"{path} is missing: {how}"
    return path


class Program:
    """Runs until stop(). Everything it prints is kept."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None):
        require(Path(command[0]), "build it first, or set EMBEDROUTER_BIN")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            text=True,
            errors="replace",
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._first_line = threading.Event()
        self._readers = [
            threading.Thread(target=self._collect, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _collect(self, stream, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))
            if lines is self.out:
                self._first_line.set()
        if lines is self.out:
            self._first_line.set()

    def first_line(self) -> str:
        assert self._first_line.wait(START_SECONDS), "it printed nothing"
        if not self.out:
            self.process.wait(STOP_SECONDS)
            raise AssertionError(f"it ended with {self.process.returncode}: {self.log[-4000:]}")
        return self.out[0]

    @property
    def log(self) -> str:
        return "\n".join(self.err)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        return code

    def stop(self, expect: int = 0) -> None:
        """Ends it as an operator would, and fails on a crash, a sanitizer report or another exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"it did not stop within {STOP_SECONDS} s; its log: {self.log[-4000:]}") from None
        marks = [mark for mark in SANITIZER_MARKS if mark in self.log]
        assert not marks and code == expect, f"it ended with {code}, {marks}: {self.log[-8000:]}"


def run(*arguments, input: str | None = None, environment: dict[str, str] | None = None, seconds: float = 60.0):
    """Runs the command line once, to its end."""
    require(BINARY, "build it first, or set EMBEDROUTER_BIN")
    done = subprocess.run(
        [str(BINARY), *map(str, arguments)],
        input=input if input is not None else "",
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.stderr}"
    assert not any(mark in done.stderr for mark in SANITIZER_MARKS), done.stderr
    return done
