"""Spaces and canaries (docs/spaces.md): no vector of another space, whatever has happened to an upstream."""

import json
import re
import sqlite3
import time

import pytest

from support.program import REPOSITORY, run
from support.right import assert_right
from support.router import configuration, provider, table
from support.vectors import as_floats, cosine, same_bits, vector_of
from support.wire import assert_envelope, eventually

TEXTS = ["one text", "another text", "something else"]
INTERVAL = "200ms"
MODEL = "test/model"


def model(*upstreams: str, id: str = MODEL, spaces=(), **members) -> str:
    """A model with an endpoint at provider a, b, … for each name; by default all of one space."""
    text = table("[[model]]", {"id": id, "dimensions": 64, "context_length": 8192, **members})
    for slug, (i, upstream) in zip("abcd", enumerate(upstreams)):
        space = {"space": spaces[i]} if spaces else {"space": "s"}
        text += table("[[model.endpoint]]", {"provider": slug, "upstream_model": upstream, **space})
    return text


def settings(base_urls, *models: str, embedded=False, **probe) -> str:
    probes = {"probe": {"enabled": True, "interval": INTERVAL, **probe}}
    providers = [provider(url, slug) for slug, url in zip("abcd", base_urls)]
    return configuration(*providers, embedded=embedded, sections=probes) + "".join(models)


def state(router, slug: str, id: str = MODEL) -> float:
    return router.metrics()[f'embedrouter_endpoint_space_state{{endpoint="{id}@{slug}"}}']


AGREEING, HELD_OUT, QUARANTINED = 1, 2, 3


def ask(router, texts=TEXTS, **members):
    return router.embed(texts, model=MODEL, **members)


def eventually_state(router, slug: str, wanted: float):
    """While there is traffic."""

    def reached():
        ask(router)
        return state(router, slug) == wanted

    eventually(reached, 20, f"{slug} is in state {wanted}")


def first_of_two_drifted(start_router, start_fake, into: str):
    """A router in front of two equal endpoints, of which `a` makes the vectors of `into` by now, and is out for it."""
    one, two = start_fake(), start_fake()
    router = start_router(settings([one.base_url, two.base_url], model("ok@a", "ok@a")))
    eventually_state(router, "a", AGREEING)
    eventually_state(router, "b", AGREEING)
    one.behave("ok@a", into)
    eventually_state(router, "a", QUARANTINED)
    return router


def refused(answer):
    assert answer.status == 503 and answer.code == "no_equivalent_upstream", answer.body
    assert_envelope(answer)


def records(router) -> dict[str, dict]:
    done = run("endpoints", "list", "--json", "--data-dir", router.data_dir)
    assert done.returncode == 0, done.stderr
    return {record["endpoint"]: record for record in json.loads(done.stdout)}


class TestOtherSpaces:
    @pytest.mark.parametrize("other", ["ok@elsewhere", "ok-d32@elsewhere"], ids=["E1_same_width", "E2_other_width"])
    def test_E1_E2_an_endpoint_of_other_weights_never_answers_for_a_dead_one(self, start_router, start_fake, other):
        dead, alive = start_fake(), start_fake()
        router = start_router(settings([dead.base_url, alive.base_url], model("ok", other)))
        assert_right(ask(router), TEXTS)
        eventually(lambda: state(router, "b") != AGREEING, 10, "b was looked at")
        dead.stop()
        for _ in range(5):
            answer = ask(router)
            assert answer.status in (502, 503), answer.body
            assert_envelope(answer)

    def test_E1_declared_spaces_are_kept_apart(self, start_router, start_fake):
        dead, alive = start_fake(), start_fake()
        dead.stop()
        router = start_router(settings([dead.base_url, alive.base_url], model("ok", "ok@t", spaces=("s", "t"))))
        refused(ask(router))
        answer = ask(router, headers={"X-Embedrouter-Space": "t"})
        assert_right(answer, TEXTS, space="t")
        assert answer.headers["X-Embedrouter-Space"] == "t"

    def test_E3_dead_at_boot_the_embedded_model_does_not_stand_in(self, start_router, start_fake):
        dead = start_fake()
        dead.stop()
        router = start_router(settings([dead.base_url], model("ok"), embedded=True))
        for _ in range(3):
            assert ask(router).status in (502, 503)
        assert router.embed("x").status == 200, "which is there for its own callers"

    def test_E9_a_pinned_space_is_412_elsewhere(self, start_router, fake):
        router = start_router(settings([fake.base_url], model("ok")))
        assert ask(router).headers["X-Embedrouter-Space"] == "s"
        answer = ask(router, headers={"X-Embedrouter-Space": "of-the-index"})
        assert answer.status == 412 and answer.code == "space_mismatch"

    def test_an_unproven_fallback_waits_and_is_refused_if_it_disagrees(self, start_router, start_fake):
        """At the very first request already: b answers only once it is known, and then it may not."""
        first, second = start_fake(), start_fake()
        first.behave("ok", "after-2-status-503")
        router = start_router(settings([first.base_url, second.base_url], model("ok", "ok@elsewhere"), interval="1h"))
        answer = ask(router)
        assert answer.status in (502, 503), answer.body
        assert [a["items"] for a in second.attempts()] == [4, 4], "canaries alone"

    def test_an_unproven_fallback_that_agrees_answers(self, start_router, start_fake):
        first, second = start_fake(), start_fake()
        first.stop()
        router = start_router(settings([first.base_url, second.base_url], model("ok", "ok")))
        assert_right(ask(router), TEXTS)


class TestDrift:
    @pytest.mark.parametrize("change", ["ok@other", "ok~10000", "ok~1000", "ok~300"])
    def test_E4_swapped_weights_are_quarantined_within_an_interval(self, start_router, start_fake, change):
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok@a")))
        assert_right(ask(router), TEXTS, space="a")
        eventually_state(router, "a", AGREEING)
        fake.behave("ok@a", change)
        eventually_state(router, "a", QUARANTINED)
        for _ in range(5):
            refused(ask(router))
        assert router.metrics()[f'embedrouter_endpoint_drifts_total{{endpoint="{MODEL}@a"}}'] == 1
        assert router.metrics()[f'embedrouter_canary_cosine{{endpoint="{MODEL}@a"}}'] < 0.9999
        assert re.search(r'"event":"space".*"to":"quarantined".*"against":"its history","cosine":-?[0-9]', router.program.log)
        # Released by agreement.
        fake.behave("ok@a", None)
        eventually_state(router, "a", AGREEING)
        assert_right(ask(router), TEXTS, space="a")

    def test_E4_with_an_equal_endpoint_no_request_fails_and_no_drifted_vector_follows(self, start_router, start_fake):
        router = first_of_two_drifted(start_router, start_fake, "ok@swapped")
        for i in range(50):
            assert_right(ask(router, [f"text {i}"]), [f"text {i}"], space="a")

    def test_E4_less_than_the_limit_is_no_drift(self, start_router, start_fake):
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok@a")))
        eventually_state(router, "a", AGREEING)
        fake.behave("ok@a", "ok~50")
        fake.forget()
        eventually(lambda: ask(router) and sum(a["items"] == 4 for a in fake.attempts()) > 4, 20, "probes")
        assert state(router, "a") == AGREEING

    def test_A6_an_upstream_that_shuffles_disagrees_with_itself(self, start_router, fake):
        router = start_router(settings([fake.base_url], model("shuffled")))
        eventually_state(router, "a", HELD_OUT)
        refused(ask(router))

    def test_quarantine_outlasts_a_restart(self, start_router, start_fake, tmp_path):
        fake = start_fake()
        config = settings([fake.base_url], model("ok@a"))
        router = start_router(config)
        eventually_state(router, "a", AGREEING)
        fake.behave("ok@a", "ok@b")
        eventually_state(router, "a", QUARANTINED)
        router.program.stop()
        again = start_router(config, data_dir=router.data_dir)
        assert state(again, "a") == QUARANTINED
        refused(ask(again))
        assert records(again)[f"{MODEL}@a"]["verdict"] == "quarantined"

    def test_the_operator_releases(self, start_router, start_fake):
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok@a")))
        eventually_state(router, "a", AGREEING)
        fake.behave("ok@a", "ok@b")
        eventually_state(router, "a", QUARANTINED)
        done = run("endpoints", "release", f"{MODEL}@a", "--data-dir", router.data_dir)
        assert done.returncode == 0 and "released" in done.stdout, done.stderr
        eventually(lambda: ask(router).status == 200, 5, "a second is enough, and more where the machine is busy")
        assert_right(ask(router), TEXTS, space="b")
        eventually_state(router, "a", AGREEING)
        assert run("endpoints", "release", "no/such@a", "--data-dir", router.data_dir).returncode == 5
        assert "agreeing" in run("endpoints", "list", "--data-dir", router.data_dir).stdout

    def test_a_released_endpoint_does_not_mix_with_one_that_answers(self, start_router, start_fake):
        router = first_of_two_drifted(start_router, start_fake, "ok@b")
        assert run("endpoints", "release", f"{MODEL}@a", "--data-dir", router.data_dir).returncode == 0
        eventually_state(router, "a", HELD_OUT)
        assert_right(ask(router), TEXTS, space="a")

    def test_E5_renamed_aliases_change_nothing(self, start_router, start_fake):
        fake = start_fake()
        before = start_router(settings([fake.base_url], model("ok@a", aliases=["small"])))
        eventually_state(before, "a", AGREEING)
        before.program.stop()
        renamed = settings([fake.base_url], model("openai/ok@a", id="test/renamed", aliases=["tiny"]))
        after = start_router(renamed, data_dir=before.data_dir)
        for _ in range(3):
            answer = after.embed(TEXTS, model="tiny")
            assert_right(answer, TEXTS, space="a")
            assert answer.headers["X-Embedrouter-Space"] == "s"
        eventually(lambda: after.embed("x", model="tiny") and state(after, "a", "test/renamed") == AGREEING, 10, "agrees")

    def test_E5_a_name_that_leads_to_other_weights_is_held_out(self, start_router, start_fake):
        fake = start_fake()
        before = start_router(settings([fake.base_url], model("ok@a")))
        eventually_state(before, "a", AGREEING)
        before.program.stop()
        after = start_router(settings([fake.base_url], model("ok@b", id="test/renamed")), data_dir=before.data_dir)
        refused(after.embed(TEXTS, model="test/renamed"))


class TestTolerance:
    def test_E6_endpoints_within_the_tolerance_are_one_space(self, start_router, start_fake):
        """~200 is a cosine of 0.9998: each vector right to within docs/spaces.md's tolerance, from either."""
        one, two = start_fake(), start_fake()
        router = start_router(settings([one.base_url, two.base_url], model("ok@a", "ok@a~200")))
        eventually_state(router, "a", AGREEING)
        eventually_state(router, "b", AGREEING)
        one.stop()
        answer = ask(router)
        assert answer.status == 200, answer.body
        for text, entry in zip(TEXTS, answer.json["data"], strict=True):
            assert cosine(as_floats(entry["embedding"]), vector_of(text, "a")) >= 0.9995

    def test_E6_beyond_it_they_are_not(self, start_router, start_fake):
        """~447 is a cosine of 1 - 1e-3."""
        one, two = start_fake(), start_fake()
        router = start_router(settings([one.base_url, two.base_url], model("ok@a", "ok@a~447")))
        eventually_state(router, "b", HELD_OUT)
        one.stop()
        assert ask(router).status in (502, 503)

    def test_E6_the_operator_may_ask_for_less(self, start_router, start_fake):
        one, two = start_fake(), start_fake()
        router = start_router(settings([one.base_url, two.base_url], model("ok@a", "ok@a~447"), threshold=0.99))
        eventually_state(router, "b", AGREEING)

    def test_E6_without_fallbacks_a_batch_is_of_one_endpoint(self, start_router, start_fake):
        one, two = start_fake(), start_fake()
        config = settings([one.base_url, two.base_url], model("ok@a", "ok@a~200"))
        router = start_router(config.replace('upstream_model = "ok@a', 'max_batch_items = 1\nupstream_model = "ok@a'))
        texts = [f"text {i}" for i in range(20)]
        strict = {"provider": {"allow_fallbacks": False}}
        answers = [ask(router, texts, **strict) for _ in range(5)]
        for answer in answers:
            vectors = [as_floats(entry["embedding"]) for entry in answer.json["data"]]
            right = [[same_bits(v, vector_of(t, "a", drift=d)) for v, t in zip(vectors, texts)] for d in (0, 200)]
            assert all(right[0]) or all(right[1]), "of one endpoint, bit for bit"


class TestProbes:
    def test_canaries_are_sent_only_with_traffic(self, start_router, start_fake):
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok")))
        time.sleep(1)
        assert fake.attempts() == []
        eventually_state(router, "a", AGREEING)
        fake.forget()
        time.sleep(1.5)
        assert len(fake.attempts()) <= 1, "one probe may be due to the traffic there was"

    def test_connections_that_canaries_left_open_do_not_hold_up_the_end(self, start_router, start_fake):
        """The fake keeps them for a minute, the router for half of one."""
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok")))
        eventually_state(router, "a", AGREEING)
        began = time.monotonic()
        router.program.stop()
        assert time.monotonic() - began < 15

    def test_switched_off_there_are_none(self, start_router, start_fake):
        fake = start_fake()
        router = start_router(settings([fake.base_url], model("ok"), enabled=False))
        for _ in range(3):
            assert_right(ask(router), TEXTS)
        assert [a["items"] for a in fake.ended("ok")] == [3, 3, 3]
        assert "embedrouter_endpoint_space_state" not in str(router.metrics())

    def test_an_upstream_that_hangs_at_canaries_delays_nobody(self, start_router, start_fake):
        hung, well = start_fake(), start_fake()
        config = settings([hung.base_url, well.base_url], model("ok"))
        config += model("x", "ok", id="test/other", spaces=("t", "u")).replace('provider = "a"\nupstream_model = "x"', 'provider = "a"\nupstream_model = "silent"')
        router = start_router(config)
        order = {"provider": {"only": ["b"]}}
        for _ in range(10):
            began = time.monotonic()
            assert router.embed(TEXTS, model="test/other", **order).status == 200
            assert ask(router).status == 200
            assert time.monotonic() - began < 5

    @pytest.mark.parametrize("damage", ["UPDATE fingerprints SET fingerprint = x'00'", "UPDATE fingerprints SET verdict = 'x'"])
    def test_a_damaged_history_is_as_none_and_said_so(self, start_router, start_fake, damage):
        fake = start_fake()
        config = settings([fake.base_url], model("ok@a"))
        before = start_router(config)
        eventually_state(before, "a", AGREEING)
        before.program.stop()
        with sqlite3.connect(before.data_dir / "embedrouter.db") as database:
            database.execute(damage)
        after = start_router(config, data_dir=before.data_dir)
        assert_right(ask(after), TEXTS, space="a")
        eventually_state(after, "a", AGREEING)
        assert '"event":"space_history"' in after.program.log

    def test_the_page_says_what_the_program_does(self):
        page = (REPOSITORY / "docs/spaces.md").read_text()
        source = (REPOSITORY / "src/routing/spaces.cpp").read_text()
        texts = re.findall(r'^    "(.*)",$', source, re.M)
        assert len(texts) == 4 and all(text in page for text in texts)
        assert "0.9995" in page and "0.9999" in page
