"""The read-only API through @openrouter/sdk and openai for JavaScript, whose own validation reads every answer."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import require
from support.router import TAURUS_ID, TAURUS_TOKENS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def seen(router):
    require(HERE / "node_modules/@openrouter/sdk", "scripts/install-clients puts it there")
    node = shutil.which("node")
    assert node, "node is missing: scripts/install-packages installs it"
    management = router.create_seen_key("--management")
    assert router.embed("measured").status == 200
    done = subprocess.run(
        [node, "read_only.mjs"], cwd=HERE, capture_output=True, text=True, timeout=120,
        env={**os.environ, "ROUTER_KEY": router.key, "ROUTER_URL": router.api, "MODEL": TAURUS_ID, "MANAGEMENT_KEY": management},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def all_ids(router):
    return sorted(entry["id"] for entry in router.request("GET", "/v1/models").json["data"])


def test_the_lists_parse_and_page_to_the_end(seen, all_ids):
    assert sorted(seen["ids"]) == sorted(seen["mine"]) == all_ids and seen["count"] == len(all_ids)
    assert seen["textOnly"] == 0


def test_one_model_and_its_endpoints_parse(seen):
    assert seen["model"]["id"] == seen["endpoints"]["id"] == TAURUS_ID
    [endpoint] = seen["endpoints"]["endpoints"]
    assert endpoint["tag"] == "local" and endpoint["contextLength"] == TAURUS_TOKENS
    assert endpoint["latencyLast30m"]["p50"] > 0 and endpoint["throughputLast30m"]["p99"] > 0
    assert [endpoint["modelId"] for endpoint in seen["zdr"]] == [TAURUS_ID]


def test_providers_and_keys_parse(seen):
    assert [entry["slug"] for entry in seen["providers"]] == ["local", "fake"]
    assert seen["key"]["label"].startswith("sk-or-v1-") and seen["key"]["isManagementKey"] is False
    assert seen["managementKey"]["isManagementKey"] is True


def test_openai_lists_and_finds_the_models(seen, all_ids):
    assert sorted(seen["openaiIds"]) == all_ids
    assert seen["openaiModel"]["id"] == TAURUS_ID and seen["openaiModel"]["object"] == "model"


def test_failures_are_their_classes(seen):
    assert seen["errors"] == {
        "model": "NotFoundResponseError 404",
        "endpoints": "NotFoundResponseError 404",
        "query": "BadRequestResponseError 400",
        "key": "UnauthorizedResponseError 401",
        "openai": "NotFoundError 404",
    }
