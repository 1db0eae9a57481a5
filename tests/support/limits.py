"""A program under test with fewer processors and less memory than the machine has, as in a container."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds


class Limits:
    """`prefix` stands before a command that is to run inside."""

    def __init__(self, prefix: list[str], events: Path | None = None):
        self.prefix = prefix
        self._events = events

    @property
    def kills(self) -> int:
        """How many processes the kernel ended for want of memory."""
        if self._events is None:
            return 0
        return next(int(line.split()[1]) for line in self._events.read_text().splitlines() if line.startswith("oom_kill "))


def _folders(name: str) -> dict[str, Path]:
    """Of the new group, by controller: one folder of v2, or one each of v1."""
    if (ROOT / "cgroup.controllers").exists():
        return dict.fromkeys(("cpu", "memory"), ROOT / name)
    # The processor's hierarchy is called "cpu" or "cpu,cpuacct".
    cpu = next((path for path in ROOT.glob("cpu*") if "cpu" in path.name.split(",")), ROOT / "cpu")
    return {"cpu": cpu / name, "memory": ROOT / "memory" / name}


def _limit(folders: dict[str, Path], cpus: int, memory: int) -> None:
    if folders["cpu"] == folders["memory"]:
        (ROOT / "cgroup.subtree_control").write_text("+cpu +memory")
    for folder in set(folders.values()):
        folder.mkdir()
    quota = cpus * PERIOD
    if (folders["cpu"] / "cpu.max").exists():
        (folders["cpu"] / "cpu.max").write_text(f"{quota} {PERIOD}")
        (folders["memory"] / "memory.max").write_text(str(memory))
    else:
        (folders["cpu"] / "cpu.cfs_period_us").write_text(str(PERIOD))
        (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(quota))
        (folders["memory"] / "memory.limit_in_bytes").write_text(str(memory))


@contextlib.contextmanager
def limits(cpus: int, memory: int) -> Iterator[Limits]:
    """A cgroup of `cpus` processors and `memory` bytes. Where none can be made, an affinity mask of so many processors
    that begins at the last, and no bound of memory but the caller's own look at it."""
    folders = _folders(f"embedrouter-test-{uuid.uuid4().hex[:8]}")
    try:
        try:
            _limit(folders, cpus, memory)
        except OSError:
            last = sorted(os.sched_getaffinity(0))[-cpus:]
            yield Limits(["taskset", "-c", ",".join(map(str, last))])
            return
        joins = "".join(f"echo $$ > {folder}/cgroup.procs && " for folder in set(folders.values()))
        events = folders["memory"] / "memory.events"
        yield Limits(["sh", "-c", f'{joins}exec "$@"', "sh"], events if events.exists() else folders["memory"] / "memory.oom_control")
    finally:
        for folder in set(folders.values()):
            with contextlib.suppress(OSError):
                folder.rmdir()
