"""./run from start to sample to Ctrl-C, and the one line it prints when it cannot."""

import os
import pathlib
import re
import signal
import socket
import stat
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
WEIGHTS = pathlib.Path(os.environ.get("EMBEDROUTER_MODEL_DIR", REPOSITORY / ".models/all-minilm-l6-v2"))
# Whatever would use the network fails at once.
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
DEADLINE = 120


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "data/models").mkdir(parents=True)
    (tmp_path / "data/models/all-minilm-l6-v2").symlink_to(WEIGHTS)
    return tmp_path / "data"


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(port, data_dir, *more):
    return [REPOSITORY / "run", "--port", str(port), "--data-dir", str(data_dir), *more]


def run(*arguments, **environment):
    return subprocess.run(
        arguments, env=os.environ | OFFLINE | environment, capture_output=True, text=True, check=False, timeout=DEADLINE
    )


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def assert_sample(output):
    assert re.search(r"-> \[(-?0\.\d{6}, ){5}…\] \(384 numbers\)", output), output
    assert re.search(r'"prompt_tokens": [1-9]', output), output


def assert_one_line(done, *words):
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_once_embeds_the_sample_without_network_and_stops(port, data_dir):
    for _ in range(2):
        done = run(*command(port, data_dir, "--once"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert_sample(done.stdout)
        assert is_free(port)
    key_file = data_dir / "cli.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = key_file.read_text(encoding="utf-8").strip()
    assert key not in done.stdout + (data_dir / "embedrouter.log").read_text(encoding="utf-8")


def test_a_key_the_router_does_not_know_is_replaced(port, data_dir):
    (data_dir / "cli.key").write_text("sk-or-v1-" + "0" * 64 + "\n", encoding="utf-8")
    (data_dir / "cli.key").chmod(0o600)
    done = run(*command(port, data_dir, "--once"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert_sample(done.stdout)


def test_it_serves_until_interrupted_and_prints_what_to_paste(port, data_dir):
    with subprocess.Popen(
        command(port, data_dir), env=os.environ | OFFLINE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as running:
        output = ""
        for line in running.stdout:
            output += line
            if line.startswith("Ctrl-C"):
                break
        assert_sample(output)

        pasted = output[output.index("export OPENROUTER_API_KEY") : output.index("python3 -")]
        answer = run("bash", "-c", pasted.replace("curl ", "curl --silent --noproxy '*' "))
        assert '"embedding"' in answer.stdout, answer
        python = output[output.index("export OPENROUTER_API_KEY") : output.index("Log: ")]
        python = python.replace(python[python.index("curl ") : python.index("python3 -")], "")
        answer = subprocess.run(
            ["bash", "-c", python.replace("python3 -", f"{REPOSITORY}/.venv/bin/python -")], capture_output=True, text=True, check=False, timeout=DEADLINE
        )
        assert re.fullmatch(r"\[-?0\.\d+(, -?0\.\d+){4}\]\n", answer.stdout), answer

        second = run(*command(port, data_dir))
        assert_one_line(second, f"port {port} is taken", "--port")

        os.killpg(running.pid, signal.SIGINT)
        rest = running.stdout.read()
        assert running.wait(DEADLINE) == 0
        assert rest.endswith("Stopped.\n")
    assert is_free(port)


def test_a_taken_port_is_said_in_one_line_before_anything_is_done(data_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(*command(taken.getsockname()[1], data_dir, "--once"))
        assert_one_line(done, "is taken", "--port")
        assert done.stdout == ""
    assert os.listdir(data_dir) == ["models"]


def test_no_network_is_said_in_one_line(port, tmp_path):
    assert_one_line(run(*command(port, tmp_path / "data", "--once")), "no network")
    assert os.listdir(tmp_path / "data/models") == []


def test_a_full_disk_is_said_in_one_line(port, tmp_path, full_disk):
    assert_one_line(run(*command(port, tmp_path / "data", "--once"), **full_disk), "disk full", "Free some space")
    assert is_free(port)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(port):
    assert_one_line(run(*command(port, "/proc/embedrouter", "--once")), "/proc/embedrouter", "--data-dir")


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "65536"], ["--port", "http"], ["--port"], ["--twice"]])
def test_a_wrong_argument_is_refused(arguments):
    done = run(REPOSITORY / "run", *arguments)
    assert done.returncode != 0
    assert arguments[0] in done.stderr
