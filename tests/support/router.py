"""The real binary as a fixture: a configuration, a key, a running server, and its answers."""

import json
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from support import log_audit, wire
from support.program import BINARY, MODEL_DIR, Program, require, run

TAURUS = "Taurus"
TAURUS_ID = "sentence-transformers/all-minilm-l6-v2"
TAURUS_WIDTH = 384
TAURUS_TOKENS = 256


def toml(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(str(value))


def table(header: str, members: dict) -> str:
    return "\n".join([header, *(f"{key} = {toml(value)}" for key, value in members.items())]) + "\n\n"


@dataclass
class Model:
    """A model with one endpoint. `upstream` is what its provider calls it."""

    id: str
    upstream: str
    provider: str = "fake"
    dimensions: int = 64
    members: dict = field(default_factory=dict)  # more of [[model]]
    endpoint: dict = field(default_factory=dict)  # more of [[model.endpoint]]

    def toml(self) -> str:
        head = {"id": self.id, "dimensions": self.dimensions, "context_length": 8192, **self.members}
        place = {"provider": self.provider, "upstream_model": self.upstream, **self.endpoint}
        return table("[[model]]", head) + table("[[model.endpoint]]", place)


def model_of(fault: str) -> Model:
    """The model `test/<fault>`, which the fake upstream answers with that fault."""
    return Model(id=f"test/{fault.replace('@', '-at-')}", upstream=fault)


def provider(base_url: str, slug: str = "fake", **members) -> str:
    return table("[[provider]]", {"slug": slug, "dialect": "openai", "base_url": base_url, **members})


def configuration(
    *providers: str, models: Iterable[Model] = (), embedded: bool = True, sections: dict[str, dict] | None = None
) -> str:
    inside = {"enabled": embedded}
    if embedded:
        inside["model_dir"] = require(MODEL_DIR, "scripts/fetch-weights puts it there")
    # Canaries are calls that tests of other things would count; those of tests/integration/test_spaces.py switch
    # them on.
    chapters = {"embedded": inside, "probe": {"enabled": False}, **(sections or {})}
    # The debug lines are audited too (support/log_audit.py).
    chapters["telemetry"] = {"log_level": "debug", **chapters.get("telemetry", {})}
    return "".join(
        [*(table(f"[{name}]", members) for name, members in chapters.items()), *providers, *(m.toml() for m in models)]
    )


class Router:
    def __init__(self, folder: Path, config: str, key: bool = True, environment: dict[str, str] | None = None,
                 data_dir: Path | None = None, prefix: Iterable[str] = ()):
        """`prefix` stands before the command, for one that sets limits and becomes it (support/limits.py)."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data_dir = data_dir or folder / "data"
        self.config_file = folder / "embedrouter.toml"
        self.config_file.write_text(config)
        self.key = self.create_key()["key"] if key else None
        for name, value in (environment or {}).items():
            if "KEY" in name:
                log_audit.secret(value)
        self.program = Program(
            [str(BINARY), "serve", "--config", str(self.config_file), "--listen", "127.0.0.1:0", "--data-dir",
             str(self.data_dir)],
            environment, prefix,
        )  # fmt: skip
        log_audit.watch(str(folder), lambda: self.program.err)
        line = self.program.first_line()
        assert line.startswith("listening on http"), line
        self.url = line.removeprefix("listening on ")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.api = f"{self.url}/api/v1"

    def create_key(self, *flags: str) -> dict:
        done = run("keys", "create", "--json", "--data-dir", self.data_dir, *flags)
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        log_audit.secret(made["key"])
        return made

    def create_seen_key(self, *flags: str) -> str:
        """A key that the running router knows already."""
        key = self.create_key(*flags)["key"]
        mine = {"Authorization": f"Bearer {key}"}
        wire.eventually(lambda: self.request("GET", "/api/v1/key", headers=mine).status == 200, wire.PATIENCE, "the key is known")
        return key

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def request(self, method: str, path: str, body=None, headers: dict | None = None) -> wire.Answer:
        """`path` is absolute. `headers` are added to the key's; None as a value takes one out."""
        log_audit.sent(body)
        merged = {**self.authorization, **(headers or {})}
        return wire.request(self.url, method, path, body, {k: v for k, v in merged.items() if v is not None})

    def embed(self, input, model: str = TAURUS, headers: dict | None = None, **members) -> wire.Answer:
        return self.request("POST", "/api/v1/embeddings", {"input": input, "model": model, **members}, headers)

    def begin(self, input, model: str, **members):
        """Sends a request and returns its connection, the answer unread."""
        log_audit.text(input)
        connection = wire.connect(self.url)
        headers = {**self.authorization, "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/embeddings", json.dumps({"input": input, "model": model, **members}), headers)
        return connection

    def metrics(self) -> dict[str, float]:
        """Samples by name and labels as they stand in /metrics."""
        lines = self.request("GET", "/metrics").body.decode().splitlines()
        return {
            name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] not in ("#", ""))
        }

    def reloads(self, outcome: str) -> float:
        return self.metrics()[f'embedrouter_config_reloads_total{{outcome="{outcome}"}}']

    def reload(self, config: str, expect: str = "ok") -> None:
        """Another configuration by SIGHUP; `expect` is "ok" or "refused". Returns when it is in use or refused."""
        before = self.reloads(expect)
        self.config_file.write_text(config)
        self.program.process.send_signal(signal.SIGHUP)
        wire.eventually(lambda: self.reloads(expect) > before, wire.PATIENCE, f"a reload that is {expect}")

    def stop(self) -> None:
        self.program.stop()
        if self.key:
            assert self.key not in self.program.log, "a key is in the log"
