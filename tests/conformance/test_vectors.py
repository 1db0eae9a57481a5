"""Input forms, encodings, and what a 200 holds."""

import math
import re

import pytest

from support.router import TAURUS, TAURUS_ID, TAURUS_TOKENS, TAURUS_WIDTH, Model, configuration, provider
from support.vectors import as_floats, cosine, same_bits, vector_of
from support.wire import assert_envelope

SENTENCE = "The quick brown fox jumps over the lazy dog"


def vectors(answer) -> list:
    assert answer.status == 200, answer.body
    data = answer.json["data"]
    assert [entry["index"] for entry in data] == list(range(len(data)))
    assert all(entry["object"] == "embedding" for entry in data)
    return [as_floats(entry["embedding"]) for entry in data]


def test_the_answer_has_every_member_of_the_contract(router):
    answer = router.embed([SENTENCE, "another"])
    body = answer.json
    assert answer.status == 200 and answer.headers.get_content_type() == "application/json"
    assert body["object"] == "list" and body["model"] == TAURUS_ID and isinstance(body["provider"], str)
    assert re.fullmatch(r"gen-emb-\d+-[A-Za-z0-9]{20}", body["id"])
    assert answer.headers["X-Generation-Id"] == body["id"]
    assert answer.headers["X-Embedrouter-Provider"] == body["provider"]
    assert answer.headers["X-Embedrouter-Space"]
    usage = body["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] == 11 + 3
    assert usage["cost"] == 0 and usage["is_byok"] is False
    details = usage["cost_details"]
    assert details["upstream_inference_prompt_cost"] == 0 and details["upstream_inference_completions_cost"] == 0
    assert len(body["data"]) == 2
    for vector in vectors(answer):
        assert len(vector) == TAURUS_WIDTH and abs(math.hypot(*vector) - 1) < 1e-3


def test_two_answers_have_two_ids(router):
    assert router.embed("a").json["id"] != router.embed("a").json["id"]


def test_a_string_a_list_and_a_text_part_are_the_same_text(router):
    [one] = vectors(router.embed(SENTENCE))
    [listed] = vectors(router.embed([SENTENCE]))
    [part] = vectors(router.embed([{"content": [{"type": "text", "text": SENTENCE}]}]))
    assert cosine(one, listed) > 0.9999 and cosine(one, part) > 0.9999


def test_vectors_belong_to_their_texts(router):
    texts = [f"text number {i} " + "word " * (i % 17) for i in range(100)]
    batch = vectors(router.embed(texts))
    for i in (0, 1, 50, 99):
        [alone] = vectors(router.embed(texts[i]))
        assert cosine(alone, batch[i]) > 0.9999
        assert max(range(100), key=lambda j: cosine(alone, batch[j])) == i


def test_close_meanings_are_closer(router):
    cat, kitten, tax = vectors(router.embed(["A cat sleeps", "A kitten is sleeping", "Quarterly tax report"]))
    assert cosine(cat, kitten) > 0.6 > 0.3 > cosine(cat, tax)


@pytest.mark.parametrize("model", [TAURUS, "test/ok"])
def test_base64_is_the_bits_of_the_numbers(router, model):
    texts = [SENTENCE, "ein zweiter Text", "🍕"]
    numbers = vectors(router.embed(texts, model=model, encoding_format="float"))
    answer = router.embed(texts, model=model, encoding_format="base64")
    assert all(isinstance(entry["embedding"], str) for entry in answer.json["data"])
    for a, b in zip(numbers, vectors(answer), strict=True):
        assert same_bits(a, b)


def test_float_is_the_default(router):
    assert isinstance(router.embed("a").json["data"][0]["embedding"], list)


@pytest.mark.parametrize("blank", [" ", "\n\n\n", "\t"])
def test_text_of_blanks_is_text(router, blank):
    [vector] = vectors(router.embed(blank))
    assert abs(math.hypot(*vector) - 1) < 1e-3


@pytest.mark.parametrize(
    "text", ["nul\0inside", "\ufffe\uffff", "e\u0301 é", "\U0001f469\u200d\U0001f680", "مرحبا", "한국어"]
)
@pytest.mark.parametrize("model", [TAURUS, "test/ok"])
def test_unusual_text_arrives_unchanged(router, text, model):
    [vector] = vectors(router.embed(text, model=model))
    if model == "test/ok":
        assert same_bits(vector, vector_of(text))


@pytest.mark.parametrize("name", [TAURUS, TAURUS.lower(), TAURUS.upper(), TAURUS_ID])
def test_the_embedded_model_has_an_alias(router, name):
    assert router.embed("a", model=name).json["model"] == TAURUS_ID


def test_an_unknown_model_is_a_404(router):
    answer = router.embed("a", model="nobody/nothing")
    assert answer.status == 404 and answer.code == "model_not_found"
    assert answer.error["metadata"]["param"] == "model"
    assert_envelope(answer)


class TestParameters:
    def test_dimensions_of_the_model_are_accepted(self, router):
        [vector] = vectors(router.embed("a", dimensions=TAURUS_WIDTH))
        assert len(vector) == TAURUS_WIDTH

    @pytest.mark.parametrize("dimensions", [1, 256, TAURUS_WIDTH - 1, TAURUS_WIDTH + 1, 99999])
    def test_dimensions_are_refused_where_the_model_has_none(self, router, dimensions):
        answer = router.embed("a", dimensions=dimensions)
        assert answer.status == 400 and answer.error["metadata"]["param"] == "dimensions"
        assert str(TAURUS_WIDTH) in answer.error["message"], "it must say what is possible"
        assert_envelope(answer)

    @pytest.mark.parametrize("kind", ["query", "document", "search_query", "search_document"])
    def test_a_symmetric_model_honours_query_and_document(self, router, kind):
        [plain] = vectors(router.embed("a text"))
        [typed] = vectors(router.embed("a text", input_type=kind))
        assert cosine(plain, typed) > 0.9999

    def test_an_input_type_the_model_does_not_know_is_refused(self, router):
        answer = router.embed("a", input_type="clustering")
        assert answer.status == 400 and answer.error["metadata"]["param"] == "input_type"

    def test_an_input_type_is_refused_where_the_upstream_takes_none(self, router, fake):
        answer = router.embed("refused before sending", model="test/ok", input_type="query")
        assert answer.status == 400 and answer.error["metadata"]["param"] == "input_type"

    @pytest.mark.parametrize(
        "members",
        [
            {"user": "user-1"},
            {"user": "u" * 1000},
            {"session_id": "s" * 256},
            {"trace": {"trace_id": "t", "trace_name": "n", "anything": {"else": 1}}},
            {"provider": {}},
            {"provider": {"order": None, "only": None, "sort": None, "max_price": None}},
            {"provider": {"unknown": 1}},
            {"provider": {"max_price": {"prompt": 1}, "require_parameters": True}},
            {"provider": {"max_price": {"prompt": "0.5"}, "sort": "price"}},
        ],
    )
    def test_metadata_and_soft_wishes_change_no_vector(self, router, members):
        [plain] = vectors(router.embed("a text", model="test/ok"))
        [wished] = vectors(router.embed("a text", model="test/ok", **members))
        assert same_bits(plain, wished)

    @pytest.mark.parametrize("name", ["fake", "FAKE"])
    def test_providers_can_be_named(self, router, name):
        for wish in ({"only": [name]}, {"order": [name]}, {"order": ["absent", name]}, {"ignore": ["absent"]}):
            assert router.embed("a", model="test/ok", provider=wish).status == 200, wish

    @pytest.mark.parametrize(
        "wish",
        [
            {"only": ["absent"]},
            {"only": []},
            {"ignore": ["fake"]},
            {"order": ["absent"], "allow_fallbacks": False},
            {"zdr": True},
            {"data_collection": "deny"},
            {"quantizations": ["fp8"]},
        ],
    )
    def test_filters_that_leave_nothing_are_a_404_that_names_them(self, router, wish):
        answer = router.embed("a", model="test/ok", provider=wish)
        assert answer.status == 404 and answer.code == "no_endpoint", answer.body
        assert answer.error["metadata"]["param"].startswith("provider."), answer.body
        assert_envelope(answer)

    def test_a_space_can_be_pinned(self, router):
        space = router.embed("a").headers["X-Embedrouter-Space"]
        assert router.embed("a", headers={"X-Embedrouter-Space": space}).status == 200
        answer = router.embed("a", headers={"X-Embedrouter-Space": "another"})
        assert answer.status == 412 and answer.code == "space_mismatch"
        assert_envelope(answer)


class TestLongTexts:
    LONG = "word " * (TAURUS_TOKENS + 50)
    FITS = "word " * (TAURUS_TOKENS - 2)  # and the two special tokens

    def test_a_text_at_the_limit_fits(self, router):
        answer = router.embed(self.FITS)
        assert answer.status == 200 and answer.json["usage"]["prompt_tokens"] == TAURUS_TOKENS

    def test_a_longer_text_is_refused_naming_item_tokens_and_limit(self, router):
        answer = router.embed(["short", self.FITS, self.LONG])
        assert answer.status == 400 and answer.code == "context_length_exceeded"
        assert answer.error["metadata"]["error_type"] == "context_length_exceeded"
        assert answer.error["metadata"]["item"] == 2 and answer.error["metadata"]["param"] == "input[2]"
        for number in (2, TAURUS_TOKENS + 52, TAURUS_TOKENS):
            assert re.search(rf"\b{number}\b", answer.error["message"]), answer.error["message"]
        assert "truncate" in answer.error["message"], "it must say what to do"
        assert_envelope(answer)

    def test_truncate_cuts_and_says_so(self, router):
        answer = router.embed([self.LONG, "short", self.LONG], truncate=True)
        assert answer.status == 200
        assert answer.headers["X-Embedrouter-Truncated"].replace(" ", "") == "0,2"
        assert [entry.get("truncated", False) for entry in answer.json["data"]] == [True, False, True]
        assert answer.json["usage"]["prompt_tokens"] == 2 * TAURUS_TOKENS + 3
        [cut, _, _] = vectors(answer)
        [fits] = vectors(router.embed(self.FITS))
        assert cosine(cut, fits) > 0.9999, "the vector of the first tokens"

    def test_truncate_marks_nothing_that_fits(self, router):
        answer = router.embed(["short"], truncate=True)
        assert "X-Embedrouter-Truncated" not in answer.headers and "truncated" not in answer.json["data"][0]

    def test_truncate_false_cuts_nothing(self, router):
        assert router.embed(self.LONG, truncate=False).status == 400

    def test_truncate_is_refused_where_it_cannot_be_promised(self, router):
        answer = router.embed("a", model="test/ok", truncate=True)
        assert answer.status == 400 and answer.error["metadata"]["param"] == "truncate"


class TestTokenIds:
    @pytest.mark.parametrize("ids", [[1, 2, 3], [1.0, 2.0], [[1, 2], [3]], [[1.0]], [[15339, 1917]]])
    def test_the_embedded_model_refuses_them_and_says_what_to_do(self, router, ids):
        answer = router.embed(ids)
        assert answer.status == 400 and answer.code == "token_input_unsupported"
        assert "check_embedding_ctx_length=False" in answer.error["message"]
        assert_envelope(answer)

    def test_an_upstream_that_takes_them_gets_integers(self, start_router, fake):
        model = Model("test/ids", "ok@ids", endpoint={"token_ids": True})
        router = start_router(configuration(provider(fake.base_url), models=[model], embedded=False))
        for input, texts in {(1.0, 2.0): ["1,2"], ((7, 8), (9.0,)): ["7,8", "9"]}.items():
            got = vectors(router.embed(input, model="test/ids"))
            for vector, text in zip(got, texts, strict=True):
                assert same_bits(vector, vector_of(text, "ids"))
