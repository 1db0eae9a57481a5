"""openai and @openrouter/sdk for JavaScript, run by Node on the locked packages."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import require
from support.router import TAURUS_ID, TAURUS_WIDTH
from support.vectors import as_floats, cosine, same_bits, vector_of

HERE = Path(__file__).parent
TEXTS = ["one text", "another text", "🍕"]


def run_script(name: str, package: str, router) -> dict:
    require(HERE / "node_modules" / package, "scripts/install-clients puts it there")
    node = shutil.which("node")
    assert node, "node is missing: scripts/install-packages installs it"
    done = subprocess.run(
        [node, name], cwd=HERE, capture_output=True, text=True, timeout=120,
        env={**os.environ, "ROUTER_KEY": router.key, "ROUTER_URL": router.api, "TEXTS": json.dumps(TEXTS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def openai(router):
    return run_script("openai.mjs", "openai", router)


@pytest.fixture(scope="module")
def openrouter(router):
    return run_script("openrouter.mjs", "@openrouter/sdk", router)


@pytest.fixture(params=["openai", "openrouter"])
def seen(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_are_right_in_both_encodings(seen, encoding):
    for text, embedding in zip(TEXTS, seen[encoding], strict=True):
        assert same_bits(as_floats(embedding), vector_of(text))
    assert seen["indices"] == [0, 1, 2] and seen["usage"] > 0


def test_the_embedded_model_answers(seen, router):
    assert seen["taurusModel"] == TAURUS_ID
    direct = router.embed(TEXTS).json["data"]
    for embedding, entry in zip(seen["taurus"], direct, strict=True):
        assert len(embedding) == TAURUS_WIDTH
        assert cosine(as_floats(embedding), as_floats(entry["embedding"])) > 0.9999


def test_openai_raises_its_classes(openai):
    assert openai["errors"] == {
        "empty": "BadRequestError 400",
        "tokens": "BadRequestError 400",
        "model": "NotFoundError 404",
        "upstream": "InternalServerError 502",
    }


def test_openrouter_raises_its_classes(openrouter):
    assert openrouter["errors"] == {
        "empty": "BadRequestResponseError 400",
        "tokens": "BadRequestResponseError 400",
        "model": "NotFoundResponseError 404",
        "upstream": "BadGatewayResponseError 502",
    }


def test_openrouter_takes_content_parts(openrouter):
    assert len(openrouter["parts"]) == 1 and same_bits(as_floats(openrouter["parts"][0]), vector_of(TEXTS[0]))


def test_openrouter_pages_to_the_end(openrouter, router):
    listed = router.request("GET", "/api/v1/embeddings/models").json["data"]
    assert sorted(openrouter["ids"]) == sorted(model["id"] for model in listed)
    assert openrouter["id"].startswith("gen-")
