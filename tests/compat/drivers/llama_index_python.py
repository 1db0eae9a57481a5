"""OpenAIEmbedding of llama-index-embeddings-openai."""

from driver import describe_openai, openai_arguments, openai_settings, serve
from llama_index.embeddings.openai import OpenAIEmbedding


def call(ask):
    members = openai_arguments(ask["members"])
    texts = members.pop("input")
    client = OpenAIEmbedding(
        api_key=ask["key"], api_base=ask["url"], model_name=members.pop("model"),
        dimensions=members.pop("dimensions", None), default_headers=ask["headers"], additional_kwargs=members,
        embed_batch_size=2048, **openai_settings(ask),
    )  # fmt: skip
    if ask["mode"] == "async":
        return embed_async(client, texts)
    if isinstance(texts, str):
        return {"embeddings": [client.get_query_embedding(texts)]}
    return {"embeddings": client.get_text_embedding_batch(texts)}


async def embed_async(client, texts):
    if isinstance(texts, str):
        return {"embeddings": [await client.aget_query_embedding(texts)]}
    return {"embeddings": await client.aget_text_embedding_batch(texts)}


serve("llama-index-embeddings-openai", call, describe_openai)
