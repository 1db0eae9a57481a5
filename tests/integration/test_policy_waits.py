"""How long a provider is left alone after a 429: what the caller is told and what the router itself keeps to."""

import time

import pytest

from support.router import Model, Router, configuration, model_of, provider
from support.wire import assert_envelope

SLACK = 1.5  # seconds; of a slow machine, upwards only
# fault: (least, most) seconds until the provider is asked again. Dates have whole seconds.
WAITS = {
    "status-429-retry-2": (2, 2),
    "status-429-retry-imf": (1, 2),
    "status-429-retry-rfc850": (1, 2),
    "status-429-retry-asctime": (1, 2),
    "status-429-retry-fraction": (1.5, 1.5),
    "status-429-retry-ms-700": (0.7, 0.7),
    "status-429-reset-epoch": (1, 2),
}
# fault: seconds, of which a minute is believed.
LONG = {"status-429-retry-1000000000": 60, "status-429-reset-duration": 60, "status-429-text": 55}
NOTHING = ["status-429-retry-past", "status-429-retry-negative", "status-429-retry-junk", "status-429-retry-0"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory, fake):
    models = [Model(f"test/{name}", f"{name}@waits") for name in [*WAITS, *LONG, *NOTHING, "status-429", "error-in-200-429"]]
    router = Router(
        tmp_path_factory.mktemp("waits"), configuration(provider(fake.base_url), models=models, embedded=False)
    )
    yield router
    router.stop()


def told(answer) -> int | None:
    assert answer.status == 429 and answer.code == "upstream_rate_limited", answer.body
    assert_envelope(answer)
    hint = answer.headers["Retry-After"]
    return None if hint is None else int(hint)


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"C1-{fault}")
def test_the_router_waits_as_long_as_it_is_told_and_tells_the_caller(limited, fake, fault):
    least, most = WAITS[fault]
    assert 1 <= told(limited.embed("a", model=f"test/{fault}")) <= most + 0.999
    attempts = lambda: fake.attempts(f"{fault}@waits")  # noqa: E731
    while len(attempts()) < 2:
        answer = limited.embed("a", model=f"test/{fault}")
        assert 1 <= told(answer) <= most + 0.999
        assert answer.error["metadata"]["provider_name"] == "fake"
        time.sleep(0.02)
    first, second = attempts()[:2]
    assert least - 0.05 <= second["at"] - first["at"] <= most + SLACK


@pytest.mark.parametrize("fault", LONG, ids=lambda fault: f"C1-{fault}")
def test_a_long_wait_is_a_minute_at_most(limited, fake, fault):
    for _ in range(5):
        assert LONG[fault] - 5 <= told(limited.embed("a", model=f"test/{fault}")) <= LONG[fault]
    assert len(fake.attempts(f"{fault}@waits")) == 1, "and it is kept to"


@pytest.mark.parametrize("fault", NOTHING, ids=lambda fault: f"C1-{fault}")
def test_what_is_no_time_is_as_if_nothing_was_said(limited, fake, fault):
    assert told(limited.embed("a", model=f"test/{fault}")) in (None, 1)
    assert told(limited.embed("a", model=f"test/{fault}")) in (None, 1)
    assert len(fake.attempts(f"{fault}@waits")) == 2, "a first 429 without a time may be followed at once"
    assert told(limited.embed("a", model=f"test/{fault}")) == 1
    assert len(fake.attempts(f"{fault}@waits")) == 2, "a second may not"


def test_c3_a_persistent_429_without_a_time_is_asked_ever_less(limited, fake):
    end = time.monotonic() + 4
    asked = 0
    while time.monotonic() < end:
        told(limited.embed("a", model="test/status-429"))
        asked += 1
    attempts = fake.attempts("status-429@waits")
    assert asked > 50 and 3 <= len(attempts) <= 7, "at once, then after 0.25 s, 0.5 s, 1 s, 2 s"
    gaps = [b["at"] - a["at"] for a, b in zip(attempts[1:], attempts[2:], strict=False)]
    for nth, gap in enumerate(gaps):
        assert gap >= 0.8 * 0.25 * 2**nth - 0.05, gaps


def test_c3_no_two_pauses_are_alike(start_router, start_fake):
    """Else keys and replicas that were refused together would come back together."""
    fake = start_fake()
    names = [f"status-429@n{i}" for i in range(12)]
    router = start_router(
        configuration(provider(fake.base_url), models=[Model(f"test/n{i}", name) for i, name in enumerate(names)], embedded=False)
    )  # fmt: skip
    for _ in range(2):
        for i in range(12):
            router.embed("a", model=f"test/n{i}")
    paused = [line for line in router.program.log.splitlines() if "provider_key_paused" in line]
    assert len(paused) == 12 and len(set(line.rsplit('"ms":', 1)[1] for line in paused)) > 4


def test_a13_a_429_inside_a_200_is_a_429(limited, fake):
    for _ in range(3):
        told(limited.embed("a", model="test/error-in-200-429"))
    assert len(fake.attempts("error-in-200-429@waits")) == 2, "not asked again by itself, and paused"


def test_c1_a_pause_is_of_one_endpoint(start_router, fake):
    router = start_router(
        configuration(provider(fake.base_url), models=[model_of("status-429-retry-30"), model_of("ok")], embedded=False)
    )
    assert router.embed("a", model="test/status-429-retry-30").status == 429
    assert router.embed("a", model="test/ok").status == 200
