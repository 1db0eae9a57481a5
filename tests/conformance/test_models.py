"""GET /embeddings/models: shape, paging, refusals."""

import pytest

from support.router import TAURUS_ID, TAURUS_TOKENS, Model, Router, configuration, provider
from support.wire import assert_envelope

REQUIRED = {
    "id", "canonical_slug", "name", "created", "context_length", "architecture", "pricing", "top_provider",
    "per_request_limits", "supported_parameters", "default_parameters", "supported_voices", "links",
}  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A router with 25 models and no embedded one. Nothing listens at its provider."""
    models = [
        Model(f"test/model-{i}", "x", members={"created": 1_700_000_000 + i}, endpoint={"pricing.prompt": "0.00000002"})
        for i in range(25)
    ]
    config = configuration(provider("http://127.0.0.1:9/v1"), models=models, embedded=False)
    router = Router(tmp_path_factory.mktemp("many"), config)
    yield router
    router.stop()


def listed(router, query="") -> dict:
    answer = router.request("GET", f"/api/v1/embeddings/models{query}")
    assert answer.status == 200, answer.body
    return answer.json


def test_each_entry_has_what_the_clients_require(many, router):
    for entry in listed(many)["data"] + listed(router)["data"]:
        assert REQUIRED <= entry.keys()
        assert type(entry["created"]) is int
        assert entry["architecture"]["output_modalities"] == ["embeddings"]
        assert entry["architecture"]["input_modalities"] == ["text"]
        assert all(isinstance(price, str) for price in entry["pricing"].values())
        assert type(entry["top_provider"]["is_moderated"]) is bool
        assert isinstance(entry["links"]["details"], str)
        assert None not in (entry.get("description", ""), entry["architecture"].get("tokenizer", ""))


def test_prices_are_the_configured_strings(many):
    assert {entry["pricing"]["prompt"] for entry in listed(many)["data"]} == {"0.00000002"}


def test_the_embedded_model_is_listed(router):
    [entry] = [entry for entry in listed(router)["data"] if entry["id"] == TAURUS_ID]
    assert entry["context_length"] == TAURUS_TOKENS and entry["pricing"]["prompt"] == "0"


def test_everything_comes_in_one_answer_newest_first(many):
    body = listed(many)
    assert body["total_count"] == 25 and body["links"]["next"] is None
    assert [entry["id"] for entry in body["data"]] == [f"test/model-{i}" for i in reversed(range(25))]


def test_pages_follow_their_links_to_the_end(many):
    path, ids = "/api/v1/embeddings/models?limit=10", []
    for _ in range(10):
        body = many.request("GET", path).json
        assert body["total_count"] == 25
        ids += [entry["id"] for entry in body["data"]]
        path = body["links"]["next"]
        if path is None:
            break
    assert ids == [f"test/model-{i}" for i in reversed(range(25))]


PAGES = {
    "?offset=0&limit=500": 25,
    "?offset=20": 5,
    "?offset=25": 0,
    "?offset=999": 0,
    "?limit=1": 1,
    "?offset=24&limit=1": 1,
}


@pytest.mark.parametrize("query,count", PAGES.items())
def test_offset_and_limit_choose_the_page(many, query, count):
    assert len(listed(many, query)["data"]) == count


@pytest.mark.parametrize(
    "query,param",
    [("?offset=-1", "offset"), ("?offset=x", "offset"), ("?limit=0", "limit"), ("?limit=1001", "limit"),
     ("?limit=1.5", "limit"), ("?limit=", "limit"), ("?offset=99999999999999999999", "offset")],
)  # fmt: skip
def test_a_page_out_of_range_is_refused_by_name(many, query, param):
    answer = many.request("GET", f"/api/v1/embeddings/models{query}")
    assert answer.status == 400 and answer.error["metadata"]["param"] == param
    assert_envelope(answer)


def test_no_key_is_needed_and_v1_is_the_same(many):
    for prefix in ("/api/v1", "/v1"):
        answer = many.request("GET", f"{prefix}/embeddings/models", headers={"Authorization": None})
        assert answer.status == 200 and answer.json["total_count"] == 25
