"""OpenAIEmbeddings of langchain-openai."""

from driver import describe_openai, openai_arguments, openai_settings, serve
from langchain_openai import OpenAIEmbeddings


def call(ask):
    members = openai_arguments(ask["members"])
    texts = members.pop("input")
    # By default it sends token ids of OpenAI's vocabulary; the documented switch for other servers makes it send text.
    client = OpenAIEmbeddings(
        api_key=ask["key"], base_url=ask["url"], model=members.pop("model"), dimensions=members.pop("dimensions", None),
        check_embedding_ctx_length=False, default_headers=ask["headers"], model_kwargs=members, **openai_settings(ask),
    )  # fmt: skip
    if ask["mode"] == "async":
        return embed_async(client, texts)
    return {"embeddings": [client.embed_query(texts)] if isinstance(texts, str) else client.embed_documents(texts)}


async def embed_async(client, texts):
    if isinstance(texts, str):
        return {"embeddings": [await client.aembed_query(texts)]}
    return {"embeddings": await client.aembed_documents(texts)}


serve("langchain-openai", call, describe_openai)
