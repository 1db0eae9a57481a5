"""litellm with its openrouter/ prefix."""

import litellm
from driver import serve


def arguments_of(ask):
    members = dict(ask["members"])
    settings = {} if ask["defaults"] else {"num_retries": 0, "max_retries": 0}
    if ask["timeout"]:
        settings["timeout"] = ask["timeout"]
    return {
        **members, "model": "openrouter/" + members["model"], "api_base": ask["url"], "api_key": ask["key"],
        "extra_headers": ask["headers"] or None, **settings,
    }  # fmt: skip


def result_of(answer):
    return {
        "model": answer.model, "embeddings": [entry["embedding"] for entry in answer.data],
        "indices": [entry["index"] for entry in answer.data], "tokens": answer.usage.prompt_tokens,
    }  # fmt: skip


async def embed_async(ask):
    return result_of(await litellm.aembedding(**arguments_of(ask)))


def call(ask):
    return embed_async(ask) if ask["mode"] == "async" else result_of(litellm.embedding(**arguments_of(ask)))


def describe(error):
    status = getattr(error, "status_code", None)
    return None if status is None else {"status": status}


serve("litellm", call, describe)
