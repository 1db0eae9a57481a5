"""Several keys for one provider: who is tried, who is left alone, and what the caller notices of it: nothing."""

import hashlib
import json
import threading
import time

import pytest

from support.right import assert_right
from support.router import Model, configuration, provider
from support.wire import assert_envelope

KEYS = {"FIRST_KEY": "sk-first-of-two", "SECOND_KEY": "sk-second-of-two"}
STATES = ("ready", "limited", "forbidden", "refused", "exhausted")


def digest(name: str) -> str:
    return hashlib.sha256(f"Bearer {KEYS[name]}".encode()).hexdigest()


def states(router) -> dict[str, int]:
    metrics = router.metrics()
    counts = {s: int(metrics[f'embedrouter_provider_keys{{provider="fake",state="{s}"}}']) for s in STATES}
    return {state: count for state, count in counts.items() if count}


def events(router, event: str) -> list[dict]:
    lines = (json.loads(line) for line in router.program.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


@pytest.fixture
def start(start_router, fake):
    """A router with these keys and a model for each of these faults of the fake upstream."""

    def go(*faults: str, keys=tuple(KEYS), **members):
        models = [Model(f"test/{name.split('@')[0]}", name) for name in faults]
        of = provider(fake.base_url, api_key_env=list(keys), **members)
        return start_router(configuration(of, models=models, embedded=False), environment=KEYS)

    return go


@pytest.mark.parametrize("status,state", [(401, "refused"), (403, "forbidden")], ids=["C8-401", "C8-403"])
def test_the_other_key_is_used_when_one_is_refused(start, fake, status, state):
    model = f"first-key-{status}@used"
    router = start(model)
    for i in range(20):
        texts = [f"text {i}", "another"]
        answer = router.embed(texts, model=f"test/first-key-{status}")
        assert_right(answer, texts, space="used")
    seen = [(a["authorization_sha256"], a["status"]) for a in fake.ended(model)]
    assert seen == [(digest("FIRST_KEY"), status)] + [(digest("SECOND_KEY"), 200)] * 20
    assert states(router) == {state: 1, "ready": 1}
    assert router.metrics()['embedrouter_attempts_total{endpoint="test/first-key-%d@fake",outcome="error"}' % status] == 0
    [parked] = events(router, "provider_key_parked")
    assert (parked["provider"], parked["key"], parked["status"]) == ("fake", 1, status)


def test_c4_the_other_key_is_used_when_one_is_exhausted(start, fake):
    router = start("first-key-quota@spent")
    for _ in range(10):
        assert router.embed("a", model="test/first-key-quota").status == 200
    assert [a["status"] for a in fake.ended("first-key-quota@spent")] == [429] + [200] * 10
    assert states(router) == {"exhausted": 1, "ready": 1}


def test_keys_are_used_in_turn(start, fake):
    router = start("ok@turns")
    for _ in range(10):
        assert router.embed("a", model="test/ok").status == 200
    seen = [a["authorization_sha256"] for a in fake.ended("ok@turns")]
    assert seen.count(digest("FIRST_KEY")) == seen.count(digest("SECOND_KEY")) == 5
    assert states(router) == {"ready": 2}


def test_c8_a_key_revoked_under_load_costs_no_request(start, fake):
    router = start("ok@revoked")
    assert router.embed("a", model="test/ok").status == 200
    wrong: list = []
    count = 0
    end = time.monotonic() + 4

    def ask(thread: int) -> None:
        nonlocal count
        while time.monotonic() < end:
            answer = router.embed(f"text of {thread}", model="test/ok")
            count += 1
            if answer.status != 200:
                wrong.append(answer.body)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    fake.behave("ok@revoked", "first-key-401")
    for thread in threads:
        thread.join()
    fake.behave("ok@revoked", None)
    assert not wrong and count > 100
    refused = [a for a in fake.ended("ok@revoked") if a["status"] == 401]
    assert 1 <= len(refused) <= 8, "those under way when it was revoked, and none after"
    assert states(router) == {"refused": 1, "ready": 1}
    assert len(events(router, "provider_key_parked")) == 1


@pytest.mark.parametrize(
    "fault,status,code",
    [
        ("status-401", 403, "upstream_unauthorized"),
        ("status-403", 403, "upstream_forbidden"),
        ("status-402", 402, "upstream_quota"),
        ("status-429-quota", 402, "upstream_quota"),
        ("status-400-usage-limit", 402, "upstream_quota"),
        ("error-in-200-402", 402, "upstream_quota"),
    ],
    ids=lambda value: f"C4-{value}" if isinstance(value, str) else None,
)
def test_what_will_not_heal_is_told_plainly_and_sent_once_with_each_key(start, fake, fault, status, code):
    router = start(f"{fault}@all")
    before = len(fake.attempts(f"{fault}@all"))
    for _ in range(5):
        answer = router.embed("a", model=f"test/{fault}")
        assert (answer.status, answer.code) == (status, code), answer.body
        assert_envelope(answer)
        assert "the operator of the router must mend that" in answer.error["message"]
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert not any(key.encode() in answer.body for key in KEYS.values())
        assert "availability" not in answer.error, "another try will not help"
    sent = fake.ended(f"{fault}@all")[before:]
    assert [a["authorization_sha256"] for a in sent] == [digest("FIRST_KEY"), digest("SECOND_KEY")]
    assert "ready" not in states(router)


def test_a13_a_402_inside_a_200_parks_the_key(start):
    router = start("error-in-200-402@inside")
    assert router.embed("a", model="test/error-in-200-402").status == 402
    assert states(router) == {"exhausted": 2}


def test_c4_a_balance_that_is_back_on_a_day_is_asked_after_a_day_at_most(start, fake):
    router = start("status-400-usage-limit@day", keys=["FIRST_KEY"])
    answer = router.embed("a", model="test/status-400-usage-limit")
    assert answer.status == 402 and answer.headers["Retry-After"] == "60"
    [parked] = events(router, "provider_key_parked")
    assert parked["ms"] == 24 * 3600 * 1000


def test_a_key_parked_for_one_model_is_parked_for_all_and_a_reload_takes_it_back(start, fake):
    router = start("status-401@one", "ok@one", keys=["FIRST_KEY"])
    assert router.embed("a", model="test/ok").status == 200
    assert router.embed("a", model="test/status-401").status == 403
    answer = router.embed("a", model="test/ok")
    assert answer.status == 403 and len(fake.attempts("ok@one")) == 1
    router.reload(router.config_file.read_text())
    assert router.embed("a", model="test/ok").status == 200


def test_keys_from_files_and_the_same_key_twice(start_router, fake, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"sk-in-a-file-{name}\n")
    of = provider(fake.base_url, api_key_file=[tmp_path / "one", tmp_path / "two"])
    router = start_router(configuration(of, models=[Model("test/ok", "ok@files")], embedded=False))
    for _ in range(2):
        assert router.embed("a", model="test/ok").status == 200
    digests = {hashlib.sha256(f"Bearer sk-in-a-file-{name}".encode()).hexdigest() for name in ("one", "two")}
    assert {a["authorization_sha256"] for a in fake.ended("ok@files")} == digests
    (tmp_path / "two").write_text("sk-in-a-file-one\n")
    router.reload(router.config_file.read_text(), expect="refused")
    assert "sk-in-a-file" not in router.program.log
