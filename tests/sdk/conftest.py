import json
import os
import subprocess

import pytest

from sdk.recorder import Recorder
from support.program import BINARY, SANITIZER_MARKS, require

DRIVER = BINARY.parent / "sdk-driver"


class Driver:
    """The C++ SDK, a call at a time."""

    def __init__(self, environment: dict[str, str] | None = None):
        require(DRIVER, "build it first, or set EMBEDROUTER_BIN")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENROUTER_")}
        self.process = subprocess.Popen(
            [str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", env={**clean, **(environment or {})},
        )  # fmt: skip

    def call(self, name: str, client: dict, args: dict) -> dict:
        self.process.stdin.write(json.dumps({"call": name, "client": client, "args": args}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the driver ended: {self.process.wait()}: {self.process.stderr.read()}"
        return json.loads(line)

    def stop(self) -> None:
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0 and not any(mark in log for mark in SANITIZER_MARKS), log


@pytest.fixture(scope="session")
def driver():
    driver = Driver()
    yield driver
    driver.stop()


@pytest.fixture(scope="session")
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.stop()


@pytest.fixture
def start_driver():
    running = []

    def start(**environment) -> Driver:
        running.append(Driver(environment))
        return running[-1]

    yield start
    for driver in running:
        driver.stop()
