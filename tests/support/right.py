"""What a router owes its caller whatever its upstream did: the right answer, or an error that says what was wrong."""

from support.vectors import as_floats, same_bits, vector_of

# Where a row must be told apart from other invalid answers.
CODES = {
    "A1": {"upstream_count_mismatch"},
    "A2": {"upstream_count_mismatch"},
    "A8": {"upstream_invalid_vector"},
    "A9": {"upstream_invalid_vector"},
    "A11": {"upstream_invalid_vector"},
}
INVALID = {"upstream_count_mismatch", "upstream_invalid_answer", "upstream_invalid_vector", "upstream_error"}


def all_close(a, b) -> bool:
    return len(a) == len(b) and all(abs(x - y) <= 1e-6 for x, y in zip(a, b))


def assert_right(answer, texts, space="", fault="ok", width=64) -> None:
    """No vector but the text's own, in the text's place; bit for bit where the upstream sent the right bits."""
    data = answer.json["data"]
    assert [entry["index"] for entry in data] == list(range(len(texts)))
    for text, entry in zip(texts, data, strict=True):
        got, expected = as_floats(entry["embedding"]), vector_of(text, space, width, fault)
        assert same_bits(got, expected) or (fault == "unnormalised" and all_close(got, expected)), (text, fault)
    usage = answer.json["usage"]
    assert 0 < usage["prompt_tokens"] <= sum(len(text.encode()) for text in texts) + 2 * len(texts), usage
