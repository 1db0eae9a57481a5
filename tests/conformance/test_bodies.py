"""Every malformed body of POST /embeddings: a 400 that names the member."""

import json
import re

import pytest

from support.router import TAURUS, TAURUS_WIDTH
from support.wire import assert_envelope

ANY = object()  # stands for a good value in the tables


def body_with(**members) -> bytes:
    body = {"input": "a text", "model": TAURUS, **members}
    return json.dumps({k: v for k, v in body.items() if v is not ANY}).encode()


def content(*parts) -> list:
    return [{"content": list(parts)}]


NOT_A_REQUEST = {
    "empty": b"",
    "blank": b"  ",
    "not_json": b"input=a&model=m",
    "cut": b'{"input":"a","model":',
    "trailing_garbage": b'{"input":"a","model":"Taurus"} x',
    "two_values": b'{"input":"a","model":"Taurus"}{}',
    "nan": b'{"input":[NaN],"model":"Taurus"}',
    "infinity": b'{"input":"a","model":"Taurus","dimensions":Infinity}',
    "single_quotes": b"{'input':'a','model':'Taurus'}",
    "trailing_comma": b'{"input":"a","model":"Taurus",}',
    "comment": b'{"input":"a","model":"Taurus"/*x*/}',
    "invalid_utf8": b'{"input":"\xff\xfe","model":"Taurus"}',
    "overlong_utf8": b'{"input":"\xc0\xaf","model":"Taurus"}',
    "surrogate_in_utf8": b'{"input":"\xed\xa0\x80","model":"Taurus"}',
    "lone_surrogate": b'{"input":"\\ud800","model":"Taurus"}',
    "bad_escape": b'{"input":"\\x","model":"Taurus"}',
    "raw_control_character": b'{"input":"a\nb","model":"Taurus"}',
    "byte_order_mark": b'\xef\xbb\xbf{"input":"a","model":"Taurus"}',
    "utf16": '{"input":"a","model":"Taurus"}'.encode("utf-16"),
    "utf16_without_mark": '{"input":"a","model":"Taurus"}'.encode("utf-16-le"),
    "utf32": '{"input":"a","model":"Taurus"}'.encode("utf-32"),
    "nul_behind": b'{"input":"a","model":"Taurus"}\0',
    "nul_between": b'{"input":"a",\0"model":"Taurus"}',
    "form_feed_between": b'{"input":"a",\x0c"model":"Taurus"}',
    "no_break_space_between": '{"input":"a",\u00a0"model":"Taurus"}'.encode(),
    "name_without_quotes": b'{input:"a",model:"Taurus"}',
    "name_is_a_number": b'{"input":"a","model":"Taurus",1:2}',
    "missing_colon": b'{"input" "a","model":"Taurus"}',
    "missing_comma": b'{"input":"a" "model":"Taurus"}',
    "two_commas": b'{"input":"a",,"model":"Taurus"}',
    "leading_comma": b'{,"input":"a","model":"Taurus"}',
    "cut_in_a_text": b'{"model":"Taurus","input":"a',
    "cut_in_an_escape": b'{"model":"Taurus","input":"a\\u00',
    "cut_in_a_token": b'{"model":"Taurus","input":[1,2',
    "cut_in_a_word": b'{"model":"Taurus","input":"a","truncate":tr',
    "wrong_bracket": b'{"model":"Taurus","input":["a"}]',
    "closed_twice": b'{"model":"Taurus","input":["a"]]}',
    "hexadecimal": b'{"input":[0x1],"model":"Taurus"}',
    "leading_zero": b'{"input":[01],"model":"Taurus"}',
    "plus": b'{"input":[+1],"model":"Taurus"}',
    "dot_alone": b'{"input":[1.],"model":"Taurus"}',
    "no_digit_before_the_dot": b'{"input":[.5],"model":"Taurus"}',
    "empty_exponent": b'{"input":[1e],"model":"Taurus"}',
    "minus_alone": b'{"input":[-],"model":"Taurus"}',
    "word_in_capitals": b'{"input":"a","model":"Taurus","truncate":TRUE}',
    "undefined": b'{"input":undefined,"model":"Taurus"}',
    "deep_input": b'{"model":"Taurus","input":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep_provider": b'{"model":"Taurus","input":"a","provider":{"options":{"a":' + b'{"b":' * 1000 + b"1" + b"}" * 1003,
    "long_number_broken": b'{"input":"a","model":"Taurus","x":' + b"9" * 500 + b".}",
    "array": b"[]",
    "string": b'"text"',
    "number": b"1",
    "null": b"null",
    "broken_unknown_member": b'{"input":"a","model":"Taurus","x":tru}',
    "broken_unknown_array": b'{"input":"a","model":"Taurus","x":[1,,2]}',
    "broken_unknown_number": b'{"input":"a","model":"Taurus","x":01}',
    "deep": b'{"input":"a","model":"Taurus","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", NOT_A_REQUEST)
def test_what_is_not_a_json_object_is_refused(router, name):
    answer = router.request("POST", "/api/v1/embeddings", NOT_A_REQUEST[name])
    assert answer.status == 400, answer.body
    assert_envelope(answer)
    assert answer.error["metadata"]["error_type"] == "invalid_request"


# name: (body, the member named, the item of `input` named)
WRONG_MEMBERS = {
    "model_missing": (b'{"input":"a"}', "model", None),
    "model_null": (body_with(model=None), "model", None),
    "model_empty": (body_with(model=""), "model", None),
    "model_number": (body_with(model=5), "model", None),
    "model_array": (body_with(model=[TAURUS]), "model", None),
    "input_missing": (b'{"model":"Taurus"}', "input", None),
    "input_null": (body_with(input=None), "input", None),
    "input_number": (body_with(input=5), "input", None),
    "input_true": (body_with(input=True), "input", None),
    "input_object": (body_with(input={"text": "a"}), "input", None),
    "input_empty_string": (body_with(input=""), "input", 0),
    "input_empty_array": (body_with(input=[]), "input", None),
    "empty_string_in_array": (body_with(input=["a", ""]), "input[1]", 1),
    "only_empty_string": (body_with(input=[""]), "input[0]", 0),
    "empty_tokens_in_array": (body_with(input=[[1], []]), "input[1]", 1),
    "null_in_array": (body_with(input=["a", None]), "input[1]", 1),
    "string_then_number": (body_with(input=["a", 1]), "input[1]", 1),
    "number_then_string": (body_with(input=[1, "a"]), "input[1]", 0),
    "string_then_tokens": (body_with(input=["a", [1]]), "input[1]", 1),
    "tokens_then_string": (body_with(input=[[1], "a"]), "input[1]", 1),
    "string_then_object": (body_with(input=["a", {"content": [{"type": "text", "text": "b"}]}]), "input[1]", 1),
    "string_in_tokens": (body_with(input=[["Hello"]]), "input[0][0]", 0),
    "tokens_too_deep": (body_with(input=[[[1]]]), "input[0][0]", 0),
    "true_as_token": (body_with(input=[True]), "input[0]", 0),
    "true_in_tokens": (body_with(input=[[1, True]]), "input[0][1]", 0),
    "negative_token": (body_with(input=[1, -1]), "input[1]", 0),
    "negative_token_in_array": (body_with(input=[[1], [-1]]), "input[1][0]", 1),
    "fractional_token": (body_with(input=[1, 1.5]), "input[1]", 0),
    "token_beyond_32_bits": (body_with(input=[2**53 + 1]), "input[0]", 0),
    "token_beyond_double": (b'{"input":[1e400],"model":"Taurus"}', "input[0]", 0),
    "object_without_content": (body_with(input=[{}]), "input[0].content", 0),
    "content_not_array": (body_with(input=[{"content": "a"}]), "input[0].content", 0),
    "content_empty": (body_with(input=[{"content": []}]), "input[0].content", 0),
    "part_not_object": (body_with(input=content("a")), "input[0].content[0]", 0),
    "part_without_type": (body_with(input=content({"text": "a"})), "input[0].content[0].type", 0),
    "part_of_unknown_type": (body_with(input=content({"type": "smell", "smell": "a"})), "input[0].content[0].type", 0),
    "text_part_without_text": (body_with(input=content({"type": "text"})), "input[0].content[0].text", 0),
    "text_part_empty": (body_with(input=content({"type": "text", "text": ""})), "input[0].content[0].text", 0),
    "text_part_number": (body_with(input=content({"type": "text", "text": 1})), "input[0].content[0].text", 0),
    "image_part_without_payload": (body_with(input=content({"type": "image_url"})), "input[0].content[0].image_url", 0),
    "input_string_null_item": (body_with(input=[None]), "input[0]", 0),
    "content_null": (body_with(input=[{"content": None}]), "input[0].content", 0),
    "content_object": (body_with(input=[{"content": {"type": "text", "text": "a"}}]), "input[0].content", 0),
    "part_null": (body_with(input=content(None)), "input[0].content[0]", 0),
    "part_type_number": (body_with(input=content({"type": 1, "text": "a"})), "input[0].content[0].type", 0),
    "part_type_in_capitals": (body_with(input=content({"type": "Text", "text": "a"})), "input[0].content[0].type", 0),
    "part_of_the_chat_api": (body_with(input=content({"type": "video_url", "video_url": {"url": "u"}})), "input[0].content[0].type", 0),
    "dimensions_array": (body_with(dimensions=[1]), "dimensions", None),
    "dimensions_fraction_of_many_digits": (b'{"input":"a","model":"Taurus","dimensions":1.' + b"0" * 400 + b"1}", "dimensions", None),
    "encoding_format_object": (body_with(encoding_format={}), "encoding_format", None),
    "model_object": (body_with(model={}), "model", None),
    "model_true": (body_with(model=True), "model", None),
    "model_long": (body_with(model="x" * 513), "model", None),
    "truncate_number": (body_with(truncate=1), "truncate", None),
    "trace_array": (body_with(trace=[]), "trace", None),
    "session_id_object": (body_with(session_id={}), "session_id", None),
    "input_type_array": (body_with(input_type=["query"]), "input_type", None),
    "input_type_long": (body_with(input_type="x" * 513), "input_type", None),
    "stream_string": (body_with(stream="no"), "stream", None),
    "order_with_empty": (body_with(provider={"order": [""]}), "provider.order[0]", None),
    "order_with_null": (body_with(provider={"order": ["a", None]}), "provider.order[1]", None),
    "order_of_many": (body_with(provider={"order": ["a"] * 257}), "provider.order", None),
    "enforce_distillable_text_string": (
        body_with(provider={"enforce_distillable_text": "x"}), "provider.enforce_distillable_text", None),
    "sort_number": (body_with(provider={"sort": 1}), "provider.sort", None),
    "sort_by_unknown": (body_with(provider={"sort": {"by": "luck"}}), "provider.sort.by", None),
    "sort_partition_unknown": (body_with(provider={"sort": {"partition": "x"}}), "provider.sort.partition", None),
    "max_price_negative": (body_with(provider={"max_price": {"prompt": -1}}), "provider.max_price.prompt", None),
    "max_price_words": (body_with(provider={"max_price": {"prompt": "cheap"}}), "provider.max_price.prompt", None),
    "max_price_nan": (body_with(provider={"max_price": {"request": "NaN"}}), "provider.max_price.request", None),
    "max_price_infinite": (b'{"input":"a","model":"Taurus","provider":{"max_price":{"prompt":1e999}}}', "provider.max_price.prompt", None),
    "throughput_string": (body_with(provider={"preferred_min_throughput": "1"}), "provider.preferred_min_throughput", None),
    "latency_percentile_string": (
        body_with(provider={"preferred_max_latency": {"p99": "1"}}), "provider.preferred_max_latency.p99", None),
    "options_array": (body_with(provider={"options": []}), "provider.options", None),
    "options_of_strings": (body_with(provider={"options": {"a": "b"}}), "provider.options", None),
    "data_collection_true": (body_with(provider={"data_collection": True}), "provider.data_collection", None),
    "dimensions_zero": (body_with(dimensions=0), "dimensions", None),
    "dimensions_negative": (body_with(dimensions=-1), "dimensions", None),
    "dimensions_fraction": (body_with(dimensions=1.5), "dimensions", None),
    "dimensions_string": (body_with(dimensions="512"), "dimensions", None),
    "dimensions_true": (body_with(dimensions=True), "dimensions", None),
    "dimensions_huge": (body_with(dimensions=10**30), "dimensions", None),
    "encoding_format_unknown": (body_with(encoding_format="md5"), "encoding_format", None),
    "encoding_format_case": (body_with(encoding_format="Float"), "encoding_format", None),
    "encoding_format_number": (body_with(encoding_format=1), "encoding_format", None),
    "input_type_number": (body_with(input_type=1), "input_type", None),
    "stream": (body_with(stream=True), "stream", None),
    "user_long": (body_with(user="x" * 1_000_000), "user", None),
    "user_number": (body_with(user=1), "user", None),
    "session_id_number": (body_with(session_id=1), "session_id", None),
    "session_id_long": (body_with(session_id="x" * 257), "session_id", None),
    "trace_string": (body_with(trace="x"), "trace", None),
    "truncate_string": (body_with(truncate="yes"), "truncate", None),
    "provider_string": (body_with(provider="openai"), "provider", None),
    "provider_array": (body_with(provider=[]), "provider", None),
    "order_string": (body_with(provider={"order": "openai"}), "provider.order", None),
    "order_of_numbers": (body_with(provider={"order": [1]}), "provider.order[0]", None),
    "only_object": (body_with(provider={"only": {}}), "provider.only", None),
    "ignore_number": (body_with(provider={"ignore": 1}), "provider.ignore", None),
    "quantizations_string": (body_with(provider={"quantizations": "fp8"}), "provider.quantizations", None),
    "allow_fallbacks_string": (body_with(provider={"allow_fallbacks": "no"}), "provider.allow_fallbacks", None),
    "require_parameters_number": (body_with(provider={"require_parameters": 1}), "provider.require_parameters", None),
    "zdr_string": (body_with(provider={"zdr": "true"}), "provider.zdr", None),
    "sort_unknown": (body_with(provider={"sort": "cheapest"}), "provider.sort", None),
    "data_collection_unknown": (body_with(provider={"data_collection": "maybe"}), "provider.data_collection", None),
    "max_price_string": (body_with(provider={"max_price": "1"}), "provider.max_price", None),
    "input_twice": (b'{"input":"a","input":"b","model":"Taurus"}', "input", None),
    "model_twice": (b'{"input":"a","model":"Taurus","model":"Taurus"}', "model", None),
    "models": (body_with(models=["a/b"]), "models", None),
    "preset": (body_with(preset="x"), "preset", None),
    "normalize": (body_with(normalize=False), "normalize", None),
    "output_dtype": (body_with(output_dtype="int8"), "output_dtype", None),
}


# How the messages say what would have been right.
EXPECTATION = re.compile(
    r" must be | is missing: | is empty| is an empty array: | cannot be applied here: | appears twice| longer than \d+ | more than \d+ "
    r"|: one request holds one form of input"
)


@pytest.mark.parametrize("name", WRONG_MEMBERS)
def test_a_wrong_member_is_named(router, name):
    body, param, item = WRONG_MEMBERS[name]
    answer = router.request("POST", "/api/v1/embeddings", body)
    assert answer.status == 400, answer.body
    assert_envelope(answer)
    metadata = answer.error["metadata"]
    assert metadata["code"] == "invalid_request" and metadata["error_type"] == "invalid_request", answer.body
    assert metadata["param"] == param and metadata.get("item") == item, answer.body
    message = answer.error["message"]
    assert param in message, "the message alone must do"
    assert EXPECTATION.search(message), "it says what was expected"


@pytest.mark.parametrize(
    "member", ["encoding_format", "dimensions", "input_type", "user", "provider", "session_id", "trace", "truncate"]
)
def test_null_for_an_optional_member_is_as_if_absent(router, member):
    answer = router.embed("a text", **{member: None})
    assert answer.status == 200, answer.body
    assert len(answer.json["data"][0]["embedding"]) == TAURUS_WIDTH


def test_unknown_members_are_ignored_and_listed(router):
    answer = router.embed("a text", model="test/ok", colour="red", shape={"a": [1]}, logprobs=1)
    assert answer.status == 200
    ignored = answer.headers["X-Embedrouter-Ignored"].replace(" ", "").split(",")
    assert ignored == ["colour", "shape", "logprobs"]
    assert "X-Embedrouter-Ignored" not in router.embed("a text", model="test/ok").headers


def test_a_member_name_cannot_break_the_header(router):
    answer = router.request("POST", "/api/v1/embeddings", b'{"input":"a","model":"test/ok","x\\r\\nSet-Cookie: y":1}')
    assert answer.status == 200 and "Set-Cookie" not in answer.headers


def test_an_error_repeats_no_input(router):
    secret = "a-very-secret-text"
    answer = router.embed([secret, ""])
    assert answer.status == 400 and secret not in answer.body.decode()
