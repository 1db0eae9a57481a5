"""embedrouter serve --check, embed, models, doctor."""

import json
import math
import os
import pty
import re
import subprocess

import pytest

from support.program import BINARY, MODEL_DIR, run
from support.router import TAURUS_ID, TAURUS_WIDTH, configuration, provider
from support.vectors import as_floats, cosine

USAGE = 2


def rows(done) -> list[list[float]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestCheck:
    def check(self, tmp_path, text: str):
        config = tmp_path / "embedrouter.toml"
        config.write_text(text)
        return run("serve", "--check", "--config", config)

    def test_a_good_file_is_said_to_be_good(self, tmp_path):
        done = self.check(tmp_path, '[server]\nlisten = "127.0.0.1:0"\n' + configuration())
        assert done.returncode == 0 and "good" in done.stdout, done.stderr

    def test_every_fault_is_named_with_its_line(self, tmp_path):
        done = self.check(
            tmp_path,
            '[server]\nlisten = "nonsense"\nauht = "none"\n\n[[model]]\nid = "a/b"\ndimensions = 0\n'
            '[[model.endpoint]]\nprovider = "absent"\n',
        )
        assert done.returncode != 0
        lines = {int(n) for n in re.findall(r"embedrouter\.toml:(\d+)", done.stderr)}
        assert {2, 3, 7, 9} <= lines, done.stderr
        for word in ("listen", "auht", "auth", "dimensions", "slug"):
            assert word in done.stderr, word

    def test_what_is_not_toml_is_named_with_its_line(self, tmp_path):
        done = self.check(tmp_path, "[server]\nlisten = \n")
        assert done.returncode != 0 and "embedrouter.toml:2" in done.stderr

    def test_a_key_in_the_file_is_refused_and_not_repeated(self, tmp_path):
        done = self.check(
            tmp_path,
            '[[provider]]\nslug = "x"\ndialect = "openai"\nbase_url = "http://h/v1"\napi_key = "sk-very-secret"\n',
        )
        assert done.returncode != 0 and "api_key_env" in done.stderr and "sk-very-secret" not in done.stderr

    def test_a_missing_file_is_said(self, tmp_path):
        done = run("serve", "--check", "--config", tmp_path / "absent.toml")
        assert done.returncode != 0 and "absent.toml" in done.stderr

    def test_an_unset_key_variable_is_said(self, tmp_path):
        done = self.check(
            tmp_path,
            '[[provider]]\nslug = "x"\ndialect = "openai"\nbase_url = "http://h/v1"\napi_key_env = "SURELY_UNSET_KEY"\n',
        )
        assert done.returncode != 0 and "SURELY_UNSET_KEY" in done.stderr

    def test_every_key_that_is_missing_is_a_line_with_its_provider_and_the_mending(self, tmp_path):
        (tmp_path / "empty.key").write_text("\n")
        (tmp_path / "good.key").write_text("sk-very-secret\n")
        text = configuration(
            provider("http://h/v1", "first", api_key_env=["SURELY_UNSET_KEY", "SURELY_UNSET_TOO"]),
            provider("http://h/v1", "second", api_key_file=[f"{tmp_path}/absent.key", f"{tmp_path}/empty.key"]),
            provider("http://h/v1", "third", api_key_file=f"{tmp_path}/good.key"),
            embedded=False,
        )
        done = self.check(tmp_path, text)
        assert done.returncode != 0 and "sk-very-secret" not in done.stderr
        lines = text.splitlines()
        at = {slug: next(n for n, line in enumerate(lines, 1) if line.startswith("api_key") and where in line)
              for slug, where in (("first", "SURELY"), ("second", "absent"))}  # fmt: skip
        expected = [
            (at["first"], '"first": the environment variable SURELY_UNSET_KEY is not set; set it'),
            (at["first"], '"first": the environment variable SURELY_UNSET_TOO is not set; set it'),
            (at["second"], f'"second": the file {tmp_path}/absent.key cannot be read; write the key into its first line'),
            (at["second"], f'"second": the file {tmp_path}/empty.key holds no key; write the key into its first line'),
        ]
        *faults, last = done.stderr.splitlines()
        assert len(faults) == len(expected) and last == "the configuration has 4 faults", done.stderr
        for fault, (line, words) in zip(faults, expected, strict=True):
            assert f"embedrouter.toml:{line}: provider {words}" in fault

    def test_files_that_cannot_be_used_are_all_named(self, tmp_path):
        (tmp_path / "none.pem").write_text("none\n")
        text = configuration(
            provider("https://h/v1", "first", ca_file=f"{tmp_path}/none.pem"),
            provider("https://h/v1", "second", client_cert_file=f"{tmp_path}/absent.pem", client_key_file=f"{tmp_path}/none.pem"),
            sections={
                "server.tls": {"cert_file": f"{tmp_path}/none.pem", "key_file": f"{tmp_path}/none.pem"},
                "embedded": {"model_dir": f"{tmp_path}/nowhere"},
            },
        )  # fmt: skip
        done = self.check(tmp_path, text)
        assert done.returncode != 0
        for words in ("[server.tls]", "[embedded]", "nowhere", 'provider "first"', 'provider "second"', "absent.pem"):
            assert words in done.stderr, words
        assert "the configuration has 4 faults" in done.stderr


class TestEmbed:
    @pytest.fixture
    def cli(self, router):
        def call(*arguments, **options):
            environment = {"OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api}
            return run("embed", *arguments, environment=environment, **options)

        return call

    def expected(self, router, texts):
        return [as_floats(entry["embedding"]) for entry in router.embed(texts).json["data"]]

    def assert_vectors(self, got, expected):
        for a, b in zip(got, expected, strict=True):
            assert len(a) == TAURUS_WIDTH and cosine(as_floats(a), b) > 0.9999

    def test_arguments_are_texts(self, router, cli):
        self.assert_vectors(rows(cli("one text", "another")), self.expected(router, ["one text", "another"]))

    @pytest.mark.parametrize("arguments", [(), ("-",)])
    def test_standard_input_is_a_text_a_line(self, router, cli, arguments):
        got = rows(cli(*arguments, input="one text\nanother\r\n"))
        self.assert_vectors(got, self.expected(router, ["one text", "another"]))

    def test_files_are_a_text_a_line(self, router, cli, tmp_path):
        (tmp_path / "a.txt").write_text("one text\n")
        (tmp_path / "b.txt").write_text("another")
        got = rows(cli("--file", tmp_path / "a.txt", "--file", tmp_path / "b.txt"))
        self.assert_vectors(got, self.expected(router, ["one text", "another"]))

    def test_json_prints_the_whole_answer(self, cli):
        done = cli("--json", "one text")
        assert done.returncode == 0 and json.loads(done.stdout)["model"] == TAURUS_ID

    def test_model_names_another(self, cli):
        [vector] = rows(cli("--model", "test/ok", "one text"))
        assert len(vector) == 64

    @pytest.mark.parametrize("arguments", [("--local",), ("--local", "--json")])
    def test_local_needs_no_router_and_no_key(self, router, tmp_path, arguments):
        config = tmp_path / "c.toml"
        config.write_text(configuration())
        texts = ["one text", "another"]
        done = run("embed", *arguments, "--config", config, "--data-dir", tmp_path / "data", *texts)
        assert done.returncode == 0, done.stderr
        if "--json" in arguments:
            body = json.loads(done.stdout)
            assert body["model"] == TAURUS_ID and body["usage"]["prompt_tokens"] == 4 + 3
            got = [entry["embedding"] for entry in body["data"]]
        else:
            got = rows(done)
        self.assert_vectors(got, self.expected(router, texts))

    def test_errors_have_their_own_exit_status(self, router, cli, tmp_path):
        wrong = {"OPENROUTER_API_KEY": "sk-or-v1-wrong", "OPENROUTER_BASE_URL": router.api}
        nobody = {"OPENROUTER_API_KEY": "x", "OPENROUTER_BASE_URL": "http://127.0.0.1:9/api/v1"}
        statuses = {
            "auth": run("embed", "a", environment=wrong),
            "not_found": cli("--model", "no/model", "a"),
            "transport": run("embed", "a", environment=nobody),
            "usage": cli("--no-such-flag"),
            "upstream": cli("--model", "test/short-last", "a"),
        }
        for name, done in statuses.items():
            assert done.returncode != 0 and done.stderr.strip(), name
            assert "sk-or-v1-wrong" not in done.stderr + done.stdout
        assert len({done.returncode for done in statuses.values()}) == len(statuses), statuses

    def test_long_input_is_several_requests_and_keeps_its_order(self, router, cli):
        texts = [f"text number {i}" for i in range(600)]
        got = rows(cli("--model", "test/ok", input="\n".join(texts)))
        some = [0, 255, 256, 511, 512, 599]
        reply = router.embed([texts[i] for i in some], model="test/ok").json["data"]
        assert len(got) == len(texts)
        for i, entry in zip(some, reply, strict=True):
            assert cosine(as_floats(got[i]), as_floats(entry["embedding"])) > 0.9999, i

    def test_a_text_that_fails_is_null_and_named(self, cli):
        long = "word " * 5000
        done = cli("one text", long, "another")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line is None for line in lines] == [False, True, False]
        assert done.returncode == 1 and "text 1: " in done.stderr and "word word" not in done.stderr

    def test_json_is_one_request(self, cli):
        done = cli("--json", "--model", "test/ok", input="text\n" * 2049)
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] in (400, 413)

    def test_progress_is_shown_on_a_terminal_alone(self, router, tmp_path):
        file = tmp_path / "texts.txt"
        file.write_text("a text\n" * 600)
        command = [BINARY, "embed", "--model", "test/ok", "--file", file]
        environment = {**os.environ, "OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api}
        ours, theirs = pty.openpty()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=60)
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        assert done.returncode == 0 and len(done.stdout.splitlines()) == 600
        assert "600/600 texts" in shown and shown.endswith("\r\x1b[K"), shown
        piped = subprocess.run(command, capture_output=True, env=environment, timeout=60)
        assert piped.returncode == 0 and not piped.stderr

    def test_an_unusable_address_is_a_usage_error(self):
        done = run("embed", "a", "--server", "nonsense://")
        assert done.returncode == USAGE and "nonsense" in done.stderr

    def test_nothing_to_embed_is_said(self, cli):
        assert cli(input="").returncode != 0

    def test_the_key_of_the_data_folder_is_used(self, start_router, tmp_path):
        router = start_router(configuration())
        (router.data_dir / "cli.key").write_text(router.key + "\n")
        (router.data_dir / "cli.key").chmod(0o600)
        done = run(
            "embed", "a", "--data-dir", router.data_dir, "--server", router.api, environment={"OPENROUTER_API_KEY": ""}
        )
        assert len(rows(done)) == 1


def test_models_are_listed(router):
    environment = {"OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api}
    done = run("models", environment=environment)
    assert done.returncode == 0, done.stderr
    assert TAURUS_ID in done.stdout and "test/ok" in done.stdout
    listed = json.loads(run("models", "--json", environment=environment).stdout)
    assert listed["total_count"] == len(done.stdout.splitlines())


class TestDoctor:
    def doctor(self, tmp_path, text: str):
        config = tmp_path / "c.toml"
        config.write_text(text)
        return run("doctor", "--config", config, "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0")

    def test_a_sound_machine_is_said_to_be_well(self, tmp_path):
        assert run("keys", "create", "--data-dir", tmp_path / "data").returncode == 0
        done = self.doctor(tmp_path, configuration())
        assert done.returncode == 0, done.stdout
        for word in ("cpu", "kernels", str(MODEL_DIR), str(TAURUS_WIDTH), "port"):
            assert word in done.stdout, word
        assert re.search(r"\b(fp32|bf16)\b", done.stdout)

    def test_what_is_wrong_is_said_with_the_mending(self, tmp_path):
        done = self.doctor(tmp_path, f'[embedded]\nmodel_dir = "{tmp_path}/nowhere"\n')
        assert done.returncode != 0
        assert "nowhere" in done.stdout and "keys create" in done.stdout

    def test_a_broken_configuration_is_said(self, tmp_path):
        done = self.doctor(tmp_path, "[server]\nlisten = 5\n")
        assert done.returncode != 0 and "listen" in done.stdout + done.stderr


def test_help_and_version():
    for flag in ("--help", "--version"):
        done = run(flag)
        assert done.returncode == 0 and "mbedrouter" in done.stdout
    for command in ("serve", "embed", "models", "keys", "doctor"):
        assert run(command, "--help").returncode == 0
    assert run().returncode == USAGE and run("no-such-command").returncode == USAGE


def test_unit_length_survives_printing(router):
    done = run("embed", "a", environment={"OPENROUTER_API_KEY": router.key, "OPENROUTER_BASE_URL": router.api})
    [vector] = rows(done)
    assert abs(math.hypot(*vector) - 1) < 1e-3
