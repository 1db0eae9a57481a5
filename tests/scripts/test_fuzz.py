"""scripts/fuzz ends targets by its rule, tells a crash from an end, and keeps what crashed."""

import pathlib
import shutil
import subprocess
from types import SimpleNamespace

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "fuzz"

# As libFuzzer behaves: a log of coverage, work until the signal, then its figures and status 72.
BUSY = """#!/bin/bash
trap 'echo "stat::number_of_executed_units: 4321"; exit 72' INT
echo "#1 INITED cov: 10 ft: 20 corp: 1/1b exec/s: 0 rss: 1Mb"
echo "#9 NEW    cov: 17 ft: 30 corp: 2/9b exec/s: 0 rss: 1Mb"
while :; do :; done
"""
CRASHING = """#!/bin/bash
echo "#1 INITED cov: 5 ft: 5 corp: 1/1b exec/s: 0 rss: 1Mb"
for argument; do case $argument in -artifact_prefix=*) echo bad > "${argument#*=}crash-1" ;; esac; done
exit 77
"""
QUITTING = "#!/bin/bash\nexit 0\n"


@pytest.fixture
def tree(tmp_path):
    """A repository with nothing but the script and targets that are shell scripts."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts/fuzz")
    (tmp_path / "build/fuzz/bin").mkdir(parents=True)

    def add(name: str, program: str) -> None:
        (tmp_path / "tests/fuzz/corpus" / name).mkdir(parents=True)
        (tmp_path / f"tests/fuzz/{name}_fuzz.cpp").touch()
        binary = tmp_path / f"build/fuzz/bin/fuzz_{name}"
        binary.write_text(program, encoding="utf-8")
        binary.chmod(0o755)

    def run(*arguments: str):
        command = [tmp_path / "scripts/fuzz", "--no-build", "--out", tmp_path / "out", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)

    return SimpleNamespace(add=add, run=run, out=tmp_path / "out")


def rows(output: str) -> dict[str, list[str]]:
    lines = output[output.index("target ") :].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines if "crashes:" not in line}


def test_a_target_runs_for_its_time_and_its_figures_are_printed(tree):
    tree.add("one", BUSY)
    tree.add("two", BUSY)
    done = tree.run("--seconds", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    for row in rows(done.stdout).values():
        cpu, executions, _, edges, _, _, crashes = row
        assert int(cpu) >= 1 and (executions, edges, crashes) == ("4321", "17", "0")
    assert set(rows(done.stdout)) == {"one", "two"}
    assert "cov: 17" in (tree.out / "log/one.txt").read_text(encoding="utf-8")


def test_a_crash_fails_the_run_and_its_input_is_kept(tree):
    tree.add("one", CRASHING)
    tree.add("two", BUSY)
    done = tree.run("--seconds", "1")
    assert done.returncode == 1
    assert (tree.out / "crashes/one/crash-1").read_text(encoding="utf-8") == "bad\n"
    assert "one crashes: build/fuzz/bin/fuzz_one " in done.stdout
    assert rows(done.stdout)["one"][-1] == "1" and rows(done.stdout)["two"][-1] == "0"


def test_a_target_that_ends_by_itself_is_a_failure(tree):
    tree.add("one", QUITTING)
    done = tree.run("--seconds", "1")
    assert done.returncode == 1 and "one: FAILED" in done.stdout


def test_named_targets_alone_run_and_unknown_ones_are_refused(tree):
    tree.add("one", BUSY)
    tree.add("two", CRASHING)
    assert tree.run("one", "--seconds", "1").returncode == 0
    refused = tree.run("three")
    assert refused.returncode == 2 and "There are: one, two" in refused.stderr
