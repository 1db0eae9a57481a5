"""openai for Python."""

from driver import describe_openai, openai_arguments, openai_settings, serve
from openai import AsyncOpenAI, OpenAI


def settings_of(ask):
    return {"api_key": ask["key"], "base_url": ask["url"], "default_headers": ask["headers"], **openai_settings(ask)}


def result_of(answer):
    return {
        "id": answer.id, "model": answer.model, "embeddings": [entry.embedding for entry in answer.data],
        "indices": [entry.index for entry in answer.data], "tokens": answer.usage.prompt_tokens,
    }  # fmt: skip


def embed(ask):
    with OpenAI(**settings_of(ask)) as client:
        return result_of(client.embeddings.create(**openai_arguments(ask["members"])))


async def embed_async(ask):
    async with AsyncOpenAI(**settings_of(ask)) as client:
        return result_of(await client.embeddings.create(**openai_arguments(ask["members"])))


serve("openai", lambda ask: (embed if ask["mode"] == "sync" else embed_async)(ask), describe_openai)
