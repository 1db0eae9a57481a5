"""The official Python SDK, either generation."""

from driver import serve
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


def client_of(ask):
    settings = {} if ask["defaults"] else {"retry_config": NO_RETRIES}
    if ask["timeout"]:
        settings["timeout_ms"] = int(ask["timeout"] * 1000)
    return OpenRouter(api_key=ask["key"], server_url=ask["url"], **settings)


def result_of(answer):
    return {
        "id": answer.id, "model": answer.model, "embeddings": [entry.embedding for entry in answer.data],
        "indices": [entry.index for entry in answer.data], "tokens": answer.usage.prompt_tokens,
    }  # fmt: skip


def embed(ask):
    with client_of(ask) as client:
        return result_of(client.embeddings.generate(**ask["members"], http_headers=ask["headers"]))


async def embed_async(ask):
    async with client_of(ask) as client:
        return result_of(await client.embeddings.generate_async(**ask["members"], http_headers=ask["headers"]))


def models(ask):
    pages = []
    with client_of(ask) as client:
        page = client.embeddings.list_models(**ask["members"])
        while page is not None:
            pages.append([model.id for model in page.result.data])
            page = page.next()
    return {"pages": pages}


async def models_async(ask):
    pages = []
    async with client_of(ask) as client:
        page = await client.embeddings.list_models_async(**ask["members"])
        while page is not None:
            pages.append([model.id for model in page.result.data])
            page = await page.next()
    return {"pages": pages}


CALLS = {
    ("embed", "sync"): embed, ("embed", "async"): embed_async,
    ("models", "sync"): models, ("models", "async"): models_async,
}  # fmt: skip


def describe(error):
    if not isinstance(error, errors.OpenRouterError):
        return None
    fields = {"status": error.status_code, "headers": dict(error.headers), "body": error.body, "message": error.message}
    if (data := getattr(error, "data", None)) is not None:
        fields |= {"code": data.error.code, "metadata": data.error.metadata}
    return fields


serve("openrouter", lambda ask: CALLS[ask["call"], ask["mode"]](ask), describe)
