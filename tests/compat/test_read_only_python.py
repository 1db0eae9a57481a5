"""The read-only API through openrouter and openai for Python, whose own validation reads every answer."""

import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

from support.router import TAURUS_ID, TAURUS_TOKENS

NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
AUTHOR, SLUG = TAURUS_ID.split("/")


@pytest.fixture
def client(router):
    with OpenRouter(api_key=router.key, server_url=router.api, retry_config=NO_RETRIES) as client:
        yield client


@pytest.fixture(scope="module")
def all_ids(router):
    return sorted(entry["id"] for entry in router.request("GET", "/v1/models").json["data"])


def pages(page) -> list[str]:
    ids = []
    while page is not None:
        ids += [model.id for model in page.result.data]
        page = page.next()
        assert len(ids) < 1000, "it never ends"
    return sorted(ids)


@pytest.mark.parametrize("limit", [7, 500])
def test_models_page_to_the_end(client, router, all_ids, limit):
    assert pages(client.models.list(output_modalities="all", limit=limit)) == all_ids
    user = {"bearer": router.key}
    assert pages(client.models.list_for_user(security=user, output_modalities="embeddings", limit=limit)) == all_ids


def test_every_filter_of_the_sdk_that_can_be_applied_is(client):
    page = client.models.list(
        output_modalities="all", input_modalities="text", supported_parameters="encoding_format", sort="newest",
        q="minilm", context=100, min_price=0, max_price=1, arch="BERT", model_authors=AUTHOR, providers="local",
        zdr="true", distillable="false", min_output_price=0, max_output_price=1, min_age_days=1, max_age_days=100_000,
    )  # fmt: skip
    assert [model.id for model in page.result.data] == [TAURUS_ID]


def test_a_filter_that_cannot_be_applied_raises_its_class(client):
    with pytest.raises(errors.BadRequestResponseError) as raised:
        client.models.list(category="programming")
    assert "category" in str(raised.value)


def test_the_default_and_the_count(client, all_ids):
    assert client.models.list().result.data == []
    assert client.models.count(output_modalities="all").data.count == len(all_ids)
    assert client.models.count().data.count == 0


def test_one_model(client):
    assert client.models.get(author=AUTHOR, slug=SLUG).data.context_length == TAURUS_TOKENS
    with pytest.raises(errors.NotFoundResponseError):
        client.models.get(author="no", slug="model")


def test_endpoints(client, router):
    assert router.embed("measured").status == 200
    data = client.endpoints.list(author=AUTHOR, slug=SLUG).data
    [endpoint] = data.endpoints
    assert data.id == TAURUS_ID and endpoint.tag == "local" and endpoint.latency_last_30m.p50 > 0
    assert [endpoint.model_id for endpoint in client.endpoints.list_zdr_endpoints().data] == [TAURUS_ID]
    with pytest.raises(errors.NotFoundResponseError):
        client.endpoints.list(author="no", slug="model")


def test_providers(client):
    assert [(entry.slug, entry.privacy_policy_url) for entry in client.providers.list().data] == [
        ("local", None), ("fake", None)
    ]  # fmt: skip


def test_the_current_key(client, router):
    data = client.api_keys.get_current_key_metadata().data
    assert data.label.startswith("sk-or-v1-") and data.usage >= 0 and not data.is_management_key
    management = router.create_seen_key("--management")
    with OpenRouter(api_key=management, server_url=router.api) as manager:
        assert manager.api_keys.get_current_key_metadata().data.is_management_key
    with OpenRouter(api_key="sk-or-v1-wrong", server_url=router.api) as stranger:
        with pytest.raises(errors.UnauthorizedResponseError):
            stranger.api_keys.get_current_key_metadata()


def test_metadata_and_availability_reach_the_caller(client):
    with pytest.raises(errors.NotFoundResponseError) as raised:
        client.embeddings.generate(input="a", model="no/model", http_headers={"X-OpenRouter-Metadata": "enabled"})
    assert raised.value.data.openrouter_metadata["requested"] == "no/model"


async def test_async_is_the_same(router, all_ids):
    async with OpenRouter(api_key=router.key, server_url=router.api, retry_config=NO_RETRIES) as client:
        page = await client.models.list_async(output_modalities="all")
        assert sorted(model.id for model in page.result.data) == all_ids
        assert (await client.models.get_async(author=AUTHOR, slug=SLUG)).data.id == TAURUS_ID
        assert (await client.endpoints.list_async(author=AUTHOR, slug=SLUG)).data.endpoints
        assert (await client.providers.list_async()).data
        assert (await client.api_keys.get_current_key_metadata_async()).data.label
    async with AsyncOpenAI(api_key=router.key, base_url=router.api) as openai:
        assert sorted([model.id async for model in openai.models.list()]) == all_ids


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1", "/v1/"])
def test_openai_lists_and_finds_the_models(router, all_ids, prefix):
    with OpenAI(api_key=router.key, base_url=router.url + prefix) as client:
        models = list(client.models.list())
        assert sorted(model.id for model in models) == all_ids
        assert all(model.object == "model" and model.owned_by and model.created is not None for model in models)
        assert client.models.retrieve(TAURUS_ID).id == client.models.retrieve("Taurus").id == TAURUS_ID
        with pytest.raises(NotFoundError):
            client.models.retrieve("no/model")
