"""docs/fault-bench.md agrees with the program it describes, and its checker tells right from wrong."""

import json
import re
import subprocess
import sys

import pytest

from support import wire
from support.fake import dialects, faults
from support.program import FAKE_UPSTREAM, REPOSITORY

PAGE = (REPOSITORY / "docs/fault-bench.md").read_text()
CHECKER = REPOSITORY / "tests/support/fake_upstream/check_vectors.py"
TEXTS = ["a text", "ein Täxt 🍕", "", "x" * 1000]


def rows(header: str) -> list[list[str]]:
    """Of the table of the page with this header line."""
    table = PAGE.split(header + "\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_page_and_the_program_list_the_same_faults():
    names = [dialect["name"] for dialect in dialects()]
    expected = [
        [f"`{f['name']}`", f["id"], f["expect"], f["what"],
         "all" if f["dialects"] == names else ", ".join(f["dialects"])]
        for f in faults()
    ]  # fmt: skip
    assert rows("| name | case | a right gateway | what happens | formats |") == expected


def test_the_page_says_of_every_case_what_a_right_gateway_does():
    said = " ".join(cells[0] for cells in rows("| case | a right gateway |"))
    for first, last in re.findall(r"([A-C]\d+)–[A-C](\d+)", said):
        said += "".join(f" {first[0]}{n}" for n in range(int(first[1:]), int(last) + 1))
    said = set(re.findall(r"[A-C]\d+", said))
    unsaid = {f["id"] for f in faults() if f["id"] != "-"} - said
    assert unsaid <= {"A6", "A18", "A19", "A20"}, "their row says it all"


def test_the_page_and_the_program_know_the_same_formats_and_flags():
    table = rows("| format | request | a gateway's base URL | the model's name stands in |")
    assert [row[0].strip("`") for row in table] == [dialect["name"] for dialect in dialects()]
    for row, dialect in zip(table, dialects(), strict=True):
        assert dialect["path"] in row[1] and row[2].strip("`").endswith(f"9000{dialect['base_path']}")
    help_text = subprocess.run([FAKE_UPSTREAM, "--help"], capture_output=True, text=True, check=True).stdout
    flags = set(re.findall(r"--[a-z-]+", help_text)) - {"--help"}
    assert flags and all(f"`{flag}" in PAGE for flag in flags)


@pytest.mark.parametrize("name", ["ok    reverse", "after-80-nan", "pct-10-zero-vector@a", "ok@a~200"])
def test_the_names_the_page_gives_are_understood(start_fake, name):
    assert name in PAGE
    fake = start_fake()
    for model in name.split():
        answer = wire.request(fake.url, "POST", "/v1/embeddings", {"model": model, "input": "a"})
        assert answer.status == 200, answer.body


class TestChecker:
    def check(self, tmp_path, request: dict, answer: bytes, *flags: str) -> subprocess.CompletedProcess:
        (tmp_path / "request.json").write_text(json.dumps(request))
        (tmp_path / "answer.json").write_bytes(answer)
        command = [sys.executable, "-I", CHECKER, tmp_path / "request.json", tmp_path / "answer.json", *flags]
        return subprocess.run(command, capture_output=True, text=True)

    @pytest.mark.parametrize(
        "path,body",
        [
            ("/v1/embeddings", {"model": "ok", "input": TEXTS}),
            ("/v1/embeddings", {"model": "ok-d768@a~150", "input": TEXTS, "encoding_format": "base64"}),
            ("/v1/embeddings", {"model": "reverse@a", "input": TEXTS, "dimensions": 16}),
            ("/v1/embeddings", {"model": "ok", "input": [[1, 2], [3]]}),
            ("/v1/embeddings", {"model": "ok", "input": "one"}),
            ("/api/embed", {"model": "ok@b", "input": TEXTS}),
            ("/ok%40c~7/embed", {"model": "ok@c~7", "inputs": TEXTS}),
        ],
        ids=lambda value: value if isinstance(value, str) else value["model"],
    )
    def test_right_answers_are_right(self, tmp_path, fake, path, body):
        answer = wire.request(fake.url, "POST", path, body)
        done = self.check(tmp_path, body, answer.body)
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize(
        "fault,said",
        [
            ("shuffled", "item 0: wrong, the vector of item 3"),
            ("short-last", "3 vectors for 4 texts"),
            ("truncated-3", "item 3: wrong, 64 values, cosine"),
            ("ok@elsewhere", "0 of 4 right"),
            ("ok~1", "0 of 4 right"),
            ("wrong-width", "item 0: wrong, 32 values"),
        ],
    )
    def test_wrong_ones_are_told_apart(self, tmp_path, fake, fault, said):
        body = {"model": fault, "input": TEXTS}
        answer = wire.request(fake.url, "POST", "/v1/embeddings", body)
        done = self.check(tmp_path, body, answer.body, "--model", "ok")
        assert done.returncode == 1 and said in done.stdout, done.stdout

    def test_what_is_no_answer_is_said_so(self, tmp_path):
        done = self.check(tmp_path, {"model": "ok", "input": "a"}, b'{"error":{"code":502}}')
        assert done.returncode == 2, done.stdout
