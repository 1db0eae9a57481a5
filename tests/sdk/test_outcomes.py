"""The same answers through this SDK and the official one are the same outcome: value, class of error, fields."""

import copy
import json

import pytest

from sdk import official
from sdk.answers import OPERATIONS, answer_to, plain, spelled, value_of
from sdk.recorder import Answer

KEY = "sk-or-v1-" + "0" * 64
NEVER = {"enabled": False}

JSON = {"Content-Type": "application/json"}
ERROR = {"error": {"code": 7, "message": "wrong", "metadata": {"error_type": "x", "n": [1, None]}}, "user_id": "u",
         "openrouter_metadata": {"attempt": 1}}  # fmt: skip
SHAPES = {
    "typed": (json.dumps(ERROR), JSON),
    "least": ('{"error":{"code":1,"message":"m"}}', JSON),
    "nulls": ('{"error":{"code":1,"message":"m","metadata":null},"user_id":null,"openrouter_metadata":null}', JSON),
    "others": ('{"error":{"code":1,"message":"m","type":"t","availability":{"x":[]}},"more":1}', JSON),
    "twice": ('{"error":{"code":1,"message":"a","message":"b"}}', JSON),
    "code as text": ('{"error":{"code":"429","message":"m"}}', JSON),
    "code as float": ('{"error":{"code":429.0,"message":"m"}}', JSON),
    "half a code": ('{"error":{"code":1.5,"message":"m"}}', JSON),
    "code as words": ('{"error":{"code":"rate_limited","message":"m"}}', JSON),
    "code null": ('{"error":{"code":null,"message":"m"}}', JSON),
    "no code": ('{"error":{"message":"m"}}', JSON),
    "no message": ('{"error":{"code":1}}', JSON),
    "message null": ('{"error":{"code":1,"message":null}}', JSON),
    "message empty": ('{"error":{"code":1,"message":""}}', JSON),
    "message a number": ('{"error":{"code":1,"message":5}}', JSON),
    "metadata a text": ('{"error":{"code":1,"message":"m","metadata":"x"}}', JSON),
    "metadata a list": ('{"error":{"code":1,"message":"m","metadata":[]}}', JSON),
    "user_id a number": ('{"error":{"code":1,"message":"m"},"user_id":5}', JSON),
    "router metadata a text": ('{"error":{"code":1,"message":"m"},"openrouter_metadata":"x"}', JSON),
    "error a text": ('{"error":"bad"}', JSON),
    "error null": ('{"error":null}', JSON),
    "openai's code": ('{"error":{"message":"m","type":"t","param":null,"code":null}}', JSON),
    "a list": ("[]", JSON),
    "malformed": ('{"error":', JSON),
    "trailing": ('{"error":{"code":1,"message":"m"}} x', JSON),
    "empty": ("", JSON),
    "html": ("<html>502 Bad Gateway</html>", {"Content-Type": "text/html; charset=utf-8"}),
    "html as json": ("<html>", JSON),
    "plain": ("upstream connect error", {"Content-Type": "text/plain"}),
    "problem": ('{"error":{"code":1,"message":"m"}}', {"Content-Type": "application/problem+json"}),
    "no type": ('{"error":{"code":1,"message":"m"}}', {}),
    "charset": ('{"error":{"code":1,"message":"m"}}', {"Content-Type": "application/json; charset=utf-8"}),
    "upper case": ('{"error":{"code":1,"message":"m"}}', {"Content-Type": "Application/JSON"}),
    "odd type": ('{"error":{"code":1,"message":"m"}}', {"Content-Type": "json"}),
    "long": ("x" * 12_000, {"Content-Type": "text/plain"}),
}  # fmt: skip
STATUSES = [201, 202, 302, 400, 401, 402, 403, 404, 405, 408, 409, 413, 418, 422, 429, 499, 500, 501, 502, 503, 504, 524, 529, 599]


def outcome_of(driver, recorder, name, args, *answers):
    """Of both, and they agree: the official one's, plain, and what the driver says."""
    client = {"api_key": KEY, "server_url": recorder.url, "retry_config": NEVER}
    recorder.will(*answers)
    theirs = official.call(name, client, args)
    recorder.will(*answers)
    ours = driver.call(name, client, args)
    if isinstance(theirs, official.errors.OpenRouterError):
        assert "error" in ours, (str(theirs), ours)
        expected = official.fields(theirs)
        said = ours["error"]
        assert {key: said.get(key) for key in expected} == expected
        if type(theirs).__name__ not in ("ResponseValidationError", "OpenRouterDefaultError"):
            assert said["message"] == theirs.message
        if type(theirs).__name__ == "OpenRouterDefaultError":
            assert said["message"][:9_000] == theirs.message[:9_000]
    else:
        assert not isinstance(theirs, Exception), theirs
        assert "ok" in ours, (theirs, ours)
        assert spelled(plain(ours["ok"])) == value_of(theirs)
    return theirs, ours


@pytest.mark.parametrize("shape", SHAPES)
def test_errors_of_generate(driver, recorder, shape):
    body, headers = SHAPES[shape]
    for status in STATUSES:
        outcome_of(driver, recorder, "embeddings.generate", {"input": "a", "model": "m"}, Answer(status, body, headers))


RIGHT = answer_to("embeddings.generate")


@pytest.mark.parametrize("bits", range(4))
@pytest.mark.parametrize("name", OPERATIONS)
def test_all_members_are_read(driver, recorder, name, bits):
    """An answer with every member that the official SDK has a name for."""
    args, success = OPERATIONS[name]
    body = answer_to(name, bits)
    theirs, _ = outcome_of(driver, recorder, name, args, Answer(success, json.dumps(body)))
    assert not isinstance(theirs, Exception)


@pytest.mark.parametrize("name", OPERATIONS)
def test_statuses_of_resources(driver, recorder, name):
    args, success = OPERATIONS[name]
    body = answer_to(name)
    outcome_of(driver, recorder, name, args, Answer(success, json.dumps(body)))
    for status in STATUSES + [200]:
        if status != success or "delete" not in name:
            outcome_of(driver, recorder, name, args, Answer(status, json.dumps(ERROR)))
    outcome_of(driver, recorder, name, args, Answer(success, json.dumps(body), {"Content-Type": "text/html"}))


def paths_of(value, path=()):
    """Of every member inside."""
    if isinstance(value, dict):
        for key in value:
            yield (*path, key)
            yield from paths_of(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*path, 0))


def without(body, path):
    body = copy.deepcopy(body)
    at = body
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return body


def with_(body, path, value):
    body = copy.deepcopy(body)
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return body


# Where the two differ on purpose. The official SDK takes a 200 that does not say `deleted` for a deletion, and null for
# the name of a provider, region or scope; this one takes model endpoints without a tokenizer, as older servers list them.
TOLERATED = {
    ("api_keys.delete", ("deleted",)),
    ("endpoints.list", ("data", "endpoints", 0, "provider_name")),
    ("endpoints.list", ("data", "architecture", "tokenizer")),
    ("endpoints.list", ("data", "architecture", "instruct_type")),
    ("generations.get_generation", ("data", "data_region")),
    ("byok.list", ("data", 0, "provider")),
    ("api_keys.get_current_key_metadata", ("data", "budgets", 0, "scope")),
    ("api_keys.get_current_key_metadata", ("data", "effective_budget", "scope")),
}


@pytest.mark.parametrize("name", ["embeddings.generate", "models.list", "models.get", "endpoints.list", "providers.list",
                                  "api_keys.get_current_key_metadata", "api_keys.create", "api_keys.delete", "credits.get_credits",
                                  "generations.get_generation", "analytics.get_user_activity", "byok.list", "models.count"])  # fmt: skip
def test_members_of_answers(driver, recorder, name):
    """Each member missing, null, or of another type."""
    args, success = OPERATIONS[name]
    right = answer_to(name)
    faults = []
    for path in paths_of(right):
        if (name, path) in TOLERATED:
            continue
        for what, body in (("missing", without(right, path)), ("null", with_(right, path, None)), ("other", with_(right, path, [{}]))):
            try:
                outcome_of(driver, recorder, name, args, Answer(success, json.dumps(body)))
            except AssertionError as error:
                faults.append((path, what, str(error)[:300]))
    assert not faults, "\n".join(map(str, faults))


VECTORS = {
    "float": ("[0.25,-1]", [0.25, -1.0]),
    "base64": ('"AACAPgAAgL8="', [0.25, -1.0]),
    "exponents": ("[1e-7,2.5E+2]", [1e-7, 250.0]),
    "integers": ("[1,2]", [1.0, 2.0]),
}


@pytest.mark.parametrize("form", VECTORS)
def test_vectors(driver, recorder, form):
    text, values = VECTORS[form]
    body = json.dumps({**RIGHT, "data": []}).replace('"data": []', f'"data": [{{"object":"embedding","index":0,"embedding":{text}}}]')
    theirs, ours = outcome_of(driver, recorder, "embeddings.generate", {"input": "a", "model": "m"}, Answer(200, body))
    assert ours["matrix"]["values"] == pytest.approx(values, rel=1e-6)


@pytest.mark.parametrize(
    "embedding", ["[]", "[[1]]", "[1,null]", '["1","x"]', "null", "5", "true", '{"a":1}', "[1,", "[true,{}]", '"not base64!"', '""']
)
def test_vectors_that_are_none(driver, recorder, embedding):
    body = '{"object":"list","model":"m","data":[{"object":"embedding","embedding":' + embedding + "}]}"
    outcome_of(driver, recorder, "embeddings.generate", {"input": "a", "model": "m"}, Answer(200, body))


def test_costs_in_part_are_none(driver, recorder):
    for details in ({}, {"upstream_inference_cost": 1}, {"upstream_inference_prompt_cost": "x"}):
        body = with_(RIGHT, ("usage", "cost_details"), details)
        outcome_of(driver, recorder, "embeddings.generate", {"input": "a", "model": "m"}, Answer(200, json.dumps(body)))


def test_pages_end_where_the_official_sdk_ends_them(driver, recorder):
    model = answer_to("models.get")["data"]
    for count, limit in ((0, 3), (2, 3), (3, 3), (4, 3)):
        body = json.dumps({"data": [model] * count, "total_count": 9, "links": {"next": None}})
        theirs, ours = outcome_of(
            driver, recorder, "embeddings.list_models", {"offset": 0, "limit": limit}, Answer(200, body),
            Answer(200, '{"data":[],"total_count":9,"links":{"next":null}}'),
        )  # fmt: skip
        assert ours["next"] == (theirs.next() is not None), (count, limit)
