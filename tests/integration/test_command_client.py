"""What the commands that ask a router send to it, and what they make of its answers."""

import json

import pytest

from sdk.recorder import Answer, Recorder
from support.program import run
from support.router import configuration

MODELS = json.dumps({"data": [], "total_count": 0, "links": {"details": ""}})
VECTORS = json.dumps(
    {
        "object": "list",
        "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
)
GOOD = {"models": MODELS, "embed": VECTORS}
KEPT = "sk-or-v1-" + "5e" * 32
COMMANDS = (("models",), ("embed", "a text"))


def through(recorder) -> dict[str, str]:
    """The environment in which requests go through the recorder."""
    return {"http_proxy": recorder.url.removesuffix("/api/v1"), "no_proxy": "", "NO_PROXY": ""}


@pytest.fixture(scope="module")
def recorder():
    recorder = Recorder("")
    yield recorder
    recorder.stop()


def ask(recorder, command, *arguments, key: str = "", **environment):
    """Asks by OPENROUTER_BASE_URL, which --server overrides."""
    around = {"OPENROUTER_API_KEY": key, "OPENROUTER_BASE_URL": recorder.url, **environment}
    return run(*command, *arguments, environment=around)


class TestTheKeptKey:
    """The key in the data folder is for the router of this machine."""

    @pytest.fixture
    def kept(self, tmp_path):
        (tmp_path / "cli.key").write_text(KEPT + "\n")
        (tmp_path / "cli.key").chmod(0o600)
        return tmp_path

    def authorization(self, recorder, kept, command, url, *arguments, by_flag: bool = True):
        """What the recorder is sent by a command that asks `url`. It is the proxy on the way to any other machine."""
        recorder.will(Answer(body=GOOD[command[0]]))
        if by_flag:
            arguments += ("--server", url)
        done = ask(recorder, command, "--data-dir", kept, *arguments,
                   **through(recorder), **{} if by_flag else {"OPENROUTER_BASE_URL": url})  # fmt: skip
        assert done.returncode == 0, done.stderr
        [asked] = recorder.asked
        assert KEPT not in done.stdout + done.stderr
        return asked.headers.get("authorization")

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("by_flag", [True, False])
    def test_it_goes_to_no_other_server(self, recorder, kept, command, by_flag):
        url = "http://router.example/api/v1"
        assert self.authorization(recorder, kept, command, url, by_flag=by_flag) is None

    @pytest.mark.parametrize("host", [
        "192.0.2.1:8080", "127.0.0.1.example", "localhost.example", "example", "[2001:db8::1]:8080",
    ])  # fmt: skip
    def test_nor_to_what_looks_like_this_machine(self, recorder, kept, host):
        assert self.authorization(recorder, kept, ("models",), f"http://{host}/api/v1") is None

    def test_a_user_in_the_address_is_no_host(self, recorder, kept):
        recorder.will(Answer(body=MODELS))
        url = "http://127.0.0.1:80@router.example/api/v1"
        done = ask(recorder, ("models",), "--server", url, "--data-dir", kept, **through(recorder))
        assert all(KEPT not in str(asked.headers) for asked in recorder.asked), done.stderr

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST"])
    def test_it_goes_to_this_machine(self, recorder, kept, host):
        url = recorder.url.replace("127.0.0.1", host)
        assert self.authorization(recorder, kept, ("models",), url) == f"Bearer {KEPT}"

    @pytest.mark.parametrize("command", COMMANDS)
    def test_no_proxy_is_shown_it(self, recorder, kept, command):
        proxy = Recorder()
        proxy.will(Answer(body=GOOD[command[0]]))
        recorder.will(Answer(body=GOOD[command[0]]))
        done = ask(recorder, command, "--data-dir", kept, **through(proxy))
        proxy.stop()
        assert done.returncode == 0 and not proxy.asked, done.stderr
        assert recorder.asked[0].headers["authorization"] == f"Bearer {KEPT}"

    def test_it_goes_where_the_configured_router_listens(self, recorder, kept, tmp_path):
        url = recorder.url.replace("127.0.0.1", "0.0.0.0")
        config = tmp_path / "c.toml"
        for port, sent in ((recorder.server.server_port, f"Bearer {KEPT}"), (1, None)):
            config.write_text(f'[server]\nlisten = "0.0.0.0:{port}"\n' + configuration())
            assert self.authorization(recorder, kept, ("models",), url, "--config", config) == sent

    def test_a_key_that_cannot_be_read_is_not_missed_by_others(self, recorder, kept):
        (kept / "cli.key").chmod(0o644)
        assert self.authorization(recorder, kept, ("models",), "http://router.example/api/v1") is None
        done = ask(recorder, ("models",), "--data-dir", kept)
        assert done.returncode == 3 and "cli.key" in done.stderr

    def test_who_is_refused_without_a_key_is_told_how_to_give_one(self, recorder, kept):
        recorder.will(Answer(401, json.dumps({"error": {"code": 401, "message": "No auth credentials found"}})))
        url = "http://router.example/api/v1"
        done = ask(recorder, ("models",), "--data-dir", kept, "--server", url, **through(recorder))
        assert done.returncode == 3 and "OPENROUTER_API_KEY" in done.stderr


class TestAnswers:
    STATUSES = {400: 1, 401: 3, 402: 4, 403: 3, 404: 5, 429: 6, 500: 7, 529: 7}

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("status", STATUSES)
    def test_each_status_has_its_exit_status(self, recorder, command, status):
        body = json.dumps({"error": {"code": status, "message": "it is so"}})
        recorder.will(Answer(status, body))
        done = ask(recorder, command)
        assert done.returncode == self.STATUSES[status] and "it is so" in done.stderr and not done.stdout
        done = ask(recorder, command, "--json")
        assert done.returncode == self.STATUSES[status] and json.loads(done.stdout) == json.loads(body)

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("media, body", [
        ("text/html", "<html>sign in</html>"), ("text/plain", "{}"), ("application/json", "<html>sign in</html>"),
        ("application/json", ""), ("application/json", '{"data": ['), ("application/json", "[] []"),
    ])  # fmt: skip
    @pytest.mark.parametrize("flags", [(), ("--json",)])
    def test_a_200_that_is_no_answer_is_a_failure(self, recorder, command, media, body, flags):
        recorder.will(Answer(200, body, {"Content-Type": media}))
        done = ask(recorder, command, *flags)
        assert done.returncode == 7 and done.stderr.strip() and not done.stdout

    @pytest.mark.parametrize("command", COMMANDS)
    def test_json_is_the_answer_to_the_letter(self, recorder, command):
        body = " " + GOOD[command[0]][:-1] + ', "more": 1.50}'
        recorder.will(Answer(body=body, headers={"Content-Type": "application/json; charset=utf-8"}))
        done = ask(recorder, command, "--json")
        assert done.returncode == 0 and done.stdout == body + "\n", done.stderr

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize("flags", [(), ("--json",)])
    @pytest.mark.parametrize("status", [200, 401, 500])
    @pytest.mark.parametrize("scheme", ["", "Bearer "])
    def test_a_key_that_is_sent_back_is_not_printed(self, recorder, command, flags, status, scheme):
        key = "sk-or-v1-not-for-the-screen"
        message = f"you sent Authorization: Bearer {key}"
        good = json.loads(GOOD[command[0]]) | {"echo": message, "model": key}
        bad = {"error": {"code": status, "message": message}}
        recorder.will(Answer(status, json.dumps(good if status == 200 else bad)))
        done = ask(recorder, command, *flags, key=scheme + key)
        assert recorder.asked[0].headers["authorization"] == f"Bearer {key}"
        assert key not in done.stdout + done.stderr
        if flags:
            assert "[redacted]" in done.stdout and json.loads(done.stdout)
