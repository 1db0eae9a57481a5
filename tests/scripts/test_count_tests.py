"""scripts/count_tests adds up honestly: a crash, a skip and a missing report all fail the run."""

import pathlib
import subprocess

COUNTER = pathlib.Path(__file__).parents[2] / "scripts" / "count_tests"

GTEST = "[==========] 5 tests from 1 test suite ran.\n[  PASSED  ] {passed} tests.\n{more}"


def report(path, *cases):
    body = "".join(
        f'<testcase name="{name}" status="run">{inner}<system-out>{output}</system-out></testcase>'
        for name, inner, output in cases
    )
    path.write_text(f"<testsuite>{body}</testsuite>", encoding="utf-8")
    return path


def count(*arguments):
    done = subprocess.run([COUNTER, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_a_gtest_program_counts_as_its_cases_and_any_other_test_as_one(tmp_path):
    path = report(tmp_path / "r.xml", ("base", "", GTEST.format(passed=5, more="")), ("probe", "", "fine"))
    assert count(f"unit={path}", "checks=7/0") == (0, ["unit: 6 passed, 0 failed", "checks: 7 passed, 0 failed", "13 passed, 0 failed"])


def test_failed_cases_fail_the_run(tmp_path):
    more = "[  FAILED  ] 2 tests, listed below:\n"
    path = report(tmp_path / "r.xml", ("base", "<failure/>", GTEST.format(passed=3, more=more)))
    assert count(f"unit={path}") == (1, ["unit: 3 passed, 2 failed", "3 passed, 2 failed"])


def test_a_program_that_crashed_is_a_failure(tmp_path):
    path = report(tmp_path / "r.xml", ("base", "<failure/>", "[ RUN      ] A.b\n"), ("net", "<failure/>", GTEST.format(passed=5, more="")))
    assert count(f"unit={path}") == (1, ["unit: 5 passed, 2 failed", "5 passed, 2 failed"])


def test_a_skip_fails_the_run_and_is_counted(tmp_path):
    path = report(tmp_path / "r.xml", ("a", "", ""), ("b", "<skipped/>", ""))
    assert count(f"suite={path}") == (1, ["suite: 1 passed, 0 failed, 1 skipped", "1 passed, 0 failed, 1 skipped"])
    more = "[  SKIPPED ] 1 test, listed below:\n"
    path = report(tmp_path / "r.xml", ("base", "", GTEST.format(passed=4, more=more)))
    assert count(f"suite={path}")[0] == 1


def test_a_missing_or_empty_report_is_a_failure(tmp_path):
    assert count(f"suite={tmp_path / 'none.xml'}")[0] == 1
    assert count(f"suite={report(tmp_path / 'r.xml')}") == (1, ["suite: 0 passed, 1 failed", "0 passed, 1 failed"])
