"""docs/compatibility.md as a run of the tests says it."""

from collections import defaultdict

import pytest
from clients import KINDS

from support.program import REPOSITORY

FILE = REPOSITORY / "docs/compatibility.md"
WRITE = "EMBEDROUTER_WRITE_PAGE=1 .venv/bin/python -m pytest tests/compat"

HEAD = f"""# Compatibility

Written by the tests of `tests/compat`, which run every client unmodified, at its locked version, against the real
router; only the base URL is changed. Do not edit: `{WRITE}` writes it.

"""


class Results:
    """Which rows held for which client. A row holds when all of its tests passed, in every mode of the client."""

    def __init__(self):
        self.versions: dict[str, str] = {}
        self.features: dict[str, dict[str, bool]] = defaultdict(dict)
        self.statuses: dict[int, dict[str, bool]] = defaultdict(dict)

    def add(self, client: str, feature: str | None, status: int | None, passed: bool) -> None:
        for rows, row in ((self.features, feature), (self.statuses, status)):
            if row is not None:
                rows[row][client] = rows[row].get(client, True) and passed


RESULTS = pytest.StashKey[Results]()


def line(*cells) -> str:
    return "| " + " | ".join(map(str, cells)) + " |\n"


def table(*head) -> str:
    return line(*head) + line(*(["---"] * len(head)))


def clients_of(results: Results) -> str:
    rows = (line(k.title, results.versions.get(name, "not run"), ", ".join(k.modes)) for name, k in KINDS.items())
    return table("client", "version", "tested") + "".join(rows)


def cell(row: dict[str, bool], name: str, feature: str) -> str:
    if feature in KINDS[name].cannot:
        return "–"
    return {True: "yes", False: "**fails**", None: "not run"}[row.get(name)]


def features_of(results: Results) -> str:
    out = table("", *(kind.short for kind in KINDS.values()))
    for feature in sorted(results.features):
        out += line(feature, *(cell(results.features[feature], name, feature) for name in KINDS))
    return out


def classes_of(row: dict[str, bool], status: int) -> str:
    """The classes with the clients that have them."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, kind in KINDS.items():
        held = row.get(name)
        users[f"`{kind.classes[status]}`" if held else "**fails**" if held is False else "not run"].append(kind.short)
    return "; ".join(f"{name}: {', '.join(clients)}" for name, clients in users.items())


def render(results: Results, scenes: dict[int, str], not_yet: dict[int, str]) -> str:
    out = HEAD + clients_of(results)
    out += "\n## Features\n\n– : the client has no means to ask for it.\n\n" + features_of(results)
    out += "\n## Statuses\n\nEach is provoked on the running router and arrives as the class the client has for it, with its fields.\n\n"
    out += table("status", "provoked by", "class")
    for status in sorted(results.statuses):
        out += line(status, scenes[status], classes_of(results.statuses[status], status))
    out += "\nStatuses of the contract that are not provoked:\n\n"
    return out + "".join(f"- {status}: {why}.\n" for status, why in not_yet.items())
