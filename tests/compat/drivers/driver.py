"""What the Python drivers share: a line of JSON in asks for one call of a client, a line of JSON out tells how it went.

An ask: {"id", "mode": "sync" | "async", "call": "embed" | "models", "url", "key", "members", "headers", "timeout" in
seconds or null, "defaults": true leaves the client's own retries and timeouts on}. Members have the names of the wire.
Asks are worked on at the same time. An answer has "result" or "error".
"""

import asyncio
import importlib.metadata
import json
import sys
import threading
import traceback


def serve(package, call, describe):
    """`call(ask)` returns a result, or a coroutine of one; `describe(exception)` its fields, None if it has no status."""
    answers, sys.stdout = sys.stdout, sys.stderr  # some clients print
    writing = threading.Lock()
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def say(line):
        with writing:
            print(json.dumps(line), file=answers, flush=True)

    def answer(ask):
        try:
            result = call(ask)
            if asyncio.iscoroutine(result):
                result = asyncio.run_coroutine_threadsafe(result, loop).result()
            say({"id": ask["id"], "result": result})
        except Exception as error:
            fields = describe(error) or {"trace": traceback.format_exc()}
            say({"id": ask["id"], "error": {"class": type(error).__name__, "message": str(error), **fields}})

    say({"version": importlib.metadata.version(package)})
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()


# Members that openai's create() has arguments for; others travel in extra_body.
OPENAI_ARGUMENTS = ("input", "model", "encoding_format", "dimensions", "user")


def openai_arguments(members):
    known = {name: value for name, value in members.items() if name in OPENAI_ARGUMENTS}
    extra = {name: value for name, value in members.items() if name not in OPENAI_ARGUMENTS}
    return {**known, "extra_body": extra} if extra else known


def openai_settings(ask):
    settings = {} if ask["defaults"] else {"max_retries": 0}
    return {**settings, "timeout": ask["timeout"]} if ask["timeout"] else settings


def describe_openai(error):
    """Of an openai.APIStatusError, which langchain-openai and LlamaIndex let through."""
    if (response := getattr(error, "response", None)) is None:
        return None
    return {
        "status": error.status_code, "headers": dict(response.headers), "body": response.text,
        "message": error.body["message"], "code": int(error.code), "metadata": error.body["metadata"],
    }  # fmt: skip
