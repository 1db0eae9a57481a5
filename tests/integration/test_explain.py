"""Where a request would go: POST /embeddings/explain and `embedrouter route --explain`."""

import itertools
import json

import pytest

from support.program import run
from support.router import Router, configuration, provider, table

USAGE, NOT_FOUND = 2, 5
EXPLAIN = "/api/v1/embeddings/explain"
texts = (f"explained {i}" for i in itertools.count())


@pytest.fixture(scope="module")
def routed(tmp_path_factory, fake):
    """Three endpoints of one space at 1, 2 and 10 USD per million tokens, one of another space at 20."""
    endpoints = [
        {"provider": "cheap", "upstream_model": "x1/ok", "pricing.prompt": "0.000001", "max_batch_items": 2},
        {"provider": "middle", "upstream_model": "x2/ok", "pricing.prompt": "0.000002"},
        {"provider": "dear", "upstream_model": "x3/ok", "pricing.prompt": "0.00001"},
        {"provider": "other", "upstream_model": "x4/ok@elsewhere", "pricing.prompt": "0.00002", "space": "elsewhere"},
    ]
    for endpoint in endpoints[:3]:
        endpoint["space"] = "here"
    config = configuration(
        *(provider(fake.base_url, slug=e["provider"], name=e["provider"].title()) for e in endpoints),
        table("[[model]]", {"id": "test/m", "aliases": ["em"], "dimensions": 64, "context_length": 8192})
        + "".join(table("[[model.endpoint]]", e) for e in endpoints),
        embedded=False,
    )
    router = Router(tmp_path_factory.mktemp("explain"), config)
    yield router
    router.stop()


def explain(router, input="x", headers=None, **members) -> dict:
    answer = router.request("POST", EXPLAIN, {"input": input, "model": "test/m", **members}, headers)
    assert answer.status == 200, answer.body
    return answer.json["data"]


def kept(data) -> list[str]:
    return [e["tag"] for e in data["endpoints"] if e["place"]]


def dropped(data) -> dict[str, str]:
    return {e["tag"]: e["dropped_by"] for e in data["endpoints"] if not e["place"]}


def calls(fake) -> int:
    return sum(len(fake.attempts(name)) for name in ("x1/ok", "x2/ok", "x3/ok", "x4/ok@elsewhere"))


def test_the_default_shows_shares_and_sends_nothing(routed, fake):
    before = calls(fake)
    data = explain(routed, ["a", "b", "c"])
    assert kept(data) == ["cheap", "middle", "dear"] and dropped(data) == {"other": "space"}
    assert data["model"] == "test/m" and data["strategy"] == "balanced" and data["space"] == "here"
    assert data["items"] == 3 and data["fault"] is None and data["fallbacks"] is True
    # 1/price² is 1, 1/4, 1/100 of 1.26; the last is lifted to the least share, 2 %.
    shares = [e["share"] for e in data["endpoints"][:3]]
    assert shares == pytest.approx([0.784, 0.196, 0.02], abs=1e-3)
    assert [e["calls"] for e in data["endpoints"]] == [2, 1, 1, 1], "three texts, two a call of the first"
    assert [e["max_batch_items"] for e in data["endpoints"]] == [2, 2048, 2048, 2048]
    assert [e["price_prompt"] for e in data["endpoints"][:3]] == ["0.000001", "0.000002", "0.00001"]
    assert calls(fake) == before, "nothing was sent"


CASES = [
    ({"sort": "price"}, "price", ["cheap", "middle", "dear"], {"other": "space"}),
    ({"order": ["dear", "middle"]}, "order", ["dear", "middle", "cheap"], {"other": "space"}),
    ({"order": ["other"]}, "order", ["other"], {"cheap": "space", "middle": "space", "dear": "space"}),
    ({"ignore": ["cheap"], "sort": "price"}, "price", ["middle", "dear"], {"cheap": "provider.ignore", "other": "space"}),
    (
        {"max_price": {"prompt": 1}, "sort": "price"}, "price", ["cheap"],
        {"middle": "provider.max_price", "dear": "provider.max_price", "other": "provider.max_price"},
    ),
]  # fmt: skip


@pytest.mark.parametrize("preferences,strategy,places,out", CASES, ids=[json.dumps(c[0]) for c in CASES])
def test_the_order_told_is_the_order_taken(routed, preferences, strategy, places, out):
    data = explain(routed, provider=preferences)
    assert data["strategy"] == strategy
    assert kept(data) == places and dropped(data) == out
    assert [e["share"] for e in data["endpoints"] if e["place"]] == [1] + [0] * (len(places) - 1)
    assert all(e["why"] for e in data["endpoints"] if not e["place"]), "each is told to people too"
    answer = routed.embed(next(texts), model="test/m", provider=preferences, headers={"X-OpenRouter-Metadata": "enabled"})
    told = answer.json["openrouter_metadata"]["endpoints"]["available"]
    assert [e["provider"].lower() for e in told] == places
    assert answer.json["provider"].lower() == places[0]


def test_the_shares_told_are_the_shares_drawn(routed):
    """400 draws of a share of 0.78: ten standard deviations are 0.21."""
    share = explain(routed)["endpoints"][0]["share"]
    first = [routed.embed(next(texts), model="test/m").json["provider"] for _ in range(400)]
    assert abs(first.count("Cheap") / 400 - share) < 0.21
    assert len(set(first)) > 1, "chance decides"


def test_suffix_and_alias_are_told(routed):
    data = explain(routed, model="em:floor")
    assert (data["model"], data["requested"], data["strategy"]) == ("test/m", "em:floor", "price")


def test_a_request_nobody_may_answer_is_explained(routed):
    data = explain(routed, provider={"only": ["nobody"]})
    assert kept(data) == [] and set(dropped(data).values()) == {"provider.only"} and len(dropped(data)) == 4
    fault = data["fault"]
    sent = routed.embed("x", model="test/m", provider={"only": ["nobody"]})
    assert (fault["status"], fault["code"], fault["message"]) == (sent.status, sent.code, sent.error["message"])
    assert fault["param"] == "provider.only" and data["space"] is None
    data = explain(routed, dimensions=7)
    assert data["fault"]["status"] == 400 and set(dropped(data).values()) == {"dimensions"}


def test_a_pinned_space_is_honoured(routed):
    data = explain(routed, headers={"X-Embedrouter-Space": "elsewhere"})
    assert kept(data) == ["other"] and set(dropped(data).values()) == {"X-Embedrouter-Space"}
    assert explain(routed, headers={"X-Embedrouter-Space": "nowhere"})["fault"]["status"] == 412


def test_what_is_no_request_is_refused_as_elsewhere(routed):
    post = lambda body, **options: routed.request("POST", EXPLAIN, body, **options)  # noqa: E731
    good = {"input": "x", "model": "test/m"}
    assert post({**good, "model": "test/absent"}).code == "model_not_found"
    assert post({**good, "input": ""}).status == 400
    assert post(b"{").status == 400
    assert post(good, headers={"Authorization": None}).status == 401
    assert routed.request("GET", EXPLAIN).status == 405


class TestCommand:
    @pytest.fixture
    def cli(self, routed):
        def call(*arguments, **options):
            environment = {"OPENROUTER_API_KEY": routed.key, "OPENROUTER_BASE_URL": routed.api}
            return run("route", *arguments, environment=environment, **options)

        return call

    def test_a_table_for_people(self, cli):
        done = cli("--explain", "--model", "test/m", "--provider", '{"sort":"price","ignore":["middle"]}', "a", "b", "c")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[0] == "test/m, by price, 3 inputs, in space here"
        head, *rows = [line.split() for line in lines[2:]]
        assert head[:4] == ["PLACE", "SHARE", "ENDPOINT", "HEALTH"]
        assert rows[0][:5] == ["1", "100.0", "%", "test/m@cheap", "stable"] and rows[0][-2:] == ["2", "$0.000001"]
        assert rows[1][:4] == ["2", "0.0", "%", "test/m@dear"]
        assert rows[2][:3] == ["-", "-", "test/m@middle"]
        assert " ".join(rows[3]) == "out by provider.ignore: it is among the ignored providers"
        assert rows[4][2] == "test/m@other" and rows[5][:3] == ["out", "by", "space:"]

    def test_standard_input_and_json(self, cli, routed):
        done = cli("--explain", "--model", "test/m", "--json", input="one\ntwo\n")
        assert done.returncode == 0, done.stderr
        data = json.loads(done.stdout)["data"]
        assert data["items"] == 2 and kept(data) == kept(explain(routed))

    def test_what_would_fail_is_said(self, cli):
        done = cli("--explain", "--model", "test/m", "--provider", '{"only":["nobody"]}', "a")
        assert done.returncode == 0 and "It would fail: no endpoint of the model is left" in done.stdout

    def test_exit_statuses(self, cli):
        assert cli("a").returncode == USAGE, "--explain is all it can do"
        assert cli("--explain", "--provider", "[]", "a").returncode == USAGE
        assert cli("--explain", "--provider", '{"only":', "a").returncode == USAGE
        absent = cli("--explain", "--model", "test/absent", "a")
        assert absent.returncode == NOT_FOUND and "no model of that name" in absent.stderr
