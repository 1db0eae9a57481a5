"""Real servers as upstreams: a second embedrouter with the embedded model, directly and behind LiteLLM's proxy."""

import json
import os
import socket
import time

import pytest

from support import wire
from support.program import REPOSITORY, Program, require
from support.router import TAURUS, TAURUS_ID, TAURUS_TOKENS, TAURUS_WIDTH, Model, configuration, provider, table
from support.vectors import as_floats, same_bits

TEXTS = ["a plain sentence", "Ein Sätzchen mit Umlauten 🍕", " ", "x " * 100, "a plain sentence"]
PROXY = REPOSITORY / ".venv-proxy/bin/litellm"
PROXY_SECONDS = 120


class LiteLLM:
    """LiteLLM's proxy in front of `router`'s embedded model, which it knows as `taurus`. Its master key is `key`."""

    key = "sk-of-the-proxy-0123456789"

    def __init__(self, folder, router):
        require(PROXY, "scripts/install-clients puts it there")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = folder / "proxy.json"  # which is YAML too
        upstream = {"model": f"openai/{TAURUS}", "api_base": router.api, "api_key": router.key}
        settings = {"master_key": self.key}
        models = [{"model_name": "taurus", "litellm_params": upstream}]
        config.write_text(json.dumps({"model_list": models, "general_settings": settings, "litellm_settings": {"telemetry": False}}))
        self.program = Program(
            [str(PROXY), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"],
            {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(folder), "PATH": os.environ["PATH"], "NO_DOCS": "True"},
        )
        self.url = f"http://127.0.0.1:{port}"
        wire.eventually(self._ready, PROXY_SECONDS, "LiteLLM's proxy is ready")

    def _ready(self) -> bool:
        assert self.program.process.poll() is None, self.program.log[-4000:]
        try:
            return wire.request(self.url, "GET", "/health/liveliness").status == 200
        except OSError:
            time.sleep(0.2)
            return False

    def stop(self) -> None:
        self.program.process.terminate()
        self.program.wait()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, router):
    proxy = LiteLLM(tmp_path_factory.mktemp("litellm"), router)
    yield proxy
    proxy.stop()


def in_front_of(upstreams: dict[str, tuple[str, str, str]], folder, **members) -> str:
    """A router's configuration: `upstreams` are slug → (base URL, key, name of the model), all of one space."""
    providers = []
    for slug, (url, key, _) in upstreams.items():
        (folder / slug).write_text(key)
        providers.append(provider(url, slug, api_key_file=str(folder / slug), **members))
    [first, *others] = upstreams
    members = {"context_length": TAURUS_TOKENS, "symmetric": True}
    entry = Model("real/minilm", upstreams[first][2], first, TAURUS_WIDTH, members).toml()
    entry += "".join(
        table("[[model.endpoint]]", {"provider": slug, "upstream_model": upstreams[slug][2], "pricing.prompt": "0.00000001"})
        for slug in others
    )
    return configuration(*providers, entry, embedded=False)


@pytest.fixture(params=["embedrouter", "litellm"])
def front(request, start_router, router, tmp_path):
    """A router in front of a real server in front of the embedded model."""
    if request.param == "embedrouter":
        upstream = (router.api, router.key, TAURUS)
    else:
        proxy = request.getfixturevalue("proxy")
        upstream = (f"{proxy.url}/v1", proxy.key, "taurus")
    return start_router(in_front_of({request.param: upstream}, tmp_path))


def vectors_of(answer) -> list:
    assert answer.status == 200, answer.body
    assert [entry["index"] for entry in answer.json["data"]] == list(range(len(answer.json["data"])))
    return [as_floats(entry["embedding"]) for entry in answer.json["data"]]


@pytest.mark.parametrize("form", ["float", "base64", None])
def test_vectors_are_the_embedded_models_own_bit_by_bit(front, router, form):
    members = {"encoding_format": form} if form else {}
    through = front.embed(TEXTS, model="real/minilm", **members)
    own = vectors_of(router.embed(TEXTS, encoding_format="base64"))
    assert all(same_bits(a, b) for a, b in zip(vectors_of(through), own, strict=True))
    assert isinstance(through.json["data"][0]["embedding"], str if form == "base64" else list)
    assert through.json["usage"]["prompt_tokens"] == router.embed(TEXTS).json["usage"]["prompt_tokens"]


def test_a_batch_keeps_its_order(front, router):
    texts = [f"text {i} of a batch" for i in range(300)]
    own = vectors_of(router.embed(texts))
    through = vectors_of(front.embed(texts, model="real/minilm"))
    # The same text in another batch is the same vector but for the last bits of its floats (docs: the embedded model).
    assert all(abs(x - y) <= 1e-5 for a, b in zip(through, own, strict=True) for x, y in zip(a, b, strict=True))


def test_a_text_too_long_is_the_callers_fault(front):
    answer = front.embed("word " * 400, model="real/minilm")
    assert answer.status == 400, answer.body
    wire.assert_envelope(answer)


def test_a_refused_key_is_no_200_and_shows_no_key(start_router, router, proxy, tmp_path):
    wrong = "sk-or-v1-" + "0" * 64
    for number, (url, model) in enumerate(((router.api, TAURUS), (f"{proxy.url}/v1", "taurus"))):
        front = start_router(in_front_of({f"wrong{number}": (url, wrong, model)}, tmp_path))
        answer = front.embed("a", model="real/minilm")
        # LiteLLM without a database says 400.
        assert answer.status in (400, 401, 403, 502), answer.body
        wire.assert_envelope(answer)
        assert wrong.encode() not in answer.body


def test_a_model_the_upstream_does_not_have_is_no_200(start_router, router, proxy, tmp_path):
    for number, (url, key) in enumerate(((router.api, router.key), (f"{proxy.url}/v1", proxy.key))):
        front = start_router(in_front_of({f"none{number}": (url, key, "no/such")}, tmp_path))
        answer = front.embed("a", model="real/minilm")
        assert answer.status >= 400, answer.body
        wire.assert_envelope(answer)


def test_they_stand_in_for_one_another_in_one_space(start_router, router, proxy, tmp_path):
    """The first is gone: the next of the same space gives the same vectors."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        dead = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    own = vectors_of(router.embed(TEXTS))
    real = {"embedrouter": (router.api, router.key, TAURUS), "litellm": (f"{proxy.url}/v1", proxy.key, "taurus")}
    for name, upstream in real.items():
        front = start_router(in_front_of({f"dead-{name}": (dead, "no-key", "x"), name: upstream}, tmp_path))
        answer = front.embed(TEXTS, model="real/minilm", provider={"order": [f"dead-{name}", name]})
        assert all(same_bits(a, b) for a, b in zip(vectors_of(answer), own, strict=True))
        assert answer.headers["X-Embedrouter-Provider"] == name


def test_an_embedrouter_in_front_of_another_names_models_by_their_id_too(start_router, router, tmp_path):
    front = start_router(in_front_of({"second": (router.api, router.key, TAURUS_ID)}, tmp_path))
    assert vectors_of(front.embed("a", model="real/minilm"))[0] == vectors_of(router.embed("a"))[0]
