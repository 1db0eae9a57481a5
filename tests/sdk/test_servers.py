"""The C++ SDK against the real router, and against a server that goes wrong in every way it knows."""

import json
import time

import pytest

from support.certificates import make_certificate
from support.fake import faults
from support.program import BINARY, require
from support.router import TAURUS, TAURUS_WIDTH
from support.scripted import Http2, read_request, serve
from support.vectors import vector_of

TEXTS = ["one text", "another text", "a third"]


def generate(driver, url, key="k", input=TEXTS, model=TAURUS, client=None, **args):
    settings = {"api_key": key, "server_url": url, "retry_config": {"enabled": False}, **(client or {})}
    return driver.call("embeddings.generate", settings, {"input": input, "model": model, **args})


def test_the_router_gives_one_matrix_in_both_forms(driver, router):
    said = generate(driver, router.api, router.key)
    plain = said["matrix"]
    packed = generate(driver, router.api, router.key, encoding_format="base64")["matrix"]
    assert (plain["rows"], plain["width"]) == (3, TAURUS_WIDTH) and plain == packed
    direct = router.embed(TEXTS).json["data"]
    assert plain["values"][:TAURUS_WIDTH] == pytest.approx(direct[0]["embedding"], abs=1e-7)
    assert said["ok"]["id"].startswith("gen-emb-") and said["ok"]["usage"]["prompt_tokens"] > 0


@pytest.mark.parametrize(
    ("args", "name", "kind"),
    [
        ({"key": "sk-or-v1-wrong"}, "UnauthorizedResponseError", "authentication"),
        ({"model": "no/model"}, "NotFoundResponseError", "not_found"),
        ({"input": []}, "BadRequestResponseError", "invalid_request"),
        ({"input": "word " * 400}, "BadRequestResponseError", "context_length_exceeded"),
        ({"provider": {"only": ["nobody"]}}, "NotFoundResponseError", "not_found"),
    ],
)
def test_errors_of_the_router(driver, router, args, name, kind):
    said = generate(driver, router.api, args.pop("key", router.key), **args)["error"]
    assert said["class"] == name and said["code"] == said["status"]
    assert said["metadata"]["error_type"] == kind


def test_lists_of_the_router(driver, router):
    client = {"api_key": router.key, "server_url": router.api}
    models = driver.call("embeddings.list_models", client, {})["ok"]
    assert "sentence-transformers/all-minilm-l6-v2" in [model["id"] for model in models["models"]]
    assert models["total_count"] == len(models["models"])
    author, slug = "sentence-transformers", "all-minilm-l6-v2"
    assert driver.call("models.get", client, {"author": author, "slug": slug})["ok"]["id"] == f"{author}/{slug}"
    assert len(driver.call("endpoints.list", client, {"author": author, "slug": slug})["ok"]["endpoints"]) == 1
    assert driver.call("models.count", client, {"output_modalities": "all"})["ok"] == models["total_count"]
    assert "ok" in driver.call("api_keys.get_current_key_metadata", client, {})


# What a caller can be waiting for without end is bounded by its own limits.
LIMITS = {"timeout_ms": 400, "max_response_bytes": 1 << 20}


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("fault", [f for f in faults() if "<N>" not in f["name"]], ids=lambda f: f"{f['id']}-{f['name']}")
def test_a_server_that_goes_wrong(driver, fake, fault, encoding):
    """A matrix of the right vectors, or an error that is of the answer, of the transport, or says what is wrong."""
    began = time.monotonic()
    said = generate(driver, fake.base_url, model=fault["name"], client=LIMITS, encoding_format=encoding)
    assert time.monotonic() - began < 20
    if "error" in said:
        assert said["error"]["class"] not in ("UsageError", "CancelledError"), said
        assert said["error"]["message"]
        return
    if fault["expect"] == "right":
        flat = [value for text in TEXTS for value in vector_of(text, fault=fault["name"])]
        assert said["matrix"]["values"] == pytest.approx(flat, abs=1e-6)
    # One vector for each text, all of one width, or no matrix.
    assert said["matrix"]["rows"] == len(TEXTS) if "matrix" in said else said["matrix_error"]


def test_a_huge_answer_is_whole(driver, start_fake):
    """2,048 vectors of 1,536, some 12 MB of base64."""
    fake = start_fake(width=1536)
    said = generate(driver, fake.base_url, model="ok", input=[f"text {i}" for i in range(2_048)], encoding_format="base64")
    assert (said["matrix"]["rows"], said["matrix"]["width"]) == (2_048, 1_536)
    assert said["matrix"]["values"][:1_536] == pytest.approx(list(vector_of("text 0", width=1536)), abs=1e-6)


def test_it_is_larger_than_allowed(driver, fake):
    said = generate(driver, fake.base_url, model="ok", client={"max_response_bytes": 500})
    assert said["error"]["class"] == "TransportError" and "max_response_bytes" in said["error"]["message"]


def test_no_certificate_is_trusted_by_itself(driver, start_fake, certificate):
    fake = start_fake(certificate=certificate)
    said = generate(driver, fake.base_url, model="ok", client={"retry_config": {"max_elapsed": 5_000}})
    assert (said["error"]["class"], said["attempts"]) == ("TransportError", 1)
    trusted = generate(driver, fake.base_url, model="ok", client={"ca_file": str(certificate[0])})
    assert trusted["matrix"]["rows"] == 3, json.dumps(trusted)


def test_a_client_certificate_opens_what_asks_for_one(driver, play, certificate, tmp_path):
    mine, other = make_certificate(tmp_path, "client"), make_certificate(tmp_path, "other")
    server = play(serve, certificate, client_ca=mine[0])

    def ask(shown):
        client = {"ca_file": str(certificate[0])}
        if shown:
            client |= {"client_cert": str(shown[0]), "client_key": str(shown[1])}
        return generate(driver, server.base_url, model="ok", client=client)

    assert ask(mine)["matrix"]["rows"] == len(TEXTS)
    for shown in (None, other):
        said = ask(shown)
        assert said["error"]["class"] == "TransportError" and "certificate" in said["error"]["message"], said
        assert said["attempts"] == 1


@pytest.mark.parametrize("spoken", ["h2", "http/1.1"])
def test_a_server_is_spoken_to_in_the_http_that_it_chooses(driver, play, certificate, spoken):
    """Requests side by side share one connection in HTTP/2."""
    chosen = []

    def script(sock, i):
        chosen.append(sock.selected_alpn_protocol())
        Http2(sock).serve() if chosen[-1] == "h2" else serve(sock, i)

    server = play(script, certificate, [spoken])
    texts = [f"text {i}" for i in range(40)]
    client = {"api_key": "k", "server_url": server.base_url, "ca_file": str(certificate[0])}
    said = driver.call("embed_all", client, {"input": texts, "model": "ok", "batch_items": 2})
    assert (said["matrix"]["rows"], said["ok"]["failures"]) == (len(texts), []), said
    flat = [value for text in texts for value in vector_of(text)]
    assert said["matrix"]["values"] == pytest.approx(flat[:4096], abs=1e-6)
    assert set(chosen) == {spoken}
    assert len(chosen) == 1 if spoken == "h2" else 1 <= len(chosen) <= 4


@pytest.mark.plain
def test_a_slow_name_server_holds_nothing_up(start_driver, fake, tmp_path):
    """The looking up itself takes 30 s and cannot be ended: neither the call nor the next one waits for it."""
    names = tmp_path / "names"
    names.write_text("upstream.test !slow 127.0.0.1\n")
    library = require(BINARY.parent / "libfake_dns.so", "the build makes it")
    driver = start_driver(LD_PRELOAD=str(library), FAKE_DNS=str(names))
    began = time.monotonic()
    said = generate(driver, "http://upstream.test/v1", model="ok", client={"timeout_ms": 300})
    assert (said["error"]["class"], said["attempts"]) == ("TransportError", 1)
    assert "timed out" in said["error"]["message"]
    assert generate(driver, fake.base_url, model="ok")["matrix"]["rows"] == len(TEXTS)
    assert time.monotonic() - began < 15


def test_a_proxy_that_refuses_is_asked_once(driver, play):
    def script(sock, i):
        read_request(sock)
        sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = play(script)
    client = {"proxy": f"http://127.0.0.1:{proxy.port}", "retry_config": {"max_elapsed": 5_000}}
    said = generate(driver, "https://upstream.test/v1", client=client)
    assert (said["error"]["class"], said["attempts"]) == ("TransportError", 1)
    assert "407" in said["error"]["message"]
