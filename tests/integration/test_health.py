"""What becomes of endpoints that fail, and how they come back (docs/health.md)."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import wire
from support.router import configuration, provider, table
from support.vectors import as_floats, same_bits, vector_of

FIRST_EJECTION = 5 * 1.2  # seconds, with its jitter
texts = (f"text {i}" for i in itertools.count())


def model(id: str, *upstreams: str, provider: str = "fake{}", **members) -> str:
    """A model with an endpoint for each upstream model, of providers fake0, fake1 …; the first is the cheapest."""
    places = [
        {"provider": provider.format(i), "upstream_model": name, "pricing.prompt": f"0.0000000{i + 1}", **members}
        for i, name in enumerate(upstreams)
    ]
    return table("[[model]]", {"id": id, "dimensions": 64, "context_length": 8192}) + "".join(
        table("[[model.endpoint]]", place) for place in places
    )


class Bench:
    """One fake upstream behind as many providers as a model has endpoints. Each test has names of its own."""

    def __init__(self, fake, start_router, count: int, **provider_members):
        self.fake = fake
        self.id = f"t{next(self.ids)}"
        self.upstreams = [f"{self.id}-{i}/ok" for i in range(count)]
        self.model = f"test/{self.id}"
        providers = [provider(fake.base_url, slug=f"fake{i}", **provider_members) for i in range(count)]
        self.router = start_router(configuration(*providers, model(self.model, *self.upstreams), embedded=False))

    ids = itertools.count()

    def embed(self, **members):
        """Cheapest first, so that it is known who is asked. A 200 holds the right vector."""
        text = next(texts)
        answer = self.router.embed(text, model=self.model, **{"provider": {"sort": "price"}, **members})
        if answer.status == 200:
            assert same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of(text))
        return answer

    def served(self, times: int) -> list[str]:
        answers = [self.embed() for _ in range(times)]
        assert [answer.status for answer in answers] == [200] * times
        return [answer.json["provider"] for answer in answers]

    def attempts(self, i: int) -> int:
        return len(self.fake.attempts(self.upstreams[i]))

    def break_(self, i: int, how: str = "status-503") -> None:
        self.fake.behave(self.upstreams[i], how)

    def heal(self, i: int) -> None:
        self.fake.behave(self.upstreams[i], None)

    def explain(self, **members) -> list[dict]:
        body = {"input": "x", "model": self.model, "provider": {"sort": "price"}, **members}
        answer = self.router.request("POST", "/api/v1/embeddings/explain", body)
        assert answer.status == 200, answer.body
        return answer.json["data"]["endpoints"]

    def health(self, i: int) -> dict:
        [mine] = [e["health"] for e in self.explain() if e["tag"] == f"fake{i}"]
        return mine

    def statuses(self) -> list[int]:
        answer = self.router.request("GET", f"/api/v1/models/{self.model}/endpoints")
        return [endpoint["status"] for endpoint in answer.json["data"]["endpoints"]]

    def metric(self, name: str, i: int, **labels) -> float:
        labels = {"endpoint": f"{self.model}@fake{i}", **labels}
        inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return self.router.metrics()[f"embedrouter_{name}{{{inner}}}"]

    def changes(self, i: int) -> list[dict]:
        lines = [json.loads(line) for line in self.router.program.err if "endpoint_ejected" in line or "endpoint_returned" in line]
        return [line for line in lines if line["endpoint"] == f"{self.model}@fake{i}"]


@pytest.fixture
def bench(fake, start_router):
    return lambda count, **members: Bench(fake, start_router, count, **members)


def test_C10_a_flapping_upstream_is_left_alone_and_back_with_one_probe(bench):
    b = bench(2)
    b.break_(0)
    assert b.served(40) == ["fake1"] * 40
    assert b.attempts(0) == 3, "three failures in a row eject"
    assert b.health(0)["state"] == "open" and b.statuses() == [-5, 0]

    wire.eventually(lambda: b.health(0)["state"] == "half_open", wire.PATIENCE, "the ejection ends")
    assert b.statuses() == [-3, 0]
    assert b.served(20) == ["fake1"] * 20
    assert b.attempts(0) == 4, "one request proved that it is still broken"
    assert b.health(0)["seconds_left"] > FIRST_EJECTION, "the second ejection is longer"
    asked = b.attempts(0) + b.attempts(1)
    assert asked == 60 + 4, "every request was answered by its first or second attempt"

    b.heal(0)
    wire.eventually(lambda: b.health(0)["state"] == "half_open", wire.PATIENCE, "the ejection ends")
    assert b.served(10) == ["fake0"] * 10
    assert b.attempts(0) == 14, "the probe was one of them"
    assert b.health(0)["state"] == "closed" and b.statuses() == [0, 0]


def test_E7_requests_return_to_the_primary_when_it_is_up_again(start_fake, start_router):
    primary, second = start_fake(), start_fake()
    config = configuration(
        provider(primary.base_url, slug="fake0", name="Primary"),
        provider(second.base_url, slug="fake1", name="Second"),
        model("test/m", "ok", "ok"),
        embedded=False,
    )
    router = start_router(config)
    prefer = {"order": ["fake0", "fake1"]}

    def served() -> str:
        answer = router.embed(next(texts), model="test/m", provider=prefer)
        assert answer.status == 200, answer.body
        return answer.json["provider"]

    assert served() == "Primary"
    primary.stop()
    assert [served() for _ in range(20)] == ["Second"] * 20
    start_fake(port=primary.port)
    wire.eventually(lambda: served() == "Primary", wire.PATIENCE, "the primary is asked again")
    assert [served() for _ in range(10)] == ["Primary"] * 10


def test_B1_a_silent_upstream_costs_three_requests_its_deadline_and_no_more(bench):
    b = bench(2, first_byte_timeout="300ms")
    b.break_(0, "silent")
    assert b.served(30) == ["fake1"] * 30
    assert b.attempts(0) == 3
    assert b.changes(0)[0]["cause"] == "upstream_timeout"


def test_a_single_endpoint_is_asked_however_often_it_failed(bench):
    b = bench(1)
    b.break_(0)
    assert {b.embed().status for _ in range(5)} == {502}
    assert b.health(0)["state"] == "open"
    b.heal(0)
    assert b.served(3) == ["fake0"] * 3, "fail open: nobody waits for an ejection to end"
    assert b.health(0)["state"] == "closed", "an answer proves it"


def test_when_all_are_out_all_are_asked(bench):
    b = bench(2)
    for i in (0, 1):
        b.break_(i)
    assert {b.embed().status for _ in range(6)} == {502}
    assert [b.health(i)["state"] for i in (0, 1)] == ["open", "open"]
    for i in (0, 1):
        before = b.attempts(i)
        b.heal(i)
        answer = b.embed()
        assert answer.status == 200 and answer.json["provider"] == f"fake{i}"
        assert b.attempts(i) == before + 1
        b.break_(i)


def test_at_most_half_of_the_endpoints_are_ejected(bench):
    b = bench(4)
    for i in (0, 1, 2):
        b.break_(i)
    assert b.served(12) == ["fake3"] * 12
    standings = {e["tag"]: e["health"]["standing"] for e in b.explain()}
    assert sorted(standings.values()) == ["ejected", "ejected", "stable", "unsteady"], standings
    assert standings["fake3"] == "stable"


def test_a_rate_limit_is_waited_for_and_no_outage(bench):
    b = bench(2)
    b.break_(0, "status-429-retry-2")
    assert b.served(10) == ["fake1"] * 10
    assert b.attempts(0) == 1, "it said when to come back"
    assert b.health(0)["standing"] == "cooling" and b.health(0)["state"] == "closed"
    assert 0 < b.health(0)["seconds_left"] <= 2 and b.health(0)["rate_limited_last_5m"] == 1
    assert b.statuses() == [-2, 0]
    b.heal(0)
    wire.eventually(lambda: b.health(0)["standing"] != "cooling", wire.PATIENCE, "the time is over")
    assert b.served(5) == ["fake0"] * 5
    assert b.changes(0) == [], "the breaker did not move"


def test_what_the_caller_must_mend_counts_against_nobody(bench):
    b = bench(2)
    b.break_(0, "status-400")
    for _ in range(10):
        assert b.embed().status == 400
    assert b.health(0)["standing"] == "stable" and b.statuses() == [0, 0]


def test_behaviour_30_a_broken_provider_changes_nothing_for_another(fake, start_router):
    good, bad = "untouched/ok", "broken/ok"
    config = configuration(
        provider(fake.base_url, slug="good"),
        provider(fake.base_url, slug="bad", first_byte_timeout="2s"),
        model("test/good", good, provider="good"),
        model("test/bad", bad, provider="bad"),
        embedded=False,
    )
    router = start_router(config)
    fake.behave(bad, "silent")
    with ThreadPoolExecutor(12) as pool:
        broken = [pool.submit(router.embed, next(texts), model="test/bad") for _ in range(8)]
        wire.eventually(lambda: len(fake.attempts(bad)) >= 8, wire.PATIENCE, "eight requests hang")
        sound = [pool.submit(router.embed, next(texts), model="test/good") for _ in range(100)]
        assert [call.result().status for call in sound] == [200] * 100
        assert not any(call.done() for call in broken), "all hundred were answered while the eight hung"
        assert {call.result().status for call in broken} == {504}
    fake.behave(bad, None)
    assert len(fake.attempts(good)) == 100, "each was one attempt"
    metrics = router.metrics()
    assert metrics['embedrouter_endpoint_state{endpoint="test/good@good"}'] == 0
    assert metrics['embedrouter_endpoint_state{endpoint="test/bad@bad"}'] == 2


def test_changes_are_logged_and_counted_once_each(bench):
    b = bench(2)
    assert b.metric("endpoint_state", 0) == 0
    assert b.metric("endpoint_state_changes_total", 0, to="open") == 0
    b.break_(0)
    b.served(10)
    assert b.metric("endpoint_state", 0) == 2 and b.metric("endpoint_state", 1) == 0
    b.heal(0)
    wire.eventually(lambda: b.served(1) == ["fake0"], wire.PATIENCE, "it is back")
    ejected, returned = wire.eventually(lambda: len(b.changes(0)) >= 2 and b.changes(0), 5, "two lines")
    assert ejected["event"] == "endpoint_ejected" and ejected["level"] == "warning"
    assert ejected["cause"] == "upstream_error" and ejected["status"] == 503
    assert 4000 <= ejected["lasts_ms"] <= 6000 and ejected["until"] > ejected["time"]
    assert returned["event"] == "endpoint_returned" and returned["level"] == "info"
    assert b.metric("endpoint_state", 0) == 0
    for to in ("open", "closed"):
        assert b.metric("endpoint_state_changes_total", 0, to=to) == 1
