"""The OpenAPI document: it holds what the router answers, and what schemathesis makes of it is answered as it says."""

import copy
import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance, negative_data_rejection, response_headers_conformance, response_schema_conformance,
    status_code_conformance, unsupported_method,
)  # fmt: skip

from support.program import REPOSITORY, run
from support.router import TAURUS

load_all_checks()
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection, unsupported_method,
]  # fmt: skip
# The same requests in every run.
BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def document(router) -> dict:
    answer = router.request("GET", "/api/v1/openapi.json", headers={"Authorization": None})
    assert answer.status == 200 and answer.headers.get_content_type() == "application/json"
    return answer.json


COMPILED_IN = json.loads((REPOSITORY / "src/api/openapi.json").read_text())


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def prefix_of(document: dict, path: str) -> str:
    return document["paths"][path].get("servers", document["servers"])[0]["url"].rstrip("/")


def concrete(path: str) -> str:
    return re.sub(r"\{\w+\}", "a", path)


def test_the_document_is_openapi_3_1_of_this_version(document):
    assert document == COMPILED_IN and document["openapi"].startswith("3.1.")
    assert run("--version").stdout.split()[-1] == document["info"]["version"]


def test_every_path_of_the_document_takes_its_methods_and_no_others(document, router):
    for path, item in document["paths"].items():
        documented = {method.upper() for method in item if method in METHODS}
        offered = documented | {"OPTIONS"} | ({"HEAD"} if "GET" in documented else set())
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
            answer = router.request(method, prefix_of(document, path) + concrete(path))
            assert answer.status == 405, (method, path, answer.body)
            assert set(answer.headers["Allow"].split(", ")) == offered, path


def test_both_servers_of_the_document_answer(document, router):
    assert [server["url"] for server in document["servers"]] == ["/api/v1", "/v1"]
    for server in document["servers"]:
        assert router.request("GET", f"{server['url']}/providers").status == 200


def test_operations_that_need_a_key_say_so(document, router):
    for path, method, operation in operations(document):
        answer = router.request(
            method.upper(), prefix_of(document, path) + concrete(path), headers={"Authorization": None}
        )
        assert (answer.status == 401) == (operation["security"] == [{"key": []}]), path


def test_references_lead_somewhere_and_no_schema_is_unused(document):
    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    used = set(references(document))
    known = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]
    }
    assert used == known


def breakable(operation: dict) -> bool:
    """Whether a request can break a rule of the document; any path of that form keeps them all."""
    return "requestBody" in operation or any(p["in"] == "query" for p in operation.get("parameters", []))


CASES = [
    pytest.param(path, method, mode, id=f"{method.upper()} {path} {mode.value}")
    for path, method, operation in operations(COMPILED_IN)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or breakable(operation)
]


def without_security(document: dict) -> dict:
    """Keys have a test of their own; here every request has a good one."""
    document = copy.deepcopy(document)
    for _, _, operation in operations(document):
        del operation["security"]
    return document


@pytest.mark.parametrize("path,method,mode", CASES)
def test_what_is_generated_is_answered_as_documented(path, method, mode, router):
    """Requests that fit the document, and requests that break one of its rules."""
    described = schemathesis.openapi.from_dict(without_security(COMPILED_IN))[path][method]
    base = router.url + prefix_of(COMPILED_IN, path)
    answered = set()

    @BOUNDED
    @given(case=described.as_strategy(generation_mode=mode))
    def check(case):
        if path in ("/embeddings", "/embeddings/explain") and mode is GenerationMode.POSITIVE:
            case.body["model"] = TAURUS  # a name made up leads to a 404 and no further
        response = case.call_and_validate(base_url=base, headers=router.authorization, checks=CHECKS)
        answered.add(response.status_code)

    check()
    if mode is GenerationMode.POSITIVE and "{" not in path:
        assert 200 in answered
