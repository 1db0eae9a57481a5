"""The lists beside /embeddings/models: models chosen and sorted, endpoints with what was measured, providers, the key."""

import pytest

from support.router import TAURUS_ID, Model, Router, configuration, model_of, provider
from support.wire import assert_envelope, eventually

PRICE = "0.00000002"
DAY = 86_400


@pytest.fixture(scope="module")
def varied(tmp_path_factory, fake):
    """Models that differ in everything that can be asked for, and the embedded one."""
    models = [
        Model("openai/small", "ok", "keeps", members={"name": "Small One", "created": 1_700_000_000, "matryoshka": [16],
                                                      "aliases": ["tiny"], "tokenizer": "GPT"},
              endpoint={"pricing.prompt": PRICE}),
        Model("cohere/v3", "ok", "forgets", members={"created": 1_600_000_000, "context_length": 512},
              endpoint={"pricing.prompt": "0.0000001"}),
        model_of("status-500"), model_of("status-429"),
    ]  # fmt: skip
    config = configuration(
        provider(fake.base_url, name="Fake AI"), provider(fake.base_url, "keeps", privacy_policy_url="https://keeps.example/privacy"),
        provider(fake.base_url, "forgets", **{"policy.zdr": True, "policy.training": False}), models=models,
    )  # fmt: skip
    router = Router(tmp_path_factory.mktemp("varied"), config)
    yield router
    router.stop()


def get(router, path: str, **headers):
    """Header names come with underscores."""
    answer = router.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.headers.get_content_type() == "application/json", answer.headers
    return answer


def ids(router, query: str) -> list[str]:
    answer = get(router, f"/api/v1/models{query}")
    assert answer.status == 200, answer.body
    return [entry["id"] for entry in answer.json["data"]]


def endpoint_of(router, model: str, **headers) -> dict:
    [endpoint] = get(router, f"/api/v1/models/{model}/endpoints", **headers).json["data"]["endpoints"]
    return endpoint


class TestModels:
    def test_openrouters_default_is_text_which_no_model_here_makes(self, varied):
        body = get(varied, "/api/v1/models").json
        assert body["data"] == [] and body["total_count"] == 0 and body["links"] == {"next": None}
        assert get(varied, "/api/v1/models/count").json == {"data": {"count": 0}}

    def test_openais_path_and_openais_clients_get_everything(self, varied):
        everything = set(ids(varied, "?output_modalities=all"))
        assert len(everything) == 5 and TAURUS_ID in everything
        for body in (get(varied, "/v1/models").json, get(varied, "/api/v1/models", X_Stainless_Lang="python").json):
            assert body["object"] == "list" and {entry["id"] for entry in body["data"]} == everything
            assert all(entry["object"] == "model" and entry["owned_by"] for entry in body["data"])

    @pytest.mark.parametrize(
        "query,expected",
        [
            ("output_modalities=embeddings&model_authors=openai,cohere", ["openai/small", "cohere/v3"]),
            ("output_modalities=text,image", []),
            ("output_modalities=all&q=SMALL+one", ["openai/small"]),
            ("output_modalities=all&supported_parameters=dimensions", ["openai/small"]),
            ("output_modalities=all&input_modalities=image", []),
            ("output_modalities=all&providers=forgets", ["cohere/v3"]),
            ("output_modalities=all&arch=gpt", ["openai/small"]),
            ("output_modalities=all&zdr=true&sort=newest", [TAURUS_ID, "cohere/v3"]),
            ("output_modalities=all&model_authors=openai,cohere&sort=pricing-high-to-low", ["cohere/v3", "openai/small"]),
            ("output_modalities=all&model_authors=openai,cohere&sort=context-high-to-low", ["openai/small", "cohere/v3"]),
            ("output_modalities=all&min_price=0.05", ["cohere/v3"]),
            ("output_modalities=all&max_price=0.02&model_authors=openai,cohere", ["openai/small"]),
            ("output_modalities=all&context=600&model_authors=openai,cohere", ["openai/small"]),
            ("output_modalities=all&colour=red&model_authors=cohere", ["cohere/v3"]),
        ],
    )  # fmt: skip
    def test_each_parameter_is_applied(self, varied, query, expected):
        assert ids(varied, f"?{query}") == expected
        count = get(varied, f"/api/v1/models/count?{query}").json["data"]["count"]
        assert count == len(expected)
        assert get(varied, f"/api/v1/models/user?{query}").json["total_count"] == count

    @pytest.mark.parametrize(
        "param,value",
        [("category", "programming"), ("region", "eu"), ("sort", "most-popular"), ("sort", "alphabet"), ("zdr", "yes"),
         ("context", "x"), ("max_price", "-1"), ("offset", "-1"), ("limit", "1001"), ("min_coding_index", "1")],
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/models", "/models/count", "/models/user"])
    def test_what_cannot_be_applied_is_a_400_that_names_it(self, varied, path, param, value):
        answer = get(varied, f"/api/v1{path}?{param}={value}")
        assert answer.status == 400 and answer.error["metadata"]["param"] == param
        assert_envelope(answer)

    def test_pages_keep_the_filter(self, varied):
        seen, path = [], "/api/v1/models?output_modalities=all&q=test%2F&limit=1"
        while path:
            body = get(varied, path).json
            assert body["total_count"] == 2
            seen += [entry["id"] for entry in body["data"]]
            path = body["links"]["next"]
        assert sorted(seen) == ["test/status-429", "test/status-500"]

    def test_one_model_by_id_alias_and_suffix(self, varied):
        listed = get(varied, "/v1/models?q=small").json["data"][0]
        for path in ("openai/small", "OpenAI/Small", "openai/small:floor"):
            assert get(varied, f"/api/v1/model/{path}").json == {"data": listed}
        for path in ("openai%2Fsmall", "tiny"):
            assert get(varied, f"/v1/models/{path}").json == listed

    @pytest.mark.parametrize("path", ["/model/no/model", "/models/no/model/endpoints", "/models/absent"])
    def test_an_unknown_model_is_a_404_that_says_so(self, varied, path):
        answer = get(varied, f"/api/v1{path}")
        assert answer.status == 404 and answer.code == "model_not_found"
        assert_envelope(answer)

    def test_the_users_list_needs_a_key(self, varied):
        assert get(varied, "/api/v1/models/user", Authorization=None).status == 401
        assert get(varied, "/api/v1/models/user", Authorization="Bearer sk-or-v1-bad").status == 401


class TestEndpoints:
    def test_nothing_measured_is_null_and_never_a_number(self, varied):
        endpoint = endpoint_of(varied, "cohere/v3")
        assert endpoint["tag"] == "forgets" and endpoint["pricing"]["prompt"] == "0.0000001"
        for member in ("uptime_last_5m", "uptime_last_30m", "uptime_last_1d", "latency_last_30m", "throughput_last_30m"):
            assert endpoint[member] is None, member

    def test_latency_and_throughput_are_measured_and_latency_is_for_keys_alone(self, varied):
        for _ in range(3):
            assert varied.embed(["a text"] * 4, model="openai/small").status == 200
        known = endpoint_of(varied, "openai/small")
        latency, throughput = known["latency_last_30m"], known["throughput_last_30m"]
        assert 0 < latency["p50"] <= latency["p75"] <= latency["p90"] <= latency["p99"] < 60_000
        assert throughput["p50"] >= throughput["p75"] >= throughput["p90"] >= throughput["p99"] > 0
        assert known["perf_last_30m_by_workload"]["embeddings"]["request_count"] == 3
        for authorization in (None, "Bearer sk-or-v1-bad"):
            anonymous = endpoint_of(varied, "openai/small", Authorization=authorization)
            assert anonymous["latency_last_30m"] is None and "perf_last_30m_by_workload" not in anonymous
            assert anonymous["throughput_last_30m"] == throughput

    def test_uptime_counts_failures_and_leaves_rate_limits_out(self, varied):
        def busy():
            # Ten attempts of one minute; a failed request makes two.
            for _ in range(10):
                varied.embed("a", model="test/status-500")
                varied.embed("a", model="test/status-429")
            return endpoint_of(varied, "test/status-500")["uptime_last_5m"] is not None

        eventually(busy, 90, "ten attempts within one minute")
        failing = endpoint_of(varied, "test/status-500")
        assert failing["uptime_last_5m"] == failing["uptime_last_1d"] == 0 and failing["latency_last_30m"] is None
        assert endpoint_of(varied, "test/status-429")["uptime_last_5m"] is None

    def test_all_threads_measure_the_same_endpoint(self, start_router, fake):
        sections = {"server": {"threads": 3}}
        router = start_router(
            configuration(provider(fake.base_url), models=[model_of("ok")], embedded=False, sections=sections)
        )
        for _ in range(12):
            assert router.embed("a", model="test/ok").status == 200
        counted = {endpoint_of(router, "test/ok")["perf_last_30m_by_workload"]["embeddings"]["request_count"] for _ in range(6)}
        assert counted == {12}

    def test_the_zdr_list_holds_endpoints_that_keep_nothing(self, varied):
        data = get(varied, "/api/v1/endpoints/zdr").json["data"]
        assert sorted(endpoint["model_id"] for endpoint in data) == ["cohere/v3", TAURUS_ID]


def test_providers_are_those_configured_and_the_router_itself(varied):
    data = get(varied, "/api/v1/providers").json["data"]
    assert [(entry["slug"], entry["name"]) for entry in data] == [
        ("local", "Local"), ("fake", "Fake AI"), ("keeps", "keeps"), ("forgets", "forgets")
    ]  # fmt: skip
    assert [entry["privacy_policy_url"] for entry in data] == [None, None, "https://keeps.example/privacy", None]


class TestKey:
    def test_usage_is_what_the_answers_said_they_cost(self, varied):
        fresh = varied.create_key("--name", "spender")["key"]
        mine = {"Authorization": f"Bearer {fresh}"}
        eventually(lambda: get(varied, "/api/v1/key", **mine).status == 200, 5, "the key is known")
        assert get(varied, "/api/v1/key", **mine).json["data"]["usage"] == 0
        cost = sum(varied.embed(["some text", "more"], model="openai/small", headers=mine).json["usage"]["cost"] for _ in range(3))
        data = get(varied, "/api/v1/key", **mine).json["data"]
        assert cost > 0 and data["usage"] == pytest.approx(cost, rel=1e-9)
        assert data["usage_daily"] <= data["usage_weekly"] <= data["usage"]
        assert data["limit"] is None and data["is_management_key"] is False
        assert data["label"].startswith("sk-or-v1-") and fresh not in str(data)

    def test_management_keys_see_themselves(self, varied):
        manager = {"Authorization": f"Bearer {varied.create_key('--management')['key']}"}
        eventually(lambda: get(varied, "/api/v1/key", **manager).status == 200, 5, "the key is known")
        assert get(varied, "/api/v1/key", **manager).json["data"]["is_management_key"] is True
        assert get(varied, "/api/v1/models/user", **manager).status == 200

    def test_a_key_is_needed(self, varied):
        answer = get(varied, "/api/v1/key", Authorization=None)
        assert answer.status == 401
        assert_envelope(answer)

    def test_without_keys_everybody_sees_what_all_spent(self, start_router, fake):
        sections = {"server": {"auth": "none"}}
        model = Model("test/ok", "ok", endpoint={"pricing.prompt": PRICE})
        router = start_router(
            configuration(provider(fake.base_url), models=[model], embedded=False, sections=sections), key=False
        )
        cost = router.embed("a text", model="test/ok").json["usage"]["cost"]
        assert get(router, "/api/v1/key").json["data"]["usage"] == pytest.approx(cost, rel=1e-9) and cost > 0
        assert endpoint_of(router, "test/ok")["latency_last_30m"]["p50"] > 0


PATHS = [
    "/models", "/models/count", "/models/user", "/model/openai/small", "/models/openai/small/endpoints", "/models/tiny",
    "/endpoints/zdr", "/providers", "/key", "/openapi.json", "/embeddings/models",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
def test_head_works_wherever_get_does(varied, prefix, path):
    get_answer, head = (varied.request(method, prefix + path) for method in ("GET", "HEAD"))
    assert get_answer.status == head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == str(len(get_answer.body))
    wrong = varied.request("DELETE", prefix + path)
    assert wrong.status == 405 and wrong.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "path", ["/credits", "/keys", "/keys/x", "/generation?id=gen-1", "/activity", "/byok", "/workspaces", "/models/a/b",
             "/model", "/model/a", "/model/a/b/c", "/models/a/b/endpoints/c", "/models/", "/chat/completions"],
)  # fmt: skip
def test_what_is_not_built_is_a_404_in_the_envelope(varied, path):
    answer = get(varied, f"/api/v1{path}")
    assert answer.status == 404 and answer.code == "not_found"
    assert_envelope(answer)
