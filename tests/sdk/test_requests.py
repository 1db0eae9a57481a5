"""The same calls through this SDK and the official one ask for the same: method, path, query, body, headers."""

import inspect

import pytest
from openrouter import operations

from sdk import official
from sdk.answers import OPERATIONS
from sdk.recorder import Answer

KEY = "sk-or-v1-" + "0" * 64
VECTOR = '{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5]}]}'
PROVIDER = {
    "order": ["openai", "google-vertex/us"], "only": ["openai"], "ignore": ["x"], "allow_fallbacks": False,
    "require_parameters": True, "data_collection": "deny", "zdr": True, "enforce_distillable_text": False,
    "quantizations": ["fp16", "int8"], "sort": "price", "max_price": {"prompt": "0.1", "completion": "2", "request": "1"},
    "preferred_min_throughput": 10.5, "preferred_max_latency": {"p50": 1.5, "p99": 3},
    "options": {"openai": {"a": [1, {"b": None}]}},
}  # fmt: skip

GENERATE = {
    "a text": {"input": "hi"},
    "an empty text": {"input": ""},
    "no texts": {"input": []},
    "unicode": {"input": 'ä "quoted" \\ \n\t \u0001 😀 \u2028'},
    "texts": {"input": ["a", "b", ""]},
    "token ids": {"input": [1, 2, 100_000]},
    "lists of token ids": {"input": [[1, 2], [3]]},
    "multimodal": {
        "input": [
            {"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
            {"content": [{"type": "input_audio", "input_audio": {"data": "data:audio/wav;base64,AA", "format": "wav"}}]},
            {"content": [{"type": "input_video", "input_video": {"data": "AA", "format": "mp4"}}]},
            {"content": [{"type": "input_file", "input_file": {"data": "AA"}}]},
        ]
    },
    "dimensions": {"input": "a", "dimensions": 256},
    "dimensions 0": {"input": "a", "dimensions": 0},
    "base64": {"input": "a", "encoding_format": "base64"},
    "an unknown format": {"input": "a", "encoding_format": "int8"},
    "input_type": {"input": "a", "input_type": "search_query"},
    "user": {"input": "a", "user": "u"},
    "session_id": {"input": "a", "session_id": "s"},
    "provider": {"input": "a", "provider": PROVIDER},
    "provider null": {"input": "a", "provider": None},
    "provider empty": {"input": "a", "provider": {}},
    "provider sorted by": {"input": "a", "provider": {"sort": {"by": "latency", "partition": "none"}}},
    "provider percentiles": {"input": "a", "provider": {"preferred_min_throughput": {"p75": 20, "p90": 5}}},
    "trace": {"input": "a", "trace": {"trace_id": "t", "span_name": "s", "mine": {"x": 1}}},
    "trace of all": {
        "input": "a",
        "trace": {"trace_id": "1", "trace_name": "2", "span_name": "3", "generation_name": "4", "parent_span_id": "5"},
    },
    "attribution": {
        "input": "a", "http_referer": "https://a.b", "x_open_router_title": "T", "x_open_router_categories": "c,d",
    },
    "headers": {"input": "a", "http_headers": {"X-Mine": "1", "Accept": "application/json", "authorization": "Basic x"}},
    "everything": {
        "input": ["a"], "dimensions": 8, "encoding_format": "float", "input_type": "q", "user": "u", "provider": PROVIDER,
        "session_id": "s", "trace": {"trace_id": "t"},
    },
}  # fmt: skip

RESOURCES = [
    ("embeddings.list_models", {}),
    ("embeddings.list_models", {"offset": 3, "limit": 7}),
    ("embeddings.list_models", {"offset": None, "limit": None}),
    ("models.list", {}),
    ("models.list", {
        "offset": 1, "limit": 2, "output_modalities": "embeddings", "input_modalities": "text", "sort": "newest", "q": "a b&c=d/ä",
        "supported_parameters": "x,y", "context": 8192, "min_price": 0.5, "max_price": 2.5, "providers": "openai",
        "model_authors": "a", "arch": "GPT", "zdr": "true", "distillable": "true", "category": "programming", "region": "eu",
        "min_output_price": 0.25, "max_output_price": 1e-7, "min_age_days": 3, "max_age_days": 400, "min_intelligence_index": 10.5,
        "max_intelligence_index": 20.5, "min_coding_index": 30.25, "max_coding_index": 40.125, "min_agentic_index": 50.5,
        "max_agentic_index": 60.75, "min_tool_success_rate": 0.7, "max_tool_success_rate": 0.95,
    }),
    ("models.count", {}),
    ("models.count", {"output_modalities": "all"}),
    ("models.list_for_user", {"bearer": "theirs"}),
    ("models.list_for_user", {"bearer": "theirs", "output_modalities": "all", "sort": "newest", "offset": 5, "limit": 6}),
    ("models.get", {"author": "openai", "slug": "text-embedding-3-small:free"}),
    ("endpoints.list", {"author": "openai", "slug": "text-embedding-3-small"}),
    ("endpoints.list_zdr_endpoints", {}),
    ("providers.list", {}),
    ("api_keys.get_current_key_metadata", {}),
    ("api_keys.list", {}),
    ("api_keys.list", {"offset": 4, "include_disabled": True, "include_expired": False, "workspace_id": "w"}),
    ("api_keys.create", {"name": "n"}),
    ("api_keys.create", {
        "name": "n", "limit": 1.5, "limit_reset": "monthly", "include_byok_in_limit": True, "creator_user_id": None,
        "workspace_id": "w", "external": {"user": "u", "api_key": "k"},
    }),
    ("api_keys.create", {"name": "n", "limit": None, "limit_reset": None, "expires_at": None, "creator_user_id": "c"}),
    ("api_keys.create", {"name": "n", "expires_at": "2027-01-02T03:04:05Z"}),
    ("api_keys.get", {"hash": "ab" * 32}),
    ("api_keys.update", {"hash": "ab" * 32, "name": "n", "disabled": True, "limit": None, "limit_reset": "daily"}),
    ("api_keys.update", {"hash": "ab" * 32, "include_byok_in_limit": False, "limit": 3, "workspace_id": "w"}),
    ("api_keys.delete", {"hash": "ab" * 32}),
    ("credits.get_credits", {}),
    ("generations.get_generation", {"id": "gen-emb-1 &"}),
    ("analytics.get_user_activity", {}),
    ("analytics.get_user_activity", {"date": "2026-11-01", "api_key_hash": "h", "user_id": "u", "group_by": "workspace"}),
    ("analytics.get_user_activity", {"group_by": "workspace", "workspace_id": "w"}),
    ("byok.list", {}),
    ("byok.list", {"offset": 1, "limit": 2, "workspace_id": "w", "provider": "openai"}),
    ("byok.create", {"provider": "openai", "key": "sk"}),
    ("byok.create", {
        "provider": "openai", "key": "sk", "name": "n", "disabled": True, "is_fallback": True, "is_byok_only": False,
        "is_required": True, "declared_region": None, "declared_zdr": True, "allowed_models": ["a/b"],
        "allowed_api_key_hashes": None, "allowed_user_ids": ["u"], "workspace_id": "w",
    }),
    ("byok.get", {"id": "i"}),
    ("byok.update", {"id": "i", "key": "sk", "name": None, "declared_zdr": None, "allowed_models": None}),
    ("byok.update", {
        "id": "i", "name": "n", "disabled": False, "is_fallback": False, "is_byok_only": True, "is_required": False,
        "declared_region": "us", "declared_zdr": False, "allowed_models": ["a/b", "c/d"], "allowed_api_key_hashes": ["ab" * 32],
        "allowed_user_ids": None,
    }),
    ("byok.delete", {"id": "i"}),
]  # fmt: skip


def both_ask(driver, recorder, name, client, args, headers=()):
    asked = []
    for made in (official.call, driver.call):
        recorder.will(Answer(404, '{"error":{"code":404,"message":"m"}}') if name != "embeddings.generate" else Answer(200, VECTOR))
        made(name, client, args)
        assert len(recorder.asked) == 1, (made, recorder.asked)
        asked.append(recorder.asked[0].same_as(headers))
    assert asked[0] == asked[1]
    return asked[0]


@pytest.mark.parametrize("case", GENERATE)
def test_generate(driver, recorder, case):
    args = {"model": "m", **GENERATE[case]}
    client = {"api_key": KEY, "server_url": recorder.url}
    asked = both_ask(driver, recorder, "embeddings.generate", client, args, tuple(n.lower() for n in args.get("http_headers", {})))
    assert asked[1] == "/api/v1/embeddings"


@pytest.mark.parametrize(("name", "args"), RESOURCES, ids=lambda value: value if isinstance(value, str) else "")
def test_resources(driver, recorder, name, args):
    both_ask(driver, recorder, name, {"api_key": KEY, "server_url": recorder.url}, args)


# Of every call, and tested as such; accept_header_override is for answers of events, which this SDK does not ask for.
OF_EVERY_CALL = {
    "http_referer", "x_open_router_title", "x_open_router_categories", "retries", "server_url", "timeout_ms", "http_headers",
    "accept_header_override",
}  # fmt: skip


def parameters_of(name) -> set[str]:
    """Of the official SDK's method, without those of every call."""
    if name == "analytics.get_user_activity":  # takes all of them in one
        fields = operations.GetUserActivityRequest.model_fields
        return {field.alias or name for name, field in fields.items() if name not in OF_EVERY_CALL}
    names = {"bearer" if name == "security" else name for name in inspect.signature(official.method(name)).parameters}
    return names - OF_EVERY_CALL


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_sent_by_some_test(name):
    generated = [("embeddings.generate", {"model": "m", **args}) for args in GENERATE.values()]
    sent = {parameter for tested, args in [*RESOURCES, *generated] if tested == name for parameter in args}
    assert sent - OF_EVERY_CALL == parameters_of(name)


@pytest.mark.parametrize(
    "client",
    [{}, {"api_key": "bearer lower"}, {"api_key": "Bearer Upper"}, {"api_key": "k", "http_referer": "r", "x_open_router_title": "t", "x_open_router_categories": "c"}],
)
def test_settings_of_the_client(driver, recorder, client, monkeypatch):
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    both_ask(driver, recorder, "embeddings.generate", {**client, "server_url": recorder.url}, {"input": "a", "model": "m"})


@pytest.mark.parametrize("slash", ["", "/"])
def test_server_url_of_a_call(driver, recorder, slash):
    args = {"input": "a", "model": "m", "server_url": recorder.url + slash}
    both_ask(driver, recorder, "embeddings.generate", {"api_key": "k", "server_url": "http://127.0.0.1:1"}, args)


def test_environment(start_driver, recorder, monkeypatch):
    variables = {
        "OPENROUTER_API_KEY": "from-env", "OPENROUTER_HTTP_REFERER": "r", "OPENROUTER_X_OPEN_ROUTER_TITLE": "t",
        "OPENROUTER_X_OPEN_ROUTER_CATEGORIES": "c",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    asked = both_ask(start_driver(**variables), recorder, "embeddings.generate", {"server_url": recorder.url}, {"input": "a", "model": "m"})
    assert asked[3]["authorization"] == "Bearer from-env" and asked[3]["x-openrouter-title"] == "t"
