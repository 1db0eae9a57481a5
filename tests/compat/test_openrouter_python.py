"""The official Python SDK, unmodified: only the server URL differs."""

import os
import subprocess
import sys
import textwrap

import pytest
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

from support.router import TAURUS, TAURUS_ID, TAURUS_WIDTH, Model, Router, configuration, provider
from support.vectors import as_floats, cosine, same_bits, vector_of

NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
TEXTS = ["one text", "another text", "🍕"]


@pytest.fixture
def client(router):
    with OpenRouter(api_key=router.key, server_url=router.api, retry_config=NO_RETRIES) as client:
        yield client


def test_the_example_of_the_documentation(router, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", router.key)
    with OpenRouter(
        api_key=os.getenv("OPENROUTER_API_KEY", ""),
        server_url=router.api,
    ) as open_router:
        res = open_router.embeddings.generate(input="<value>", model="Taurus")

    assert res.model == TAURUS_ID and len(res.data) == 1
    assert len(res.data[0].embedding) == TAURUS_WIDTH
    assert res.id.startswith("gen-") and res.usage.prompt_tokens > 0


def test_the_example_as_a_program(router):
    program = f"""
        from openrouter import OpenRouter
        import os

        with OpenRouter(
            http_referer="<value>",
            x_open_router_title="<value>",
            x_open_router_categories="<value>",
            api_key=os.getenv("OPENROUTER_API_KEY", ""),
            server_url="{router.api}",
        ) as open_router:

            res = open_router.embeddings.generate(input="<value>", model="Taurus")

            # Handle response
            print(res)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "OPENROUTER_API_KEY": router.key}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert TAURUS_ID in done.stdout


@pytest.mark.parametrize("input", ["one text", ["one text"], [{"content": [{"type": "text", "text": "one text"}]}]])
def test_every_text_form_is_embedded(client, input):
    [entry] = client.embeddings.generate(input=input, model="test/ok").data
    assert entry.index == 0 and same_bits(as_floats(entry.embedding), vector_of("one text"))


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_both_encodings_hold_the_same_bits(client, encoding):
    data = client.embeddings.generate(input=TEXTS, model="test/ok", encoding_format=encoding).data
    for text, entry in zip(TEXTS, data, strict=True):
        assert same_bits(as_floats(entry.embedding), vector_of(text))


def test_every_parameter_is_accepted(client):
    res = client.embeddings.generate(
        input=TEXTS, model=TAURUS, dimensions=TAURUS_WIDTH, encoding_format="float", input_type="search_query",
        provider={"order": ["local"], "allow_fallbacks": False, "max_price": {"prompt": "1"}}, session_id="s",
        trace={"trace_id": "t", "own": "x"}, user="u", http_referer="https://example.com", x_open_router_title="t",
        x_open_router_categories="cli-agent", timeout_ms=30_000, http_headers={"X-Own": "1"},
    )  # fmt: skip
    assert len(res.data) == 3


def test_provider_none_is_as_if_absent(client):
    assert client.embeddings.generate(input="a", model="test/ok", provider=None).data


async def test_async_is_the_same(router):
    async with OpenRouter(api_key=router.key, server_url=router.api, retry_config=NO_RETRIES) as client:
        res = await client.embeddings.generate_async(input=TEXTS, model=TAURUS)
        direct = [as_floats(entry["embedding"]) for entry in router.embed(TEXTS).json["data"]]
        for entry, expected in zip(res.data, direct, strict=True):
            assert cosine(as_floats(entry.embedding), expected) > 0.9999
        with pytest.raises(errors.NotFoundResponseError):
            await client.embeddings.generate_async(input="a", model="no/model")
        assert (await client.embeddings.list_models_async()).result.total_count > 1


def test_token_ids_as_the_sdk_sends_them_reach_an_upstream_that_takes_them(start_router, fake):
    model = Model("test/ids", "ok", endpoint={"token_ids": True})
    router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
    with OpenRouter(api_key=router.key, server_url=router.api) as client:
        [one] = client.embeddings.generate(input=[1, 2, 3], model="test/ids").data
        two = client.embeddings.generate(input=[[1, 2], [3]], model="test/ids").data
    assert same_bits(as_floats(one.embedding), vector_of("1,2,3"))
    assert [same_bits(as_floats(entry.embedding), vector_of(text)) for entry, text in zip(two, ["1,2", "3"])] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "error,members",
    [
        (errors.BadRequestResponseError, {"input": ""}),
        (errors.BadRequestResponseError, {"input": []}),
        (errors.BadRequestResponseError, {"dimensions": 0}),
        (errors.BadRequestResponseError, {"encoding_format": "md5"}),
        (errors.BadRequestResponseError, {"input": [1, 2, 3]}),
        (errors.BadRequestResponseError, {"input": "word " * 400}),
        (errors.NotFoundResponseError, {"model": "no/model"}),
        (errors.NotFoundResponseError, {"provider": {"only": ["absent"]}}),
        (errors.BadGatewayResponseError, {"model": "test/short-last"}),
        (errors.BadGatewayResponseError, {"model": "test/rst-mid-body"}),
    ],
)  # fmt: skip
def test_each_status_raises_its_class(client, error, members):
    with pytest.raises(error) as raised:
        client.embeddings.generate(**{"input": "a", "model": TAURUS, **members})
    data = raised.value.data
    assert data.error.code == raised.value.status_code and data.error.message == str(raised.value.message)


@pytest.mark.parametrize("key", ["sk-or-v1-wrong", None])
def test_a_wrong_key_and_none_raise_unauthorized(router, monkeypatch, key):
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    with OpenRouter(api_key=key, server_url=router.api) as client:
        with pytest.raises(errors.UnauthorizedResponseError):
            client.embeddings.generate(input="a", model=TAURUS)


def test_a_body_too_large_raises_its_class(start_router, fake):
    router = start_router(configuration(embedded=False, sections={"limits": {"body_bytes": "1KiB"}}))
    with OpenRouter(api_key=router.key, server_url=router.api) as client:
        with pytest.raises(errors.PayloadTooLargeResponseError):
            client.embeddings.generate(input="x" * 2000, model=TAURUS)


def test_a_key_that_already_says_bearer_works(router):
    with OpenRouter(api_key=f"Bearer {router.key}", server_url=router.api) as client:
        assert client.embeddings.generate(input="a", model="test/ok").data


def test_slow_work_keeps_its_client(start_router, start_fake):
    """The SDK reads for 5 s and then sends again, for up to an hour: it must be kept waiting instead."""
    fake = start_fake()
    models = [Model("test/slow", "delay-7s")]
    router = start_router(configuration(provider(fake.base_url), models=models, embedded=False))
    with OpenRouter(api_key=router.key, server_url=router.api) as client:
        [entry] = client.embeddings.generate(input="slow", model="test/slow").data
    assert same_bits(as_floats(entry.embedding), vector_of("slow"))
    assert len(fake.attempts()) == 1, "sent once"


class TestModels:
    def test_the_list_parses(self, client):
        page = client.embeddings.list_models()
        listed = {model.id: model for model in page.result.data}
        assert listed[TAURUS_ID].pricing.prompt == "0" and page.result.total_count == len(listed)

    def test_the_sdk_pages_to_the_end(self, tmp_path):
        models = [Model(f"test/m{i}", "x") for i in range(23)]
        router = Router(tmp_path, configuration(provider("http://127.0.0.1:9/v1"), models=models, embedded=False))
        try:
            with OpenRouter(api_key=router.key, server_url=router.api) as client:
                for limit in (5, 23, 500, None):
                    ids, pages = [], 0
                    page = client.embeddings.list_models(**({} if limit is None else {"limit": limit}))
                    while page is not None:
                        pages += 1
                        assert pages < 20, "it never ends"
                        ids += [model.id for model in page.result.data]
                        page = page.next()
                    assert sorted(ids) == sorted(m.id for m in models)
        finally:
            router.stop()
