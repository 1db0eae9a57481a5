"""Another configuration by SIGHUP, under load: no request is lost, and none is answered wrongly (FAULTS F5)."""

import signal
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from support import wire
from support.load import TEXTS, Load
from support.memory import resident
from support.program import MODEL_DIR, run
from support.router import TAURUS, Model, configuration, provider, table
from support.vectors import as_floats, same_bits, vector_of

RATE = 150  # requests a second


def two_endpoints(model: str, *providers: str) -> Model:
    """One model that `providers` serve alike, the first of them the cheapest."""
    entry = Model(id=model, upstream="ok", provider=providers[0])
    text = entry.toml()
    for place, name in enumerate(providers[1:], start=1):
        text += table(
            "[[model.endpoint]]",
            {"provider": name, "upstream_model": "ok", "pricing.prompt": f"0.0000000{place}"},
        )
    entry.toml = lambda: text
    return entry


def assert_all_right(load: Load, least: int) -> None:
    assert not load.outcome.errors and not load.outcome.wrong, load.outcome.summary()
    assert len(load.outcome.sent) >= least, load.outcome.summary()


def providers_of(load: Load, since: float) -> set[str]:
    return {sent.provider for sent in load.outcome.sent if sent.at >= since}


def wait_for_use(router, count: int = 1) -> None:
    """Until the generations before have ended."""
    used = lambda: router.metrics()["embedrouter_configurations"] == count  # noqa: E731
    wire.eventually(used, wire.PATIENCE, f"{count} configurations in use")


def test_F5_a_provider_is_added_and_another_removed_under_load(start_router, start_fake):
    a, b = start_fake(), start_fake()
    only_a = configuration(provider(a.base_url, "a"), models=[two_endpoints("test/m", "a")], embedded=False)
    both = configuration(
        provider(b.base_url, "b"), provider(a.base_url, "a"), models=[two_endpoints("test/m", "b", "a")], embedded=False
    )
    only_b = configuration(provider(b.base_url, "b"), models=[two_endpoints("test/m", "b")], embedded=False)
    router = start_router(only_a)
    with Load(router, ["test/m"], RATE) as load:
        load.wait(100)
        assert providers_of(load, 0) == {"a"}
        router.reload(both)
        load.wait(150)
        router.reload(only_b)
        wait_for_use(router)
        removed = load.now
        load.wait(150)
    assert_all_right(load, 400)
    assert providers_of(load, removed) == {"b"}
    before = len(a.attempts())
    assert router.embed("after", model="test/m").status == 200
    assert len(a.attempts()) == before, "what was removed is not asked"
    slugs = [entry["slug"] for entry in router.request("GET", "/api/v1/providers").json["data"]]
    assert slugs == ["b"]


def test_F5_a_base_url_changes_under_load_and_the_connections_to_the_old_one_close(start_router, start_fake):
    a, b = start_fake(), start_fake()
    router = start_router(configuration(provider(a.base_url), models=[Model("test/m", "ok")], embedded=False))
    with Load(router, ["test/m"], RATE) as load:
        load.wait(150)
        assert connections_to(router, a.port) > 0
        router.reload(configuration(provider(b.base_url), models=[Model("test/m", "ok")], embedded=False))
        wait_for_use(router)
        wire.eventually(lambda: connections_to(router, a.port) == 0, 5, "no connection to the old address is left")
        asked = len(a.attempts())
        load.wait(150)
    assert_all_right(load, 300)
    assert len(a.attempts()) == asked and len(b.attempts()) >= 150


def connections_to(router, port: int) -> int:
    """Established connections of the router whose other end is `port`."""
    mine = {
        link.removeprefix("socket:[").rstrip("]") for link in links_of(router.program.process.pid) if link.startswith("socket")
    }
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" and row[9] in mine for row in rows)


def links_of(pid: int) -> list[str]:
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:
            pass  # closed meanwhile
    return links


def test_F5_a_key_in_a_file_is_rotated_under_load(start_router, start_fake, tmp_path):
    fake = start_fake()
    key_file = tmp_path / "key"
    key_file.write_text("upstream-key-one\n")
    config = configuration(
        provider(fake.base_url, api_key_file=str(key_file)), models=[Model("test/m", "ok")], embedded=False
    )
    router = start_router(config)
    with Load(router, ["test/m"], RATE) as load:
        load.wait(100)
        key_file.write_text("upstream-key-two\n")
        load.wait(50)
        assert len({attempt["authorization_sha256"] for attempt in fake.attempts()}) == 1, "until SIGHUP the first is used"
        router.reload(config)
        wait_for_use(router)
        fake.forget()
        load.wait(100)
    assert_all_right(load, 250)
    assert len({attempt["authorization_sha256"] for attempt in fake.attempts()}) == 1
    assert "upstream-key" not in router.program.log


def test_F5_a_model_is_removed_under_load_and_is_a_404_from_then_on(start_router, start_fake):
    fake = start_fake()
    kept, gone = Model("test/kept", "ok"), Model("test/gone", "ok")
    router = start_router(configuration(provider(fake.base_url), models=[kept, gone], embedded=False))
    with Load(router, ["test/kept", "test/gone"], RATE) as load:
        load.wait(100)
        told = load.now
        router.reload(configuration(provider(fake.base_url), models=[kept], embedded=False))
        wait_for_use(router)
        done = load.now
        load.wait(100)
    by_model = lambda name: [s for s in load.outcome.sent if s.model == name]  # noqa: E731
    assert all(s.status == 200 and not s.fault for s in by_model("test/kept")), load.outcome.summary()
    assert all(s.status == 200 and not s.fault for s in by_model("test/gone") if s.at < told - 1), load.outcome.summary()
    assert {s.status for s in by_model("test/gone") if s.at > done + 0.1} == {404}
    assert {s.status for s in by_model("test/gone")} == {200, 404}


def test_F5_limits_change_under_load(start_router, start_fake):
    fake = start_fake()
    models = [Model("test/m", "ok"), Model("test/slow", "delay-3s")]
    config = lambda **limits: configuration(  # noqa: E731
        provider(fake.base_url), models=models, embedded=False, sections={"limits": limits}
    )
    router = start_router(config())
    with Load(router, ["test/m"], RATE) as load:
        load.wait(50)
        assert router.embed(["a"] * 11, model="test/m").status == 200
        router.reload(config(inputs=10, body_bytes=4096, total_timeout="1s", header_bytes="2KiB", bytes_in_flight="8MiB"))
        load.wait(50)
        assert router.embed(["a"] * 11, model="test/m").status == 400
        assert router.embed("a" * 5000, model="test/m").status == 413
        assert router.embed("a", model="test/slow").status in (503, 504)
        assert router.embed("a", model="test/m", headers={"X-Padding": "b" * 3000}).status == 431
        assert router.metrics()["embedrouter_body_bytes_in_flight_limit"] == 8 << 20
        router.reload(config())
        assert router.embed(["a"] * 11, model="test/m").status == 200
        assert router.embed("a", model="test/m", headers={"X-Padding": "b" * 3000}).status == 200
    assert_all_right(load, 100)


@pytest.mark.plain
def test_F5_an_official_client_under_fifty_reloads_gets_every_answer_and_nothing_grows(start_router, start_fake):
    a, b = start_fake(), start_fake()
    configs = [
        configuration(provider(up.base_url, "p"), models=[two_endpoints("test/m", "p")], sections={"limits": {"inputs": n}})
        for up, n in ((a, 2000), (b, 1000))
    ]
    router = start_router(configs[0])
    client = openai.OpenAI(base_url=router.api, api_key=router.key, max_retries=0)
    ending = threading.Event()
    answered = []

    def official() -> None:
        while not ending.is_set():
            text = TEXTS[len(answered) % len(TEXTS)]
            entry = client.embeddings.create(model="test/m", input=text).data[0].embedding
            answered.append(same_bits(as_floats(entry), vector_of(text)))

    caller = threading.Thread(target=official)
    caller.start()
    with Load(router, ["test/m"], 100, connections=32) as load:
        load.wait(100)
        sizes = []
        for number in range(50):
            router.reload(configs[(number + 1) % 2])
            load.wait(5)
            if number in (9, 49):
                wait_for_use(router)
                sizes.append(size_of(router))
    ending.set()
    caller.join(wire.PATIENCE)
    assert_all_right(load, 350)
    assert len(answered) >= 50 and all(answered), f"{len(answered)} answers through the official client"
    (warm_memory, warm_descriptors, warm_threads), (memory, descriptors, threads) = sizes
    assert memory - warm_memory < 8 << 20, f"{warm_memory} → {memory} bytes over 40 reloads"
    assert abs(descriptors - warm_descriptors) <= 40, "what is open follows the connections, not the reloads"
    assert threads == warm_threads
    assert router.reloads("ok") == 50 and router.reloads("refused") == 0


def size_of(router) -> tuple[int, int, int]:
    pid = router.program.process.pid
    return resident(pid), len(links_of(pid)), len(list(Path(f"/proc/{pid}/task").iterdir()))


BROKEN = {
    "no TOML": ("[server", "1"),
    "an unknown key": ("\n\n[limits]\nbody_bites = 1\n", "4"),
    "a reference to nowhere": (Model("test/m", "ok", provider="nobody").toml(), None),
    "a key that is not there": (provider("http://127.0.0.1:9/v1", "p", api_key_file="/nonexistent/key"), None),
    "a certificate that is none": (
        provider("https://127.0.0.1:9/v1", "p", ca_file="/dev/null") + Model("test/m", "ok", provider="p").toml(),
        None,
    ),
    "a model that is not there": ('[embedded]\nmodel_dir = "/nonexistent"\n', None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_F5_a_broken_file_is_refused_under_load_and_the_old_goes_on(start_router, start_fake, what):
    text, line = BROKEN[what]
    fake = start_fake()
    good = configuration(provider(fake.base_url), models=[Model("test/m", "ok")], embedded=False)
    router = start_router(good)
    since = router.metrics()["embedrouter_config_last_success_time_seconds"]
    with Load(router, ["test/m"], RATE) as load:
        load.wait(50)
        broken = text if text.startswith("[embedded]") or line else "[embedded]\nenabled = false\n\n" + text
        router.reload(broken, expect="refused")
        load.wait(50)
    assert_all_right(load, 100)
    assert router.metrics()["embedrouter_config_last_success_time_seconds"] == since
    assert router.metrics()["embedrouter_configurations"] == 1
    assert '"event":"config_refused"' in router.program.log
    if line:
        assert f'"event":"config_fault","line":{line},' in router.program.log
    router.reload(good)
    assert router.embed("mended", model="test/m").status == 200
    assert router.metrics()["embedrouter_config_last_success_time_seconds"] > since


def test_a_reload_that_is_refused_late_leaves_the_limits_of_what_runs(start_router, start_fake):
    fake = start_fake()
    config = lambda most, *more: configuration(  # noqa: E731
        provider(fake.base_url, max_concurrency=most), *more, models=[Model("test/m", "ok")], embedded=False
    )
    router = start_router(config(8))
    limit = lambda: router.metrics()['embedrouter_endpoint_concurrency_limit{endpoint="test/m@fake"}']  # noqa: E731
    assert limit() == 8
    broken = [provider("https://127.0.0.1:9/v1", "p", ca_file="/dev/null"), Model("test/z", "ok", provider="p").toml()]
    router.reload(config(2, *broken), expect="refused")
    assert limit() == 8
    router.reload(config(2))
    assert limit() == 2


@pytest.mark.parametrize("what", BROKEN)
def test_serve_check_refuses_what_a_reload_refuses(tmp_path, what):
    text, line = BROKEN[what]
    config = tmp_path / "embedrouter.toml"
    config.write_text(text if text.startswith("[embedded]") or line else "[embedded]\nenabled = false\n\n" + text)
    done = run("serve", "--check", "--config", config)
    assert done.returncode != 0 and str(config) in done.stderr, done.stderr


@contextmanager
def under_way(router, fake, count: int):
    """So many requests for test/slow have reached `fake`; at the end all of them have their answers."""
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(router.embed("held", model="test/slow"))) for _ in range(count)
    ]
    for caller in callers:
        caller.start()
    wire.eventually(lambda: len(fake.attempts()) == count, 10, "all are under way")
    yield answers
    for caller in callers:
        caller.join()


def test_F5_requests_under_way_end_with_the_configuration_they_began_with(start_router, start_fake):
    a, b = start_fake(), start_fake()
    slow = lambda up: configuration(  # noqa: E731
        provider(up.base_url), models=[Model("test/slow", "delay-2s")], embedded=False
    )
    router = start_router(slow(a))
    with under_way(router, a, 8) as answers:
        router.reload(slow(b))
        assert router.metrics()["embedrouter_configurations"] == 2
    assert [answer.status for answer in answers] == [200] * 8 and b.attempts() == []
    wait_for_use(router)


def test_F5_sigterm_during_a_reload_loses_nothing(start_router, start_fake):
    fake = start_fake()
    models = [Model("test/slow", "delay-1000ms")]
    # The embedded model is loaded again, which takes its time.
    config = lambda tokens: configuration(  # noqa: E731
        provider(fake.base_url), models=models, sections={"embedded": embedded(max_tokens=tokens)}
    )
    for attempt in range(3):
        router = start_router(config(256))
        fake.forget()
        with under_way(router, fake, 20) as answers:
            router.config_file.write_text(config(128))
            router.program.process.send_signal(signal.SIGHUP)
            time.sleep(0.05 * attempt)  # before it begins, in the middle
            router.program.process.send_signal(signal.SIGTERM)
        assert [answer.status for answer in answers] == [200] * 20
        assert router.program.wait(10) == 0


def embedded(**members) -> dict:
    return {"enabled": True, "model_dir": MODEL_DIR, **members}


@pytest.mark.plain
def test_F5_the_embedded_model_is_loaded_again_when_its_section_changes_and_swapped_under_load(start_router, start_fake):
    fake = start_fake()
    config = lambda **members: configuration(  # noqa: E731
        provider(fake.base_url), models=[Model("test/m", "ok")], sections={"embedded": embedded(**members)}
    )
    router = start_router(config())
    own = router.embed("the same text").json["data"][0]["embedding"]
    wire.eventually(lambda: router.request("GET", "/readyz").status == 200, 10, "it is ready")
    texts = router.metrics()["embedrouter_batch_inputs_total"]
    ending = threading.Event()
    seen = []

    def local() -> None:
        while not ending.is_set():
            answer = router.embed("the same text")
            seen.append(answer.status == 200 and answer.json["data"][0]["embedding"] == own)

    caller = threading.Thread(target=local)
    caller.start()
    with Load(router, ["test/m"], 100) as load:
        load.wait(50)
        for tokens in (16, 64, 16):
            router.reload(config(max_tokens=tokens))
            assert router.request("GET", "/readyz").status == 200, "the model before works until the next one does"
            load.wait(50)
    ending.set()
    caller.join()
    assert_all_right(load, 200)
    assert len(seen) > 10 and all(seen)
    assert router.embed("word " * 100).status == 400, "the new limit holds"
    assert router.metrics()["embedrouter_batch_inputs_total"] >= texts + len(seen), "totals go on over the models"
    router.reload(config(enabled=False))
    assert router.embed("gone", model=TAURUS).status == 404
    wait_for_use(router)
    # Its weights are given back.
    wire.eventually(lambda: resident(router.program.process.pid) < 120 << 20, 10, "the model's memory is given back")
    assert router.request("GET", "/readyz").status == 200


def test_F5_what_needs_a_restart_is_said_by_name(start_router):
    router = start_router(configuration(embedded=False))
    changed = {"server": {"threads": 3, "auth": "none"}, "telemetry": {"otlp_url": "http://127.0.0.1:9"}}
    router.reload(configuration(embedded=False, sections=changed))
    lines = [line for line in router.program.err if '"config_needs_restart"' in line]
    assert [name in "".join(lines) for name in ("[server] threads", "[server] auth", "[telemetry] otlp_url")] == [True] * 3
    assert len(lines) == 3
    assert router.request("GET", "/api/v1/key", headers={"Authorization": None}).status == 401, "keys are still asked for"


def test_F5_the_log_level_changes(start_router):
    quiet = configuration(embedded=False, sections={"telemetry": {"log_level": "error"}})
    router = start_router(quiet)
    router.request("GET", "/healthz")
    assert router.program.log == ""
    router.reload(configuration(embedded=False, sections={"telemetry": {"log_level": "info"}}))
    router.request("GET", "/healthz")
    wire.eventually(lambda: '"path":"/healthz"' in router.program.log, 5, "requests are logged")


def test_F5_a_certificate_is_read_again(start_router, certificate, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def put(from_cert: Path, from_key: Path) -> None:
        cert.write_bytes(from_cert.read_bytes())
        key.write_bytes(from_key.read_bytes())

    def shown(port: int) -> bytes:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True)

    put(*certificate)
    tls = {"server.tls": {"cert_file": str(cert), "key_file": str(key)}}
    config = configuration(embedded=False, sections=tls)
    router = start_router(config)
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", router.port)), server_hostname="localhost") as old:
        first = shown(router.port)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-keyout", key, "-out", cert, "-subj", "/CN=another"], check=True, capture_output=True,
        )  # fmt: skip
        router.program.process.send_signal(signal.SIGHUP)
        wire.eventually(lambda: shown(router.port) != first, 10, "the new certificate is shown")
        old.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert old.recv(65536).startswith(b"HTTP/1.1 200"), "a connection that was open goes on"
        second = shown(router.port)
        cert.write_text("no certificate")
        router.program.process.send_signal(signal.SIGHUP)
        wire.eventually(lambda: '"config_refused"' in router.program.log, 10, "it is refused")
        assert shown(router.port) == second


def test_many_hangups_in_a_row_reload_it_and_do_not_end_it(start_router):
    router = start_router(configuration(embedded=False))
    for _ in range(20):
        router.program.process.send_signal(signal.SIGHUP)
    wire.eventually(lambda: router.reloads("ok") >= 1, 10, "it reloads")
    assert router.request("GET", "/healthz").status == 200
