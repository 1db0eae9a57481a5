"""What no log line of any router of the suite may hold: keys, and texts that were sent to be embedded.

The support code tells of routers, keys and texts as it goes; `faults()` looks at every line there is.
"""

import json
import re
from collections.abc import Callable

# Members of a log line and, for those that are free of anything a caller wrote, what they look like.
HEX = r"[0-9a-f]*"
MEMBERS = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "level": r"debug|info|warning|error",
    "answered_model": r"|\(no name\)|[\x21-\x7e]{1,200}",
    "event": r"[a-z_]+",
    "id": r"gen-emb-\d+-[A-Za-z0-9]{20}",
    "trace_id": HEX,
    "span_id": HEX,
    "peer": r"[0-9a-f.:]*",
    "code": r"[a-z_]*",
    "operation": r"[a-z_]+",
    **dict.fromkeys(("cause", "from", "to", "state", "outcome"), r"[a-z_]*"),
    "until": r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    **dict.fromkeys(("method", "path", "detail", "reason", "line", "models", "providers", "model", "provider", "endpoint", "key")),
    **dict.fromkeys(("against", "space", "fault")),
    **dict.fromkeys(("lasts_ms", "cosine", "canary", "position", "upstream_status")),
    **dict.fromkeys(("status", "inputs", "tokens", "attempts", "request_bytes", "response_bytes")),
    **dict.fromkeys(("memory_bytes", "read_ms", "queue_ms", "inference_ms", "upstream_ms", "ms")),
}
# A shorter text is a word that a log may hold for other reasons.
SHORTEST_TEXT = 8
KEY_FORM = re.compile(r"sk-or-v1-[0-9a-f]{16}")


class Audit:
    def __init__(self):
        self.logs: list[tuple[str, Callable[[], list[str]]]] = []
        self.secrets: set[str] = set()
        self.texts: set[str] = set()

    def watch(self, name: str, lines: Callable[[], list[str]]) -> None:
        self.logs.append((name, lines))

    def secret(self, value: str) -> None:
        if len(value) >= SHORTEST_TEXT:
            self.secrets.add(value)

    def text(self, value) -> None:
        """A text, or whatever `input` may be."""
        if isinstance(value, str):
            if len(value) >= SHORTEST_TEXT:
                self.texts.add(value)
        elif isinstance(value, dict):
            for member in value.values():
                self.text(member)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self.text(item)

    def sent(self, body) -> None:
        """A request's body, if it is one of an embedding."""
        if isinstance(body, bytes):
            try:
                body = json.loads(body)
            except (ValueError, RecursionError):
                return  # hostile
        if isinstance(body, dict):
            self.text(body.get("input"))

    @property
    def lines(self) -> int:
        return sum(len(lines()) for _, lines in self.logs)

    def faults(self) -> list[str]:
        found: list[str] = []
        seen: set[str] = set()  # values are few and lines many
        for name, lines in self.logs:
            for line in lines():
                found += [f"{name}: {fault}: {line[:300]}" for fault in self._faults_of(line, seen)]
        return found

    def _faults_of(self, line: str, seen: set[str]) -> list[str]:
        found = ["a key"] if KEY_FORM.search(line) else []
        try:
            members = json.loads(line)
        except ValueError:
            return [*found, "not JSON"]
        if not isinstance(members, dict):
            return [*found, "not an object"]
        for member, value in members.items():
            if member not in MEMBERS:
                found.append(f"an unknown member {member!r}")
            elif (form := MEMBERS[member]) is not None:
                if not re.fullmatch(form, str(value)):
                    found.append(f"{member!r} has another form")
            elif isinstance(value, str) and value not in seen:
                seen.add(value)
                found += [f"a key in {member!r}" for secret in self.secrets if secret in value]
                found += [f"the text {text!r} in {member!r}" for text in self.texts if text in value]
        return found


_suite = Audit()
watch, secret, text, sent, faults = _suite.watch, _suite.secret, _suite.text, _suite.sent, _suite.faults


def lines() -> int:
    return _suite.lines
