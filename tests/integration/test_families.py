"""Another model than the default in the router: its prompts, its widths, what it refuses."""

import math
from pathlib import Path

import pytest

from support.router import configuration
from support.vectors import cosine
from support.wire import assert_envelope

FAMILIES = Path(__file__).resolve().parents[1] / "golden/families"


def serving(start_router, family: str, **more):
    section = {"enabled": True, "precision": "fp32", "model_dir": str(FAMILIES / family), "id": f"test/{family}", **more}
    return start_router(configuration(sections={"embedded": section}))


def vector(answer) -> list[float]:
    assert answer.status == 200, answer.body
    return answer.json["data"][0]["embedding"]


@pytest.mark.parametrize("family", ["bert", "mpnet", "roberta", "xlm-roberta"])
def test_a_model_of_another_family_answers_under_its_id(start_router, family):
    router = serving(start_router, family)
    answer = router.embed("Some text to embed.", model=f"test/{family}")
    assert abs(math.hypot(*vector(answer)) - 1) < 1e-3
    assert answer.json["model"] == f"test/{family}"
    assert answer.headers["X-Embedrouter-Space"].startswith(f"test/{family}#fp32-")


def test_a_model_without_unit_length_passes_the_gate(start_router):
    router = serving(start_router, "distilbert")
    found = vector(router.embed("Some text to embed.", model="test/distilbert"))
    assert len(found) == 40 and abs(math.hypot(*found) - 1) > 0.1


def test_input_type_chooses_the_prompt(start_router):
    router = serving(start_router, "xlm-roberta")

    def embed(text, **more):
        return vector(router.embed(text, model="test/xlm-roberta", **more))

    assert cosine(embed("a text", input_type="search_query"), embed("query: a text")) > 0.99999
    assert cosine(embed("a text", input_type="passage"), embed("passage: a text")) > 0.99999
    assert cosine(embed("a text", input_type="query"), embed("a text")) < 0.9999
    refused = router.embed("a text", model="test/xlm-roberta", input_type="clustering")
    assert refused.status == 400
    assert_envelope(refused)
    assert refused.json["error"]["metadata"]["param"] == "input_type"


def test_a_width_of_the_model_s_list_is_honoured_and_others_are_refused(start_router):
    router = serving(start_router, "mpnet", matryoshka=[16, 32])
    whole = vector(router.embed("a text", model="test/mpnet"))
    cut = vector(router.embed("a text", model="test/mpnet", dimensions=16))
    length = math.hypot(*whole[:16])
    assert len(cut) == 16 and all(abs(c - w / length) < 1e-5 for c, w in zip(cut, whole))
    assert router.embed("a text", model="test/mpnet", dimensions=17).status == 400
