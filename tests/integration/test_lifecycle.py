"""Clients that leave, servers that stop, starts that fail."""

import json
import os
import shutil
import signal
import socket
import threading
import time

import pytest

from support import wire
from support.program import BINARY, MODEL_DIR, Program, run
from support.router import TAURUS, configuration, model_of, provider
from support.vectors import as_floats, same_bits, vector_of

# The promise is 100 ms; a machine under load gets more.
PROMPTLY = 1.0


def departures(router) -> float:
    """Requests whose client left, as /metrics counts them."""
    return router.metrics().get('embedrouter_requests_total{operation="post_embeddings",status="499"}', 0)


def test_a_client_that_leaves_cancels_the_upstream(router, fake):
    before, attempts = departures(router), len(fake.attempts("delay-60s"))
    connection = router.begin("leaving", "test/delay-60s")
    open_attempts = lambda: [a for a in fake.attempts("delay-60s") if a["state"] == "open"]  # noqa: E731
    [attempt] = wire.eventually(open_attempts, 5, "the upstream is asked")
    left = time.time()
    connection.close()
    wire.eventually(lambda: not open_attempts(), 5, "the upstream is let go")
    ended = [a for a in fake.attempts("delay-60s") if a["id"] == attempt["id"]][0]
    assert ended["state"] == "client_left" and ended["ended_at"] - left < PROMPTLY
    wire.eventually(lambda: departures(router) == before + 1, 5, "it is counted")
    assert len(fake.attempts("delay-60s")) == attempts + 1, "nothing is retried"


def test_a_reset_does_the_same(router, fake):
    connection = router.begin("resetting", "test/delay-60s")
    open_attempts = lambda: [a for a in fake.attempts("delay-60s") if a["state"] == "open"]  # noqa: E731
    wire.eventually(open_attempts, 5, "the upstream is asked")
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    wire.eventually(lambda: not open_attempts(), PROMPTLY + 1, "the upstream is let go")


def test_a_client_that_leaves_empties_the_queue_of_the_embedded_model(router):
    before = departures(router)
    connections = [router.begin(["many words " * 60] * 1000, TAURUS) for _ in range(4)]
    for connection in connections:
        connection.close()
    wire.eventually(lambda: departures(router) >= before + 4, 10, "all are counted")
    start = time.monotonic()
    assert router.embed("next").status == 200
    assert time.monotonic() - start < 5, "the texts of those who left are not embedded first"


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_requests_under_way_are_answered_first(self, start_router, fake, number):
        router = start_router(configuration(provider(fake.base_url), models=[model_of("delay-2000ms")], embedded=False))
        before = len(fake.attempts("delay-2000ms"))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(router.embed("drained", model="test/delay-2000ms")))
        thread.start()
        wire.eventually(lambda: len(fake.attempts("delay-2000ms")) > before, 5, "the upstream is asked")
        router.program.process.send_signal(number)
        wire.eventually(lambda: not accepts(router.port), 1.5, "no new connections")
        thread.join()
        [answer] = answers
        assert answer.status == 200 and same_bits(as_floats(answer.json["data"][0]["embedding"]), vector_of("drained"))
        assert router.program.wait(5) == 0

    def test_an_idle_server_stops_at_once(self, start_router):
        router = start_router(configuration(embedded=False))
        idle = wire.connect(router.url)
        assert wire.exchange(idle, "GET", "/healthz").status == 200
        silent = socket.create_connection(("127.0.0.1", router.port))
        start = time.monotonic()
        router.program.process.send_signal(signal.SIGTERM)
        assert router.program.wait(5) == 0
        assert time.monotonic() - start < 2
        idle.close()
        silent.close()


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class TestStarting:
    def test_the_first_line_tells_the_address(self, start_router):
        router = start_router(configuration(embedded=False))
        assert router.program.out[0] == f"listening on http://127.0.0.1:{router.port}"

    def test_a_port_taken_is_said_in_one_line(self, start_router, tmp_path):
        router = start_router(configuration(embedded=False))
        done = run(
            "serve",
            "--config",
            router.config_file,
            "--listen",
            f"127.0.0.1:{router.port}",
            "--data-dir",
            tmp_path / "d",
        )
        assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1
        assert str(router.port) in done.stderr

    def test_a_missing_model_is_said_with_its_folder(self, tmp_path):
        config = tmp_path / "c.toml"
        config.write_text(f'[embedded]\nmodel_dir = "{tmp_path}/nowhere"\n')
        done = run("serve", "--config", config, "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data")
        assert done.returncode == 1 and f"{tmp_path}/nowhere" in done.stderr

    def test_a_truncated_model_is_refused(self, tmp_path):
        broken = shutil.copytree(MODEL_DIR, tmp_path / "model")
        os.truncate(broken / "model.safetensors", 1_000_000)
        config = tmp_path / "c.toml"
        config.write_text(f'[embedded]\nmodel_dir = "{broken}"\n')
        done = run("serve", "--config", config, "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data")
        assert done.returncode == 1 and "safetensors" in done.stderr

    def test_the_first_embedding_comes_soon_after_start(self, start_router):
        start = time.monotonic()
        router = start_router(configuration())
        assert router.embed("first").status == 200
        assert time.monotonic() - start < 5, "half a second is the aim; a sanitizer build on a busy machine needs more"

    def test_many_starts_leave_nothing_behind(self, start_router):
        router = start_router(configuration(embedded=False))
        first = router.program.process.pid
        for _ in range(5):
            program = Program([str(BINARY), "serve", "--config", str(router.config_file), "--listen", "127.0.0.1:0",
                               "--data-dir", str(router.data_dir)])  # fmt: skip
            program.first_line()
            program.stop()
        assert router.program.process.pid == first and router.request("GET", "/healthz").status == 200


def test_the_log_holds_neither_keys_nor_texts(start_router, fake):
    models = [model_of(name) for name in ("ok", "status-400", "short-last")]
    router = start_router(
        configuration(provider(fake.base_url), models=models, sections={"telemetry": {"log_level": "debug"}})
    )
    secret = "confidential-sentence"
    for model in (TAURUS, *(m.id for m in models), "no/model"):
        router.embed([secret, secret + "2"], model=model, user=secret, session_id=secret)
    router.embed([secret, ""])
    router.request("POST", "/api/v1/embeddings", f'{{"input":"{secret}'.encode())
    router.request("POST", "/api/v1/embeddings", {"input": secret}, {"Authorization": f"Bearer {secret}"})
    router.program.process.send_signal(signal.SIGTERM)
    assert router.program.wait() == 0
    assert len(router.program.log.splitlines()) >= 7, "it does log"
    for line in router.program.log.splitlines():
        json.loads(line)
        assert secret not in line and router.key not in line
