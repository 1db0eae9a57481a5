"""What each client can ask for, through the client."""

import pytest

from support.router import TAURUS, TAURUS_WIDTH
from support.vectors import as_floats, cosine, same_bits, vector_of

TEXTS = ["one text", "another text", "🍕"]


def assert_vectors_of(result: dict, texts: list[str], width: int = 64) -> None:
    for text, embedding in zip(texts, result["embeddings"], strict=True):
        assert same_bits(as_floats(embedding), vector_of(text, width=width))
    assert result.get("indices", list(range(len(texts)))) == list(range(len(texts)))


@pytest.mark.feature("one text")
def test_one_text_is_embedded(client):
    assert_vectors_of(client.embed("one text"), ["one text"])


@pytest.mark.feature("list of texts")
def test_texts_are_embedded_in_their_order(client):
    result = client.embed(TEXTS)
    assert_vectors_of(result, TEXTS)
    assert result.get("tokens", 1) > 0 and result.get("id", "gen-").startswith("gen-")


@pytest.mark.feature("embedded model")
def test_the_embedded_model_answers(client, served):
    result = client.embed(TEXTS, TAURUS)
    for embedding, entry in zip(result["embeddings"], served.embed(TEXTS).json["data"], strict=True):
        got = as_floats(embedding)
        assert len(got) == TAURUS_WIDTH and cosine(got, as_floats(entry["embedding"])) > 0.9999


@pytest.mark.feature("base URL /v1")
def test_the_short_base_url_is_the_same(client, served):
    assert_vectors_of(client.embed(TEXTS, url=f"{served.url}/v1"), TEXTS)


@pytest.mark.feature("token ids")
def test_token_ids_reach_an_upstream_that_takes_them(client):
    assert_vectors_of(client.embed([1, 2, 3], "test/ids"), ["1,2,3"])
    error = client.error([1, 2, 3])
    assert error["class"] == client.kind.classes[400] and "token" in error["message"], error


@pytest.mark.feature("lists of token ids")
def test_lists_of_token_ids_do_so_too(client):
    assert_vectors_of(client.embed([[1, 2], [3]], "test/ids"), ["1,2", "3"])


@pytest.mark.feature("content parts")
def test_a_text_part_is_a_text(client):
    parts = [{"content": [{"type": "text", "text": text}]} for text in TEXTS]
    assert_vectors_of(client.embed(parts), TEXTS)


@pytest.mark.feature("float")
def test_floats_hold_the_bits(client):
    result = client.embed(TEXTS, encoding_format="float")
    assert_vectors_of(result, TEXTS)
    assert all(isinstance(embedding, list) for embedding in result["embeddings"])


@pytest.mark.feature("base64")
def test_base64_holds_the_bits(client):
    assert_vectors_of(client.embed(TEXTS, encoding_format="base64"), TEXTS)


@pytest.mark.feature("dimensions")
def test_dimensions_are_honoured(client, upstream):
    assert_vectors_of(client.embed(TEXTS, "test/widths", dimensions=16), TEXTS, 16)
    assert upstream.attempts()[-1]["dimensions"] == 16


@pytest.mark.feature("input_type")
def test_input_type_reaches_the_upstream(client, upstream):
    assert_vectors_of(client.embed(TEXTS, "test/kinds", input_type="search_query"), TEXTS)
    assert upstream.attempts()[-1]["input_type"] == "search_query"


@pytest.mark.feature("user")
def test_a_user_is_taken(client):
    assert_vectors_of(client.embed(TEXTS, user="somebody"), TEXTS)


@pytest.mark.feature("provider preferences")
def test_provider_preferences_decide(client):
    assert_vectors_of(client.embed(TEXTS, provider={"only": ["fake"], "allow_fallbacks": False}), TEXTS)
    assert client.error(provider={"only": ["absent"]})["class"] == client.kind.classes[404]


@pytest.mark.feature("session_id")
def test_a_session_id_is_taken(client):
    assert_vectors_of(client.embed(TEXTS, session_id="a session"), TEXTS)


@pytest.mark.feature("trace")
def test_a_trace_is_taken(client):
    assert_vectors_of(client.embed(TEXTS, trace={"trace_id": "t", "span_name": "s", "own": "x"}), TEXTS)


@pytest.mark.feature("unknown members")
def test_members_nobody_knows_are_ignored(client):
    assert_vectors_of(client.embed(TEXTS, colour=1), TEXTS)


@pytest.mark.feature("list of models")
@pytest.mark.parametrize("limit", [7, 500])
def test_models_are_listed_to_the_end(client, served, limit):
    answer = client.ask("models", {"limit": limit})
    assert "result" in answer, answer
    pages = answer["result"]["pages"]
    listed = [model["id"] for model in served.request("GET", "/api/v1/embeddings/models?limit=500").json["data"]]
    assert len(listed) > 14 and sorted(sum(pages, [])) == sorted(listed)
    assert len([page for page in pages if page]) == -(-len(listed) // limit)
