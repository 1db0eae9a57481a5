"""openai for Python, unmodified: base64 by default, only the base URL differs."""

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from support.router import TAURUS, TAURUS_ID, TAURUS_WIDTH
from support.vectors import as_floats, cosine, same_bits, vector_of

TEXTS = ["one text", "another text", "🍕"]


@pytest.fixture(params=["/api/v1", "/v1", "/v1/"])
def client(router, request):
    with OpenAI(api_key=router.key, base_url=router.url + request.param, max_retries=0) as client:
        yield client


def test_base64_by_default_gives_the_right_vectors(client):
    res = client.embeddings.create(input=TEXTS, model="test/ok")
    assert [entry.index for entry in res.data] == [0, 1, 2]
    for text, entry in zip(TEXTS, res.data, strict=True):
        assert same_bits(as_floats(entry.embedding), vector_of(text))
    assert res.usage.prompt_tokens == res.usage.total_tokens > 0


def test_the_embedded_model_answers(client, router):
    res = client.embeddings.create(input="one text", model=TAURUS, dimensions=TAURUS_WIDTH, user="u")
    assert res.model == TAURUS_ID and len(res.data[0].embedding) == TAURUS_WIDTH
    [direct] = router.embed("one text").json["data"]
    assert cosine(as_floats(res.data[0].embedding), as_floats(direct["embedding"])) > 0.9999


def test_float_on_request_is_the_same(client):
    [entry] = client.embeddings.create(input="one text", model="test/ok", encoding_format="float").data
    assert same_bits(as_floats(entry.embedding), vector_of("one text"))


def test_extra_members_pass(client):
    extra = {"provider": {"only": ["fake"]}, "session_id": "s", "colour": 1}
    assert client.embeddings.create(input="a", model="test/ok", extra_body=extra).data


async def test_async_is_the_same(router):
    async with AsyncOpenAI(api_key=router.key, base_url=router.api, max_retries=0) as client:
        res = await client.embeddings.create(input=TEXTS, model="test/ok")
        for text, entry in zip(TEXTS, res.data, strict=True):
            assert same_bits(as_floats(entry.embedding), vector_of(text))
        with pytest.raises(openai.NotFoundError):
            await client.embeddings.create(input="a", model="no/model")


@pytest.mark.parametrize(
    "error,members",
    [
        (openai.BadRequestError, {"input": ""}),
        (openai.BadRequestError, {"input": [1, 2, 3]}),
        (openai.BadRequestError, {"input": [[1, 2], [3]]}),
        (openai.BadRequestError, {"dimensions": 5}),
        (openai.BadRequestError, {"input": "word " * 400}),
        (openai.NotFoundError, {"model": "no/model"}),
        (openai.InternalServerError, {"model": "test/short-last"}),
        (openai.InternalServerError, {"model": "test/empty-data"}),
    ],
)  # fmt: skip
def test_each_status_raises_its_class(client, error, members):
    with pytest.raises(error) as raised:
        client.embeddings.create(**{"input": "a", "model": TAURUS, **members})
    assert raised.value.body["code"] == raised.value.status_code and raised.value.body["message"]


def test_a_wrong_key_raises_authentication(router):
    with OpenAI(api_key="sk-wrong", base_url=router.api) as client, pytest.raises(openai.AuthenticationError):
        client.embeddings.create(input="a", model=TAURUS)
