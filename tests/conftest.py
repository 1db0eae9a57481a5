import ssl

import pytest

from support import log_audit
from support.certificates import make_certificate
from support.fake import FakeUpstream, faults
from support.program import require
from support.router import Router, configuration, model_of, provider
from support.scripted import Scripted


@pytest.fixture(scope="session", autouse=True)
def audited_logs():
    """At the end: no log line of any router of this session holds a key or a text."""
    yield
    faults = log_audit.faults()
    assert not faults, f"{len(faults)} lines: " + "\n".join(faults[:20])


@pytest.fixture(scope="session")
def fake():
    upstream = FakeUpstream()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def router(tmp_path_factory, fake):
    """The embedded model, and every fault without a number as `test/<fault>`."""
    models = [model_of(fault["name"]) for fault in faults() if "<N>" not in fault["name"]]
    models += [model_of(name) for name in ("delay-300ms", "delay-60s", "ok@space2")]
    router = Router(tmp_path_factory.mktemp("router"), configuration(provider(fake.base_url), models=models))
    yield router
    router.stop()


@pytest.fixture
def start_router(tmp_path):
    """Starts routers that end with the test."""
    running: list[Router] = []

    def start(config: str, **options) -> Router:
        running.append(Router(tmp_path / f"router{len(running)}", config, **options))
        return running[-1]

    yield start
    for router in running:
        router.stop()


@pytest.fixture
def start_fake():
    running: list[FakeUpstream] = []

    def start(**options) -> FakeUpstream:
        running.append(FakeUpstream(**options))
        return running[-1]

    yield start
    for upstream in running:
        upstream.stop()


@pytest.fixture
def play():
    """Starts upstreams that end with the test."""
    upstreams: list[Scripted] = []

    def start(script, *args, **members) -> Scripted:
        upstreams.append(Scripted(script, *args, **members))
        return upstreams[-1]

    yield start
    for upstream in upstreams:
        upstream.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and localhost: (certificate, key)."""
    made = make_certificate(tmp_path_factory.mktemp("tls"), "localhost", alternative="DNS:localhost,IP:127.0.0.1")
    ssl.create_default_context(cafile=str(require(made[0], "openssl makes it")))
    return made
