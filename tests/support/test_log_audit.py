"""The audit of the logs against itself: it finds what it is there to find."""

import json

import pytest

from support.log_audit import Audit

GOOD = {"time": "2026-11-23T19:00:00.123Z", "level": "info", "event": "request", "status": 200, "path": "/v1/embeddings"}
KEY = "sk-or-v1-" + "0123456789abcdef" * 4
TEXT = "a text that somebody wants embedded"


def audit(line: str) -> list[str]:
    judge = Audit()
    judge.secret(KEY)
    judge.secret("an-upstream-key")
    judge.sent(json.dumps({"input": [TEXT, "short"], "model": "m"}).encode())
    judge.text([{"content": [{"type": "text", "text": "inside a content part"}]}])
    judge.watch("a router", lambda: ["", line] if line == "" else [line])
    return judge.faults()


def test_a_good_line_is_good():
    assert audit(json.dumps(GOOD)) == []


@pytest.mark.parametrize(
    "line,fault",
    [
        ("cannot start", "not JSON"),
        ("[]", "not an object"),
        (json.dumps({**GOOD, "path": f"/v1/{KEY}"}), "a key"),
        (json.dumps({**GOOD, "unheard_of": 1}), "unknown member 'unheard_of'"),
        (json.dumps({**GOOD, "detail": "the upstream said an-upstream-key"}), "a key in 'detail'"),
        (json.dumps({**GOOD, "detail": f"bad input: {TEXT}!"}), "the text"),
        (json.dumps({**GOOD, "reason": "about inside a content part"}), "the text"),
        (json.dumps({**GOOD, "code": "Not a code"}), "another form"),
    ],
)
def test_a_bad_line_is_found(line, fault):
    found = audit(line)
    assert found and any(fault in one for one in found), found


def test_lines_that_come_later_are_looked_at_too():
    judge = Audit()
    lines: list[str] = []
    judge.watch("a router", lambda: lines)
    assert judge.faults() == []
    lines.append("not JSON")
    assert len(judge.faults()) == 1
