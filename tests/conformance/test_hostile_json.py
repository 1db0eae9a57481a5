"""JSON made to be read in two ways, or to cost more than it should."""

import pytest

from support.router import TAURUS
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope


def post(router, body: bytes):
    return router.request("POST", "/api/v1/embeddings", body, {"Content-Type": "application/json"})


# Readers keep the first or the last of two; here there is no second. name -> (body, what the answer names).
TWICE = {
    "input": (b'{"input":"a","input":"b","model":"test/ok"}', "input"),
    "input_same": (b'{"input":"a","input":"a","model":"test/ok"}', "input"),
    "input_by_escape": (b'{"input":"a","\\u0069nput":"b","model":"test/ok"}', "input"),
    "model": (b'{"input":"a","model":"test/ok","model":"test/nan"}', "model"),
    "null_then_value": (b'{"input":"a","model":"test/ok","dimensions":null,"dimensions":8}', "dimensions"),
    "value_then_null": (b'{"input":"a","model":"test/ok","user":"u","user":null}', "user"),
    "encoding_format": (b'{"input":"a","model":"test/ok","encoding_format":"float","encoding_format":"base64"}', "encoding_format"),
    "provider": (b'{"input":"a","model":"test/ok","provider":{},"provider":{"only":["x"]}}', "provider"),
    "provider.only": (b'{"input":"a","model":"test/ok","provider":{"only":["fake"],"only":["x"]}}', "provider.only"),
    "provider.zdr": (b'{"input":"a","model":"test/ok","provider":{"zdr":null,"zdr":true}}', "provider.zdr"),
    "provider.sort.by": (b'{"input":"a","model":"test/ok","provider":{"sort":{"by":"price","by":"latency"}}}', "provider.sort.by"),
    "provider.max_price.prompt": (
        b'{"input":"a","model":"test/ok","provider":{"max_price":{"prompt":9,"prompt":0}}}', "provider.max_price.prompt"),
    "provider.options": (b'{"input":"a","model":"test/ok","provider":{"options":{"fake":{},"fake":{}}}}', "provider.options"),
    "content": (b'{"input":[{"content":[{"type":"text","text":"a"}],"content":[{"type":"text","text":"b"}]}],"model":"test/ok"}',
                "input[0].content"),
    "part_text": (b'{"input":[{"content":[{"type":"text","text":"a","text":"b"}]}],"model":"test/ok"}', "input[0].content[0].text"),
    "part_type": (b'{"input":[{"content":[{"type":"text","text":"a","type":"image_url"}]}],"model":"test/ok"}',
                  "input[0].content[0].type"),
}  # fmt: skip


@pytest.mark.parametrize("name", TWICE)
def test_a_member_given_twice_is_refused_by_name(router, name):
    body, param = TWICE[name]
    answer = post(router, body)
    assert answer.status == 400 and answer.error["metadata"]["param"] == param, answer.body
    assert "twice" in answer.error["message"]
    assert_envelope(answer)


def test_members_nobody_reads_may_repeat(router):
    answer = post(router, b'{"input":"a","model":"test/ok","x":1,"x":2,"trace":{"a":1,"a":2}}')
    assert answer.status == 200 and answer.headers["X-Embedrouter-Ignored"] == "x"


@pytest.mark.parametrize("depth,status", [(10, 200), (60, 200), (66, 400), (1000, 400), (1_000_000, 400)])
@pytest.mark.parametrize("open,close", [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_nesting_is_bounded(router, depth, status, open, close):
    for place in (b'"x":%b', b'"trace":{"a":%b}', b'"provider":{"options":{"other":{"a":%b}}}'):
        value = open * depth + b"1" + close * depth
        answer = post(router, b'{"input":"a","model":"test/ok",' + place % value + b"}")
        assert answer.status == status, answer.body[:300]
        if status == 400:
            assert "nested" in answer.error["message"]


LONG = {
    "digits": b"9" * 500,
    "million_digits": b"9" * 1_000_000,
    "fraction": b"0." + b"3" * 500,
    "exponent": b"1e" + b"9" * 500,
    "negative_exponent": b"1e-" + b"9" * 500,
    "zeros": b"1" + b"0" * 500 + b"e-500",
}


@pytest.mark.parametrize("name", LONG)
def test_a_number_of_500_digits_is_a_number(router, name):
    number = LONG[name]
    ignored = post(router, b'{"input":"a","model":"test/ok","x":%b}' % number)
    assert ignored.status == 200, ignored.body
    for member in (b'"dimensions":%b', b'"provider":{"max_price":{"prompt":-%b}}', b'"provider":{"preferred_max_latency":"%b"}'):
        answer = post(router, b'{"input":"a","model":"test/ok",' + member % number + b"}")
        assert answer.status in (400, 200), answer.body  # a long way of writing 1 is 1
        assert answer.status == 400 or name == "negative_exponent" or name == "zeros"
    token = post(router, b'{"input":[%b],"model":"test/ok"}' % number)
    assert token.status == 400 and len(token.body) < 2000


@pytest.mark.parametrize("body", [b'{"input":"a","model":"test/ok"}' + tail for tail in (b"x", b"{}", b"]", b"}", b",", b'"', b"\0", b"//", b"\xff")])
def test_anything_behind_the_value_is_refused(router, body):
    answer = post(router, body)
    assert answer.status == 400 and "behind the end" in answer.error["message"]


@pytest.mark.parametrize("space", [b" ", b"\n", b"\r\n\t ", b" " * 100_000])
def test_white_space_around_everything_is_nothing(router, space):
    tokens = [b"{", b'"input"', b":", b"[", b'"a text"', b"]", b",", b'"model"', b":", b'"test/ok"', b"}"]
    answer = post(router, space + space.join(tokens) + space)
    assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("a text"))


@pytest.mark.parametrize("key", ["__proto__", "constructor", "", " ", "input ", "Input", "INPUT", "in\u0000put", "\U0001f600", "x" * 100_000])
def test_a_name_that_is_almost_known_is_unknown(router, key):
    answer = router.request("POST", "/api/v1/embeddings", {"input": "a text", "model": "test/ok", key: ["b"]})
    assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("a text"))


def test_many_unknown_members_fill_no_header(router):
    body = {"input": "a", "model": "test/ok", **{f"member{i}": i for i in range(50_000)}}
    answer = router.request("POST", "/api/v1/embeddings", body)
    assert answer.status == 200 and len(answer.headers["X-Embedrouter-Ignored"]) < 2000


@pytest.mark.parametrize("model", ["../../etc/passwd", "a" * 10_000, "test/ok\0", "test/ok ", "test//ok", "%74est/ok", "\u202etest/ok", "<script>"])
def test_a_strange_model_name_is_not_found_or_refused(router, model):
    answer = router.embed("a", model=model)
    assert answer.status in (400, 404), answer.body
    assert_envelope(answer)
    assert len(answer.body) < 2000


@pytest.mark.parametrize("model", [TAURUS, "test/ok"])
def test_hostile_bodies_leave_a_kept_connection_usable(router, model):
    from support import wire

    connection = wire.connect(router.url)
    headers = {**router.authorization, "Content-Type": "application/json"}
    for body, _ in TWICE.values():
        assert wire.exchange(connection, "POST", "/api/v1/embeddings", body, headers).status == 400
    good = b'{"input":"a text","model":"%b"}' % model.encode()
    assert wire.exchange(connection, "POST", "/api/v1/embeddings", good, headers).status == 200
    connection.close()
