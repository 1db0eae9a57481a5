"""What a caller may put into `input` and the parameters: FAULTS D1 to D7, one class each, and every way to write a text."""

import json
import unicodedata

import pytest

from support import wire
from support.router import TAURUS, Model, Router, configuration, model_of, provider
from support.vectors import as_floats, same_bits, vector_of
from support.wire import assert_envelope

IDS = Model("test/ids", "ok@ids", endpoint={"token_ids": True})
CUT = Model("test/cut", "ok", dimensions=64, members={"matryoshka": [16, 32]}, endpoint={"dimensions": True})
NEEDS_TYPE = Model("test/typed", "ok", endpoint={"input_types": ["search_query", "search_document"]})


@pytest.fixture(scope="module")
def upstream(tmp_path_factory, fake):
    models = [model_of("ok"), IDS, CUT, NEEDS_TYPE]
    router = Router(tmp_path_factory.mktemp("inputs"), configuration(provider(fake.base_url), models=models, embedded=False))
    yield router
    router.stop()


def post(router, body: bytes) -> wire.Answer:
    return router.request("POST", "/api/v1/embeddings", body, {"Content-Type": "application/json"})


def vectors(answer: wire.Answer) -> list:
    assert answer.status == 200, answer.body
    assert [entry["index"] for entry in answer.json["data"]] == list(range(len(answer.json["data"])))
    return [as_floats(entry["embedding"]) for entry in answer.json["data"]]


def refused(answer: wire.Answer, param: str, item: int | None = None) -> None:
    assert answer.status == 400, answer.body
    assert_envelope(answer)
    metadata = answer.error["metadata"]
    assert metadata["param"] == param and metadata.get("item") == item, answer.body
    assert param in answer.error["message"]


@pytest.mark.parametrize("model", [TAURUS, "test/ok"])
class TestD1EmptyAndBlank:
    @pytest.mark.parametrize(
        "input,param,item",
        [("", "input", 0), ([], "input", None), ([""], "input[0]", 0), ([[]], "input[0]", 0), ([[1], []], "input[1]", 1),
         (["a"] * 50 + [""] + ["a"] * 45, "input[50]", 50), ([{"content": []}], "input[0].content", 0),
         ([{"content": [{"type": "text", "text": ""}]}], "input[0].content[0].text", 0)],
    )  # fmt: skip
    def test_empty_is_refused_naming_the_place(self, router, model, input, param, item):
        refused(router.embed(input, model=model), param, item)

    @pytest.mark.parametrize("blank", [" ", "\n\n\n", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u0000"])
    def test_blanks_are_text(self, router, model, blank):
        alone = vectors(router.embed(blank, model=model))
        among = vectors(router.embed(["a", blank, "b"], model=model))
        assert any(alone[0]) and (model == TAURUS or same_bits(alone[0], among[1]))


class TestD2TokenIds:
    def test_they_are_forwarded_as_integers_however_they_are_written(self, upstream, fake):
        ids = [1, 2, 30, 2147483647]
        for text in ("1,2,30,2147483647", "1.0,2.0,30.0,2147483647.0", "1e0,0.2e1,300e-1,2.147483647e9", "1.00,2,3E+1,2147483647"):
            [flat] = vectors(post(upstream, b'{"model":"test/ids","input":[%b]}' % text.encode()))
            [nested] = vectors(post(upstream, b'{"model":"test/ids","input":[[%b]]}' % text.encode()))
            [plain] = vectors(upstream.embed(ids, model="test/ids"))
            assert same_bits(flat, nested) and same_bits(flat, plain), text

    def test_lists_of_them_stay_apart_and_in_order(self, upstream):
        lists = [[1.0, 2.0], [3], [1, 2]]
        first, second, third = vectors(upstream.embed(lists, model="test/ids"))
        assert same_bits(first, third) and not same_bits(first, second)

    @pytest.mark.parametrize("model", [TAURUS, "test/ok"])
    @pytest.mark.parametrize("input", [[1, 2], [[1, 2], [3]], [1.0]])
    def test_they_are_refused_where_the_vocabulary_is_not_known(self, router, model, input):
        answer = router.embed(input, model=model)
        assert answer.status == 400 and answer.code == "token_input_unsupported", answer.body

    @pytest.mark.parametrize(
        "input,param,item",
        [("[1,-1]", "input[1]", 0), ("[-0.5]", "input[0]", 0), ("[1.5]", "input[0]", 0), ("[[0],[1,2.5]]", "input[1][1]", 1),
         ("[9007199254740993]", "input[0]", 0), ("[2147483648]", "input[0]", 0), ("[1e400]", "input[0]", 0),
         ("[1e-1]", "input[0]", 0), (f"[{'9' * 500}]", "input[0]", 0), (f"[1,0.{'0' * 500}1]", "input[1]", 0),
         ("[true]", "input[0]", 0), ("[[1,false]]", "input[0][1]", 0), ("[1,null]", "input[1]", 0),
         ('[["Hello"]]', "input[0][0]", 0), ("[[[1]]]", "input[0][0]", 0), ('["a",1]', "input[1]", 1),
         ('[1,"a"]', "input[1]", 0), ('["a",["b"]]', "input[1]", 1), ('["a",{"content":[]}]', "input[1]", 1),
         ('[{"content":[{"type":"text","text":"a"}]},"b"]', "input[1]", 1), ("[[1],2]", "input[1]", 1),
         ("[1,[2]]", "input[1]", 0)],
    )  # fmt: skip
    def test_what_is_no_token_id_or_mixed_is_refused_naming_it(self, upstream, input, param, item):
        refused(post(upstream, b'{"model":"test/ids","input":%b}' % input.encode()), param, item)


BAD_UTF8 = {
    "lone_continuation": b"\x80",
    "lone_start": b"\xc3",
    "start_then_ascii": b"\xc3a",
    "cut_emoji": b"\xf0\x9f\x98",
    "overlong_slash_2": b"\xc0\xaf",
    "overlong_slash_3": b"\xe0\x80\xaf",
    "overlong_slash_4": b"\xf0\x80\x80\xaf",
    "overlong_nul": b"\xc0\x80",
    "high_surrogate": b"\xed\xa0\x80",
    "surrogate_pair": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond_unicode": b"\xf4\x90\x80\x80",
    "five_bytes": b"\xf8\x88\x80\x80\x80",
    "byte_fe": b"\xfe",
    "latin1": "é".encode("latin-1"),
}
BAD_ESCAPES = ["\\ud800", "\\udbff", "\\udc00", "\\udcca", "\\udfff", "\\ud800\\ud800", "\\ude00\\ud83d", "\\ud83d\\u0041",
               "\\ud83dx", "\\ud83d", "\\u12", "\\u12g4", "\\uD83D\\n", "\\U0001F600", "\\x41", "\\0", "\\'", "\\a"]  # fmt: skip
PLACES = {
    "text": b'{"model":"test/ok","input":"a%bb"}',
    "second_text": b'{"model":"test/ok","input":["a","%b"]}',
    "part": b'{"model":"test/ok","input":[{"content":[{"type":"text","text":"%b"}]}]}',
    "model": b'{"model":"%b","input":"a"}',
    "user": b'{"model":"test/ok","input":"a","user":"%b"}',
    "provider": b'{"model":"test/ok","input":"a","provider":{"ignore":["%b"]}}',
    "ignored_member": b'{"model":"test/ok","input":"a","x":{"y":["%b"]}}',
    "name": b'{"model":"test/ok","input":"a","%b":1}',
}
EXACT = {
    "nul": "a\0b",
    "only_nul": "\0",
    "controls": "".join(map(chr, range(1, 32))),
    "delete": "\x7f\x80\x9f",
    "fffe": "a\ufffeb",
    "ffff": "\uffff",
    "plane_ends": "\U0001ffff\U0010ffff",
    "byte_order_mark": "\ufeffa\ufeff",
    "replacement": "\ufffd",
    "line_separators": "a\u2028b\u2029c\u0085d",
    "nfc": "é한Å",
    "nfd": unicodedata.normalize("NFD", "é한Å"),
    "angstrom": "\u212b",
    "directions": "\u202eabc\u202c\u2066\u2069",
    "emoji": "👩‍👩‍👧‍👦🏽❤️🇩🇪",
    "combining": "a" + "\u0301" * 100,
    "quotes": '\\"\\\\/\b\f\n\r\t',
    "code": '{"a": [1, "\\u0041"]}',
    "newlines": "a\r\nb\nc\rd",
}


class TestD3Unicode:
    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("name", BAD_UTF8)
    def test_what_is_not_utf8_is_refused_wherever_it_stands(self, upstream, name, place):
        answer = post(upstream, PLACES[place].replace(b"%b", BAD_UTF8[name]))
        assert answer.status == 400 and "UTF-8" in answer.error["message"], answer.body
        assert_envelope(answer)

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("escape", BAD_ESCAPES)
    def test_half_a_character_is_refused_wherever_it_stands(self, upstream, escape, place):
        answer = post(upstream, PLACES[place].replace(b"%b", escape.encode()))
        assert answer.status == 400 and "not valid JSON" in answer.error["message"], answer.body
        assert_envelope(answer)

    @pytest.mark.parametrize("written", ["escaped", "raw", "mixed"])
    @pytest.mark.parametrize("name", EXACT)
    def test_unusual_text_arrives_unchanged(self, upstream, name, written):
        text = EXACT[name]
        literal = json.dumps(text, ensure_ascii=written == "escaped")
        if written == "mixed":  # every other character as an escape
            units = [json.dumps(c)[1:-1] if i % 2 else json.dumps(c, ensure_ascii=False)[1:-1] for i, c in enumerate(text)]
            literal = '"' + "".join(units) + '"'
        [vector] = vectors(post(upstream, b'{"model":"test/ok","input":%b}' % literal.encode()))
        assert same_bits(vector, vector_of(text)), "another text reached the upstream"

    def test_a_text_is_whole_wherever_its_bytes_are_cut(self, upstream):
        text = "😀é漢\u0301\ufffe"
        body = json.dumps({"model": "test/ok", "input": text}, ensure_ascii=False).encode()
        for size in (1, 2, 3, 5):
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[i : i + size] for i in range(0, len(body), size)))
            head = f"POST /api/v1/embeddings HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {upstream.key}\r\n".encode()
            head += b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            received = wire.raw(upstream.port, head, *((chunks + b"0\r\n\r\n")[i : i + 7] for i in range(0, len(chunks) + 5, 7)))
            answer = json.loads(received.partition(b"\r\n\r\n")[2])
            assert same_bits(as_floats(answer["data"][0]["embedding"]), vector_of(text)), size

    def test_composed_and_decomposed_forms_stay_two_texts(self, upstream):
        pair = [EXACT["nfc"], EXACT["nfd"]]
        composed, decomposed = vectors(upstream.embed(pair, model="test/ok"))
        assert not same_bits(composed, decomposed)

    def test_the_tokenizer_alone_decides_which_forms_are_one(self, router):
        """An uncased BERT takes accents off, so both forms are one text to it; compatibility forms it keeps apart."""
        one = router.embed([EXACT["nfc"], EXACT["nfd"]])
        composed, decomposed = vectors(one)
        assert max(abs(a - b) for a, b in zip(composed, decomposed, strict=True)) < 1e-2
        ligature, letters = vectors(router.embed(["of\ufb01ce of", "office of"]))
        assert max(abs(a - b) for a, b in zip(ligature, letters, strict=True)) > 1e-2


class TestD4Parameters:
    @pytest.mark.parametrize("model", [TAURUS, "test/ok"])
    @pytest.mark.parametrize(
        "member,value",
        [("encoding_format", "md5"), ("encoding_format", ""), ("encoding_format", ["float"]), ("dimensions", 0), ("dimensions", -1),
         ("dimensions", 1.5), ("dimensions", "512"), ("dimensions", 99999), ("dimensions", 2**31), ("dimensions", []),
         ("user", "x" * 1_000_000), ("user", 5), ("input_type", ""), ("input_type", 5)],
    )  # fmt: skip
    def test_a_bad_value_is_refused_naming_the_parameter(self, router, model, member, value):
        answer = router.embed("a", model=model, **{member: value})
        assert answer.status == 400 and answer.error["metadata"]["param"] == member, answer.body
        assert member in answer.error["message"] and len(answer.body) < 2000

    def test_null_is_absent_and_unknown_members_are_listed(self, router):
        answer = router.embed("a", model="test/ok", encoding_format=None, dimensions=None, unknown=1)
        assert answer.status == 200 and answer.headers["X-Embedrouter-Ignored"] == "unknown"


class TestD5WhatTheModelCannotDo:
    def test_a_width_of_a_model_of_fixed_width_is_refused(self, router):
        for model in (TAURUS, "test/ok"):
            refused_width = router.embed("a", model=model, dimensions=32)
            assert refused_width.status == 400 and refused_width.error["metadata"]["param"] == "dimensions"

    def test_a_declared_width_is_the_width_of_every_answer(self, upstream):
        for width in (16, 32, 64):
            assert [len(v) for v in vectors(upstream.embed(["a", "b"], model="test/cut", dimensions=width))] == [width] * 2
        assert upstream.embed("a", model="test/cut", dimensions=17).status == 400

    @pytest.mark.parametrize("kind", ["clustering", "classification", "query ", "QUERY"])
    def test_a_kind_of_input_the_model_does_not_honour_is_refused(self, router, kind):
        for model in (TAURUS, "test/ok"):
            answer = router.embed("a", model=model, input_type=kind)
            assert answer.status == 400 and answer.error["metadata"]["param"] == "input_type", answer.body


class TestD6LongTexts:
    """Texts of very different characters per token: at the model's limit or refused, never cut unasked."""

    @pytest.mark.parametrize(
        "unit", ["漢字仮名", "x = [i*i for i in range(9)]\n", "aGVsbG8gd29ybGQ= ", "!function(){var e=1;", "😀 ", "word "]
    )
    def test_a_text_fits_or_is_refused_with_its_count(self, router, unit):
        short, long = unit * 8, unit * 4000
        assert router.embed(short).status == 200
        answer = router.embed(["a", long])
        assert answer.status == 400 and answer.code == "context_length_exceeded", answer.body
        assert answer.error["metadata"]["item"] == 1 and "256" in answer.error["message"]


class TestD7Duplicates:
    def test_each_duplicate_gets_the_vector_of_its_text(self, upstream):
        texts = ["same"] * 96
        assert all(same_bits(v, vector_of("same")) for v in vectors(upstream.embed(texts, model="test/ok")))

    def test_duplicates_among_others_keep_their_places(self, upstream):
        texts = [f"text {i % 7}" for i in range(96)]
        answer = vectors(upstream.embed(texts, model="test/ok"))
        assert all(same_bits(v, vector_of(text)) for v, text in zip(answer, texts, strict=True))

    def test_duplicates_of_the_embedded_model_agree(self, router):
        answer = vectors(router.embed(["same", "other"] * 48))
        for at in range(2, 96):
            assert max(abs(a - b) for a, b in zip(answer[at], answer[at % 2], strict=True)) < 1e-2

    def test_the_same_text_in_a_hundred_requests_at_once(self, upstream):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: upstream.embed("same", model="test/ok"), range(100)))
        assert all(same_bits(vectors(answer)[0], vector_of("same")) for answer in answers)


class TestContentParts:
    """CONTRACT 2.1: one text part is a text; anything else is refused naming the part."""

    TEXT = {"type": "text", "text": "a text"}
    MEDIA = {
        "image_url": {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        "input_audio": {"type": "input_audio", "input_audio": {"data": "data:audio/wav;base64,AA==", "format": "wav"}},
        "input_video": {"type": "input_video", "input_video": {"data": "AA==", "format": "mp4"}},
        "input_file": {"type": "input_file", "input_file": {"data": "AA==", "format": "pdf"}},
    }

    def items(self, *contents) -> list:
        return [{"content": list(content)} for content in contents]

    def test_one_text_part_is_a_text(self, router):
        first, second = vectors(router.embed(self.items([self.TEXT], [{"text": "b", "type": "text", "x": [1]}]), model="test/ok"))
        assert same_bits(first, vector_of("a text")) and same_bits(second, vector_of("b"))

    @pytest.mark.parametrize("kind", MEDIA)
    @pytest.mark.parametrize("model", [TAURUS, "test/ok"])
    def test_media_is_refused_naming_the_part(self, router, model, kind):
        answer = router.embed(self.items([self.TEXT], [self.TEXT], [self.MEDIA[kind]]), model=model)
        refused(answer, "input[2].content[0]", 2)
        assert kind in answer.error["message"]

    @pytest.mark.parametrize("second", ["text", *MEDIA])
    def test_a_second_part_is_refused_naming_it(self, router, second):
        part = self.TEXT if second == "text" else self.MEDIA[second]
        refused(router.embed(self.items([self.TEXT], [self.TEXT], [self.TEXT, part])), "input[2].content[1]", 2)

    @pytest.mark.parametrize("kind", MEDIA)
    def test_media_without_its_payload_is_refused_naming_that(self, router, kind):
        refused(router.embed(self.items([{"type": kind, "data": "x"}])), f"input[0].content[0].{kind}", 0)
