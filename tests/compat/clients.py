"""The clients as programs that are asked by a line of JSON and answer with one; drivers/driver.py has the protocol."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from support.program import REPOSITORY, require
from support.wire import PATIENCE

HERE = Path(__file__).parent

OPENROUTER = {
    400: "BadRequestResponseError", 401: "UnauthorizedResponseError", 402: "PaymentRequiredResponseError", 403: "ForbiddenResponseError",
    404: "NotFoundResponseError", 408: "RequestTimeoutResponseError", 412: "OpenRouterDefaultError",
    413: "PayloadTooLargeResponseError", 429: "TooManyRequestsResponseError", 502: "BadGatewayResponseError",
    503: "ServiceUnavailableResponseError", 504: "GatewayTimeoutResponseError", 524: "EdgeNetworkTimeoutResponseError", 529: "ProviderOverloadedResponseError",
}  # fmt: skip
OPENAI = {
    400: "BadRequestError", 401: "AuthenticationError", 402: "APIStatusError", 403: "PermissionDeniedError", 404: "NotFoundError",
    408: "APIStatusError", 412: "APIStatusError", 413: "APIStatusError", 429: "RateLimitError",
    502: "InternalServerError", 503: "InternalServerError", 504: "InternalServerError", 524: "InternalServerError", 529: "InternalServerError",
}  # fmt: skip
OPENAI_JS = {**OPENAI, 402: "APIError", 408: "APIError", 412: "APIError", 413: "APIError"}
PREVIOUS = {**OPENROUTER, **dict.fromkeys((403, 408, 413, 504), "OpenRouterDefaultError")}
TYPESCRIPT = {**OPENROUTER, 504: "OpenRouterDefaultError"}
LITELLM = {
    400: "BadRequestError", 401: "AuthenticationError", 402: "APIError", 403: "APIError", 404: "NotFoundError", 408: "Timeout",
    412: "APIError", 413: "APIError", 429: "RateLimitError", 502: "APIError", 503: "ServiceUnavailableError",
    504: "Timeout", 524: "APIError", 529: "APIError",
}  # fmt: skip

EVERY_FIELD = frozenset({"code", "metadata", "headers", "body"})
TEXT_ALONE = frozenset({"token ids", "lists of token ids", "content parts"})
VECTORS_ALONE = frozenset({"base64", "list of models"})


@dataclass(frozen=True)
class Kind:
    title: str
    short: str
    driver: str
    classes: dict[int, str]  # of errors, by status
    cannot: frozenset = frozenset()  # features it has no means to ask for
    modes: tuple[str, ...] = ("sync", "async")
    fields: frozenset = EVERY_FIELD  # of an error, beside status and message
    python: str = sys.executable


KINDS = {
    "openrouter-python": Kind("openrouter (Python)", "openrouter", "openrouter_python.py", OPENROUTER, frozenset({"unknown members"})),
    "openrouter-python-previous": Kind(
        "openrouter (Python), previous", "openrouter 0.11", "openrouter_python.py", PREVIOUS, frozenset({"unknown members", "session_id", "trace"}),
        python=str(REPOSITORY / ".venv-previous/bin/python"),
    ),
    "openrouter-typescript": Kind(
        "@openrouter/sdk", "@openrouter/sdk", "openrouter.mjs", TYPESCRIPT, frozenset({"unknown members"}), ("async",)
    ),
    "openai-python": Kind("openai (Python)", "openai", "openai_python.py", OPENAI, frozenset({"list of models"})),
    "openai-javascript": Kind(
        "openai (JavaScript)", "openai JS", "openai.mjs", OPENAI_JS, frozenset({"list of models"}), ("async",), EVERY_FIELD - {"body"}
    ),
    "langchain": Kind("langchain-openai", "LangChain", "langchain_openai_python.py", OPENAI, TEXT_ALONE | VECTORS_ALONE),
    "llama-index": Kind(
        "llama-index-embeddings-openai", "LlamaIndex", "llama_index_python.py", OPENAI, TEXT_ALONE | VECTORS_ALONE
    ),
    "litellm": Kind("litellm", "litellm", "litellm_python.py", LITELLM, frozenset({"list of models"}), fields=frozenset()),
    "ai-sdk": Kind(
        "@openrouter/ai-sdk-provider", "AI SDK", "ai_sdk.mjs", {status: "APICallError" for status in OPENROUTER},
        TEXT_ALONE | VECTORS_ALONE, ("async",),
    ),
}  # fmt: skip


@dataclass
class Client:
    """A running driver. `ask` may be called from several threads."""

    kind: Kind
    waiting: dict[int, queue.Queue] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self):
        self.lock = threading.Lock()
        script = HERE / "drivers" / self.kind.driver
        if script.suffix == ".mjs":
            require(HERE / "node_modules", "scripts/install-clients puts it there")
            interpreter = shutil.which("node")
            assert interpreter, "node is missing: scripts/install-packages installs it"
        else:
            interpreter = str(require(Path(self.kind.python), "scripts/install-clients puts it there"))
        # litellm would fetch its table of prices; the keys of a developer are not the tests' business.
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        self.process = subprocess.Popen(
            [interpreter, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.version = json.loads(self.process.stdout.readline())["version"]
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        for line in self.process.stdout:
            answer = json.loads(line)
            self.waiting.pop(answer.pop("id")).put(answer)
        for answers in self.waiting.values():
            answers.put({"ended": f"the driver ended with {self.process.wait()}"})

    def ask(self, call: str, mode: str, url: str, key: str | None, members: dict, headers: dict | None = None,
            timeout: float | None = PATIENCE, defaults: bool = False) -> dict:  # fmt: skip
        """What the call gave: {"result": …} or {"error": …}."""
        with self.lock:
            self.asked += 1
            answers = self.waiting[self.asked] = queue.Queue()
            ask = {
                "id": self.asked, "call": call, "mode": mode, "url": url, "key": key, "members": members,
                "headers": headers or {}, "timeout": timeout, "defaults": defaults,
            }  # fmt: skip
            self.process.stdin.write(json.dumps(ask) + "\n")
            self.process.stdin.flush()
        return answers.get(timeout=4 * PATIENCE)

    def stop(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
