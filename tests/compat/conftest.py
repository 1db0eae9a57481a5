"""Every test of a feature runs once per client that has it, in each of its modes; what passed becomes the page."""

import json

import page
import pytest
from clients import KINDS, Client

from support.fake import FakeUpstream
from support.router import Model, Router, configuration, model_of, provider

NARROW = "narrow"  # a provider with one place
FAULTS = ("ok", "status-429-retry-7", "status-429-quota", "status-504", "status-524", "status-529", "short-last")


def pytest_configure(config):
    config.addinivalue_line("markers", "feature(name): a row of docs/compatibility.md; takes the fixture `client`")
    config.addinivalue_line("markers", "page: reads what the other tests found")
    config.stash[page.RESULTS] = page.Results()


def feature_of(definition) -> str | None:
    marker = definition.get_closest_marker("feature")
    return marker.args[0] if marker else None


def pytest_generate_tests(metafunc):
    if "client" in metafunc.fixturenames:
        feature = feature_of(metafunc.definition)
        able = [(name, mode) for name, kind in KINDS.items() if feature not in kind.cannot for mode in kind.modes]
        metafunc.parametrize("client", able, indirect=True, ids=["-".join(pair) for pair in able], scope="session")


def pytest_collection_modifyitems(items):
    """The page is compared when all that it tells has run."""
    items.sort(key=lambda item: item.get_closest_marker("page") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    callspec = getattr(item, "callspec", None)
    if callspec and "client" in callspec.params and (call.when == "call" or report.failed):
        name, _ = callspec.params["client"]
        item.config.stash[page.RESULTS].add(name, feature_of(item), callspec.params.get("status"), report.passed)
    return report


@pytest.fixture(scope="session")
def drivers(request):
    """Starts a client when the first test wants it."""
    running: dict[str, Client] = {}

    def of(name: str) -> Client:
        if name not in running:
            running[name] = Client(KINDS[name])
            request.config.stash[page.RESULTS].versions[name] = running[name].version
        return running[name]

    yield of
    for client in running.values():
        client.stop()


class Caller:
    """A client in one of its modes, pointed at a router."""

    def __init__(self, client: Client, name: str, mode: str, router: Router):
        self.client, self.kind, self.name, self.mode, self.router = client, client.kind, name, mode, router

    def ask(self, call: str, members: dict, url: str | None = None, key: str | None = None, **options) -> dict:
        return self.client.ask(call, self.mode, url or self.router.api, key or self.router.key, members, **options)

    def embed(self, input, model: str = "test/ok", url: str | None = None, **members) -> dict:
        """The result; an error fails the test."""
        answer = self.ask("embed", {"input": input, "model": model, **members}, url=url)
        assert "result" in answer, json.dumps(answer, indent=1)
        return answer["result"]

    def error(self, input="a", model: str = "test/ok", url: str | None = None, key: str | None = None,
              headers: dict | None = None, **members) -> dict:  # fmt: skip
        answer = self.ask("embed", {"input": input, "model": model, **members}, url=url, key=key, headers=headers)
        assert "error" in answer, answer
        return answer["error"]


@pytest.fixture(scope="session")
def upstream():
    fake = FakeUpstream()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def served(tmp_path_factory, upstream):
    """What the clients of these tests talk to."""
    models = [
        *(model_of(fault) for fault in FAULTS),
        Model("test/ids", "ok", endpoint={"token_ids": True}),
        Model("test/widths", "ok", members={"matryoshka": [16, 32]}, endpoint={"dimensions": True}),
        Model("test/kinds", "ok", endpoint={"input_types": ["search_query", "search_document"]}),
        *(Model(f"test/slow-{name}-{mode}", f"{name}-{mode}/delay-12s") for name, k in KINDS.items() for mode in k.modes),
        *(Model(f"test/left-{name}-{mode}", f"{name}-{mode}/delay-60s") for name, k in KINDS.items() for mode in k.modes),
        Model("test/narrow", "delay-60s", provider=NARROW),
    ]  # fmt: skip
    config = configuration(
        provider(upstream.base_url, first_byte_timeout="20s"),
        provider(upstream.base_url, NARROW, max_concurrency=1, first_byte_timeout="60s"),
        models=models,
    )
    router = Router(tmp_path_factory.mktemp("served"), config)
    yield router
    router.stop()


@pytest.fixture(scope="session")
def client(request, drivers, served) -> Caller:
    name, mode = request.param
    return Caller(drivers(name), name, mode, served)
