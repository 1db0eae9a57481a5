"""The official Python SDK under a clock and a chance of the test's."""

import datetime
import json
import os
import types
from functools import cache

from openrouter import OpenRouter, errors, operations
from openrouter.utils import BackoffStrategy, RetryConfig, retries

START = 1_700_000_000.0  # seconds since 1970, where the driver's clock starts too


class Clock:
    """In place of `time` in the SDK's retries: sleeping moves it."""

    def __init__(self):
        self.now = START
        self.waits: list[int] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds * 1000))
        self.now += seconds

    def install(self, monkeypatch) -> None:
        clock = self

        class Now(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.datetime.fromtimestamp(clock.now, tz or datetime.UTC)

        monkeypatch.setattr(retries, "time", types.SimpleNamespace(time=self.time, sleep=self.sleep))
        monkeypatch.setattr(retries, "random", types.SimpleNamespace(uniform=lambda low, high: low + (high - low) / 2))
        monkeypatch.setattr(retries, "datetime", Now)


def retry_config(of: dict) -> RetryConfig:
    """From what the driver takes."""
    backoff = BackoffStrategy(
        of.get("initial", 500), of.get("max", 60_000), of.get("exponent", 1.5), of.get("max_elapsed", 3_600_000),
        of.get("jitter"),
    )  # fmt: skip
    strategy = "backoff" if of.get("enabled", True) else "none"
    return RetryConfig(strategy, backoff, of.get("connection_errors", True), of.get("status_codes"))


def options(of: dict) -> dict:
    return {
        name: retry_config(value) if name in ("retries", "retry_config") else value for name, value in of.items()
    }


@cache
def client_of(settings: str, environment: tuple) -> OpenRouter:
    return OpenRouter(**options(json.loads(settings)))


def method(name: str, client: dict | None = None):
    """Of a client; `name` is "embeddings.generate"."""
    resource, operation = name.split(".")
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("OPENROUTER_")))
    return getattr(getattr(client_of(json.dumps(client or {}, sort_keys=True), environment), resource), operation)


def call(name: str, client: dict, args: dict):
    """The result, or the exception."""
    made = method(name, client)
    try:
        if name == "analytics.get_user_activity":
            return made(request=args)
        if name == "models.list_for_user":
            rest = {key: value for key, value in args.items() if key != "bearer"}
            return made(security=operations.ListModelsUserSecurity(bearer=args["bearer"]), **rest)
        return made(**options(args))
    except Exception as error:  # whatever it raises is what is compared
        return error


def fields(error: errors.OpenRouterError) -> dict:
    """As the driver reports an error."""
    out = {"class": type(error).__name__, "status": error.status_code, "body": error.body}
    data = getattr(error, "data", None)
    # What is not set is a sentinel of pydantic's.
    plain = lambda value: None if type(value).__name__ == "Unset" else value  # noqa: E731
    if data is not None:
        out |= {
            "code": data.error.code,
            "error_message": data.error.message,
            "metadata": plain(data.error.metadata),
            "user_id": plain(data.user_id),
            "openrouter_metadata": plain(data.openrouter_metadata),
        }
    return out
