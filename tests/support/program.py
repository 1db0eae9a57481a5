"""A program under test as a process: its output, its end, and whether it ended well."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable
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

    def __init__(self, command: list[str], environment: dict[str, str] | None = None, prefix: Iterable[str] = ()):
        require(Path(command[0]), "build it first, or set EMBEDROUTER_BIN")
        self._log = tempfile.TemporaryFile()  # not a pipe: a line is there once it is written
        self._lines: list[str] = []
        self._read = 0
        self._rest = b""
        self._reading = threading.Lock()
        self.process = subprocess.Popen(
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(environment or {})},
            text=True,
            errors="replace",
        )
        self.out: list[str] = []
        self._first_line = threading.Event()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self) -> None:
        for line in self.process.stdout:
            self.out.append(line.rstrip("\n"))
            self._first_line.set()
        self._first_line.set()

    def first_line(self) -> str:
        assert self._first_line.wait(START_SECONDS), "it printed nothing"
        if not self.out:
            self.process.wait(STOP_SECONDS)
            raise AssertionError(f"it ended with {self.process.returncode}: {self.log[-4000:]}")
        return self.out[0]

    @property
    def err(self) -> list[str]:
        """The lines of its log so far."""
        with self._reading:
            # Not read(): the program writes through the same open file, at the same position.
            while not self._log.closed and (more := os.pread(self._log.fileno(), 1 << 20, self._read)):
                self._read += len(more)
                *whole, self._rest = (self._rest + more).split(b"\n")
                self._lines += [line.decode(errors="replace") for line in whole]
            return list(self._lines)

    def _close_log(self) -> None:
        """There are more programs in a session than there may be open files."""
        _ = self.err
        with self._reading:
            self._log.close()
            if self._rest:
                self._lines.append(self._rest.decode(errors="replace"))

    @property
    def log(self) -> str:
        return "\n".join(self.err)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        code = self.process.wait(seconds)
        self._reader.join(seconds)
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
        self._close_log()
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
