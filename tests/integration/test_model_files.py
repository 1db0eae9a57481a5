"""embedrouter models add, list, remove: against a server that speaks the hub's HTTP, and from folders."""

import hashlib
import json
import os
import pty
import re
import subprocess

import pytest

from support import tiny_model, wire
from support.hub import COMMIT, Hub, Repository
from support.program import BINARY, run

ID = "me/Tiny-Model"
FOLDER = "me--tiny-model"
NEEDED = ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer.json"]
FAILURE, USAGE, AUTH, NOT_FOUND, RATE_LIMIT, UPSTREAM, TRANSPORT = 1, 2, 3, 5, 6, 7, 8
TOKEN = "hf_very_secret_token"


@pytest.fixture(scope="module")
def files():
    return tiny_model.files(seed=1)


@pytest.fixture
def hub(files):
    server = Hub()
    server.repositories[ID] = Repository(dict(files))
    yield server
    server.stop()


@pytest.fixture
def models(tmp_path, hub):
    """The command, for a data directory of its own."""

    def call(*arguments, token: str = "", endpoint: str | None = None):
        environment = {"HF_ENDPOINT": endpoint or hub.url(), "HF_TOKEN": token, "NO_PROXY": "*"}
        done = run("models", *arguments, "--data-dir", tmp_path / "data", environment=environment)
        assert TOKEN not in done.stdout + done.stderr
        return done

    return call


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data" / "models"


@pytest.fixture
def killed_at(tmp_path, hub, root):
    """The command, killed once it has so many bytes of the weights."""

    def kill(size: int, answered: int | None = None) -> None:
        hub.faults["model.safetensors"] = [("stall", size if answered is None else answered)]
        command = [str(BINARY), "models", "add", ID, "--data-dir", str(tmp_path / "data")]
        program = subprocess.Popen(command, env={**os.environ, "HF_ENDPOINT": hub.url()}, stderr=subprocess.DEVNULL)
        part = root / f".{FOLDER}.draft" / "model.safetensors.part"
        wire.eventually(lambda: part.exists() and part.stat().st_size == size, wire.PATIENCE, "so many bytes")
        program.kill()
        program.wait()

    return kill


def installed(models) -> list[dict]:
    done = models("list", "--installed", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_whole(root, files, folder: str = FOLDER) -> None:
    for name in NEEDED:
        assert (root / folder / name).read_bytes() == files[name], name
    record = json.loads((root / folder / "installed.json").read_text())
    assert [file["path"] for file in record["files"]] == NEEDED
    for file in record["files"]:
        data = files[file["path"]]
        assert (file["size"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def assert_nothing_installed(models, root) -> None:
    assert installed(models) == []
    assert not (root / FOLDER).exists()


class TestAdd:
    def test_a_model_of_the_hub(self, models, hub, root, files):
        done = models("add", ID)
        assert done.returncode == 0, done.stderr
        assert f"added {ID}: {tiny_model.WIDTH} dimensions, at most {tiny_model.TOKENS} tokens a text" in done.stdout
        assert "fetched model.safetensors" in done.stderr and "kill -HUP" in done.stderr
        assert_whole(root, files)
        assert not (root / FOLDER / "README.md").exists() and not (root / FOLDER / "onnx").exists()
        assert not hub.fetched("README.md") and not hub.fetched("model.onnx")
        (listed,) = installed(models)
        assert (listed["id"], listed["source"]) == (ID, f"{hub.url()}/{ID}")
        assert (listed["revision"], listed["commit"]) == ("main", COMMIT)

    def test_again_fetches_nothing_but_what_a_new_commit_or_damage_asks_for(self, models, hub, root, files):
        assert models("add", ID).returncode == 0
        done = models("add", ID)
        assert done.returncode == 0 and "installed already" in done.stdout
        assert len(hub.fetched("model.safetensors")) == 1
        (root / FOLDER / "model.safetensors").write_bytes(b"damaged")
        assert models("add", ID).returncode == 0
        assert_whole(root, files)
        other = tiny_model.files(seed=2)
        hub.repositories[ID] = Repository(other, commit="d" * 40)
        assert models("add", ID).returncode == 0
        assert_whole(root, other)
        assert installed(models)[0]["commit"] == "d" * 40

    def test_a_revision_is_resolved_and_written_down(self, models, hub):
        hub.repositories[ID].revisions = ("main", "refs/pr/1")
        assert models("add", ID, "--revision", "refs/pr/1").returncode == 0
        assert (installed(models)[0]["revision"], installed(models)[0]["commit"]) == ("refs/pr/1", COMMIT)
        resolved = [seen.path for seen in hub.seen if "/resolve/" in seen.path]
        assert resolved and all(f"/resolve/{COMMIT}/" in path for path in resolved)
        missing = models("add", ID, "--revision", "v9")
        assert missing.returncode == NOT_FOUND and "no such branch, tag or commit" in missing.stderr

    def test_a_commit_that_is_installed_needs_no_network(self, models, hub, root, files):
        assert models("add", ID, "--revision", COMMIT).returncode == 0
        hub.stop()
        done = models("add", ID, "--revision", COMMIT)
        assert done.returncode == 0 and "installed already" in done.stdout, done.stderr
        (root / FOLDER / "config.json").write_bytes(b"{}")
        assert models("add", ID, "--revision", COMMIT).returncode == TRANSPORT, "what is damaged is not installed"

    def test_a_branch_that_is_installed_outlives_the_network(self, models, hub):
        hub.repositories[ID].revisions = ("main", "other")
        hub.repositories["me/second"] = hub.repositories[ID]
        assert models("add", ID).returncode == 0
        hub.stop()
        done = models("add", ID)
        assert done.returncode == 0 and "installed already" in done.stdout
        assert "HF_ENDPOINT" in done.stderr and "is not known" in done.stderr
        assert models("add", ID, "--revision", "other").returncode == TRANSPORT
        assert models("add", "me/second", "--id", ID).returncode == TRANSPORT, "another repository is another model"

    def test_small_files_behind_a_redirect_at_the_hub(self, models, hub, root, files):
        hub.repositories[ID].cached = True
        hub.repositories[ID].token = TOKEN
        done = models("add", ID, token=TOKEN)
        assert done.returncode == 0, done.stderr
        assert_whole(root, files)

    def test_names_that_lead_elsewhere_are_not_looked_at(self, models, hub, root, files, tmp_path):
        evil = ["../config.json", "../../evil/config.json", "/etc/config.json", "1_Pooling/../../config.json", ".git/config.json",
                "1_Pooling\\..\\config.json", "..", "1_\u0000/config.json"]
        hub.repositories[ID].files |= {name: b"evil" for name in evil}
        assert models("add", ID).returncode == 0
        assert_whole(root, files)
        below = {str(path.relative_to(root / FOLDER)) for path in (root / FOLDER).rglob("*") if path.is_file()}
        assert below == {*NEEDED, "installed.json"}
        assert not (tmp_path / "data" / "evil").exists() and not (root / "config.json").exists()

    def test_a_model_that_would_not_be_served_is_told(self, models, hub, tmp_path):
        config = tmp_path / "embedrouter.toml"
        for members, why in {'memory = "1MiB"': "more than [embedded] memory", 'models = ["a/b"]': "[embedded] models"}.items():
            config.write_text(f"[embedded]\n{members}\n")
            done = models("add", ID, "--config", config)
            assert done.returncode == 0 and why in done.stderr, done.stderr
            assert models("remove", ID).returncode == 0

    def test_progress_is_a_bar_on_a_terminal_alone(self, hub, tmp_path, files):
        size = len(files["model.safetensors"])
        hub.faults["model.safetensors"] = [("cut", size // 2)]
        ours, theirs = pty.openpty()
        command = [str(BINARY), "models", "add", ID, "--data-dir", str(tmp_path / "data")]
        environment = {**os.environ, "HF_ENDPOINT": hub.url(), "HF_TOKEN": ""}
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=60)
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        assert done.returncode == 0, shown
        assert re.search(r"\r\[#+\.+\] \d+\.\d MiB of \d+\.\d MiB, \d+\.\d MB/s", shown), shown
        assert "\r\x1b[Kfetched model.safetensors" in shown

    def test_under_another_name_and_a_renamed_one(self, models, hub, root):
        hub.renamed["old/name"] = ID
        assert models("add", "old/name", "--id", "my/own").returncode == 0
        assert (root / "my--own" / "model.safetensors").exists()

    def test_a_folder(self, models, tmp_path, root, files, hub):
        source = tiny_model.write(tmp_path / "Own_Model", seed=1)
        done = models("add", source)
        assert done.returncode == 0, done.stderr
        assert_whole(root, files, "local--own_model")
        assert models("add", source, "--id", ID).returncode == 0
        assert [model["source"] for model in installed(models)] == ["folder", "folder"]
        assert not hub.seen
        assert models("add", source, "--revision", "main").returncode == USAGE

    def test_what_is_neither_a_model_nor_a_folder(self, models, tmp_path):
        for what in ("tiny", "a/b/c", "../absent"):
            done = models("add", what)
            assert done.returncode in (USAGE, FAILURE) and what.rpartition("/")[2] in done.stderr
        (tmp_path / "empty").mkdir()
        done = models("add", tmp_path / "empty")
        assert done.returncode == FAILURE and "no config.json" in done.stderr


class TestToken:
    def test_goes_to_the_hub_and_nowhere_else(self, models, hub):
        hub.repositories[ID].token = TOKEN
        assert models("add", ID, token=TOKEN).returncode == 0
        at_hub = [seen for seen in hub.seen if seen.at == "hub"]
        at_cdn = [seen for seen in hub.seen if seen.at == "cdn"]
        assert all(seen.headers["authorization"] == f"Bearer {TOKEN}" for seen in at_hub)
        assert at_cdn and not any("authorization" in seen.headers for seen in at_cdn)

    def test_is_asked_for(self, models, hub, root):
        hub.repositories[ID].token = TOKEN
        done = models("add", ID)
        assert done.returncode == AUTH and "HF_TOKEN" in done.stderr
        hub.repositories[ID].gated = True
        done = models("add", ID)
        assert done.returncode == AUTH and "gated" in done.stderr and f"{hub.url()}/{ID}" in done.stderr
        done = models("add", ID, token="hf_of_somebody_else")
        assert done.returncode == AUTH and "gated" in done.stderr
        assert_nothing_installed(models, root)

    def test_does_not_go_over_plain_http(self, models):
        done = models("add", ID, token=TOKEN, endpoint="http://hub.example")
        assert done.returncode == FAILURE and "HF_TOKEN" in done.stderr

    def test_does_not_help_where_there_is_no_model(self, models):
        assert models("add", "me/absent", token=TOKEN).returncode == NOT_FOUND


class TestTransfer:
    def test_that_has_no_room_on_the_disk_does_not_begin(self, models, hub, root, tmp_path):
        disk = os.statvfs(tmp_path)
        hub.faults["model.safetensors"] = [("size", disk.f_frsize * disk.f_bavail + 1)]
        done = models("add", ID)
        assert done.returncode == FAILURE and "no room for the model" in done.stderr and "--data-dir" in done.stderr
        assert not hub.fetched("json") and not hub.fetched("model.safetensors")
        assert_nothing_installed(models, root)

    @pytest.mark.parametrize("name, size", [("model.safetensors", 2**63), ("config.json", 2**30)])
    def test_of_a_file_that_no_model_has_does_not_begin(self, models, hub, root, name, size):
        hub.faults[name] = [("size", size)]
        done = models("add", ID)
        assert done.returncode == FAILURE and f"{name} of {ID} has" in done.stderr and "not fetched" in done.stderr
        assert not hub.fetched("json") and not hub.fetched("model.safetensors")
        assert_nothing_installed(models, root)

    def test_that_is_cut_goes_on_where_it_was(self, models, hub, root, files):
        size = len(files["model.safetensors"])
        hub.faults["model.safetensors"] = [("cut", 1_000_000), ("cut", 500_000)]
        done = models("add", ID)
        assert done.returncode == 0, done.stderr
        ranges = [seen.headers.get("range") for seen in hub.fetched("model.safetensors")]
        assert ranges == [None, "bytes=1000000-", "bytes=1500000-"] and size > 1_500_000
        assert_whole(root, files)

    def test_that_ended_with_the_program_goes_on_with_the_next(self, models, hub, root, files, killed_at):
        killed_at(1_000_000)
        assert_nothing_installed(models, root)
        hub.seen.clear()
        done = models("add", ID)
        assert done.returncode == 0, done.stderr
        assert [seen.headers.get("range") for seen in hub.fetched("model.safetensors")] == ["bytes=1000000-"]
        assert not hub.fetched(f"{COMMIT}/config.json"), "what was whole is not fetched again"
        assert "here already" in done.stderr
        assert_whole(root, files)

    def test_that_is_killed_again_and_again_loses_nothing(self, models, hub, root, files, killed_at):
        sizes = [1, 700_000, 2_000_000]
        for size, before in zip(sizes, [0, *sizes]):
            killed_at(size, size - before)
            assert_nothing_installed(models, root)
        hub.seen.clear()
        assert models("add", ID).returncode == 0
        assert [seen.headers.get("range") for seen in hub.fetched("model.safetensors")] == [f"bytes={sizes[-1]}-"]
        assert_whole(root, files)
        assert sorted(path.name for path in root.iterdir()) == [f".{FOLDER}.lock", FOLDER], "nothing is left over"

    def test_of_another_commit_begins_anew(self, models, hub, root, killed_at):
        killed_at(1_000_000)
        other = tiny_model.files(seed=2)
        hub.repositories[ID] = Repository(other, commit="d" * 40)
        hub.seen.clear()
        assert models("add", ID).returncode == 0
        assert [seen.headers.get("range") for seen in hub.fetched("model.safetensors")] == [None]
        assert_whole(root, other)

    def test_a_server_that_knows_no_ranges(self, models, hub, root, files):
        hub.faults["model.safetensors"] = [("cut", 1_000_000), ("ignore-range",)]
        assert models("add", ID).returncode == 0
        assert_whole(root, files)

    def test_another_part_than_was_asked_for_is_not_taken(self, models, hub, root, files):
        hub.faults["model.safetensors"] = [("cut", 1_000_000), ("elsewhere",)]
        done = models("add", ID)
        assert done.returncode == 0 and "another part of the file" in done.stderr
        assert_whole(root, files)

    def test_damage_on_the_way_is_fetched_once_more_and_then_refused(self, models, hub, root, files):
        hub.faults["model.safetensors"] = [("corrupt",)]
        assert models("add", ID).returncode == 0
        assert_whole(root, files)
        assert models("remove", ID).returncode == 0
        for name in ("model.safetensors", "tokenizer.json"):
            hub.faults[name] = [("corrupt",)] * 2
            done = models("add", ID)
            assert done.returncode == UPSTREAM and f"{name} as the hub sends it is not the file it says" in done.stderr
            assert_nothing_installed(models, root)

    def test_a_full_hub_is_waited_for(self, models, hub, root, files):
        hub.faults["/revision/main"] = [("status", 503, {})]
        hub.faults["config.json"] = [("status", 429, {"Retry-After": "1"})]
        done = models("add", ID)
        assert done.returncode == 0, done.stderr
        assert "too many requests" in done.stderr and "trying again in 1.0 s" in done.stderr
        assert_whole(root, files)

    def test_nobody_there(self, models, hub):
        hub.stop()
        done = models("add", ID)
        assert done.returncode == TRANSPORT and "HF_ENDPOINT" in done.stderr

    def test_two_at_once_do_not_disturb_each_other(self, models, hub, tmp_path, root, files):
        command = [str(BINARY), "models", "add", ID, "--data-dir", str(tmp_path / "data")]
        environment = {"HF_ENDPOINT": hub.url(), "PATH": "/usr/bin", "HOME": str(tmp_path)}
        both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        said = [program.communicate(timeout=60)[0].decode() for program in both]
        assert [program.returncode for program in both] == [0, 0]
        assert sorted(text.partition(" ")[0] for text in said) == ["added", ID]
        assert len(hub.fetched("model.safetensors")) == 1
        assert_whole(root, files)


class TestBrokenModels:
    """FAULTS G5: refused before use, with the file and what is wrong."""

    BROKEN = {
        "truncated": ("model.safetensors", lambda data: data[:-100]),
        "longer": ("model.safetensors", lambda data: data + b"more"),
        "no header": ("model.safetensors", lambda data: b"\xff" * 100),
        "config": ("config.json", lambda data: data[:-1]),
        "family": ("config.json", lambda data: data.replace(b'"bert"', b'"gpt9"').replace(b"BertModel", b"Gpt9Model")),
        "tokenizer": ("tokenizer.json", lambda data: data[:1000]),
        "width": ("config.json", lambda data: data.replace(b'"hidden_size": 32', b'"hidden_size": 64')),
    }

    @pytest.mark.parametrize("fault", BROKEN)
    def test_are_not_installed(self, models, hub, root, files, fault):
        name, damage = self.BROKEN[fault]
        hub.repositories[ID].files[name] = damage(files[name])
        done = models("add", ID)
        assert done.returncode == FAILURE, done.stderr
        assert f"the embedding engine cannot run {ID}" in done.stderr and name in done.stderr
        assert_nothing_installed(models, root)
        assert not (root / f".{FOLDER}.draft").exists()

    @pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
    def test_without_a_file_are_not_fetched(self, models, hub, root, name):
        del hub.repositories[ID].files[name]
        done = models("add", ID)
        assert done.returncode == FAILURE and f"it has no {name}" in done.stderr
        assert not hub.fetched("json")
        assert_nothing_installed(models, root)

    def test_leave_the_one_that_was_there(self, models, hub, root, files):
        assert models("add", ID).returncode == 0
        hub.repositories[ID] = Repository({**files, "config.json": b"{}"}, commit="d" * 40)
        assert models("add", ID).returncode == FAILURE
        assert_whole(root, files)


class TestListAndRemove:
    def test_show_and_take_away(self, models, root):
        assert installed(models) == []
        assert models("add", ID).returncode == 0
        done = models("list", "--installed")
        assert done.returncode == 0 and ID in done.stdout and COMMIT in done.stdout
        assert models("remove", ID.upper()).returncode == 0
        assert_nothing_installed(models, root)
        assert models("remove", ID).returncode == NOT_FOUND
        assert models("remove", "nonsense").returncode == USAGE
        assert models("remove", "sentence-transformers/all-MiniLM-L6-v2").returncode == USAGE

    def test_what_the_configuration_names_is_not_removed(self, models, root, tmp_path):
        assert models("add", ID).returncode == 0
        config = tmp_path / "embedrouter.toml"
        config.write_text(f'[embedded]\nmodels = ["{ID.lower()}"]\n')
        done = models("remove", ID, "--config", config)
        assert done.returncode == USAGE and "[embedded] models" in done.stderr and "first" in done.stderr
        assert len(installed(models)) == 1
        config.write_text("")
        done = models("remove", ID, "--config", config)
        assert done.returncode == 0 and "kill -HUP" in done.stderr

    def test_name_a_record_that_cannot_be_read(self, models, root):
        assert models("add", ID).returncode == 0
        (root / FOLDER / "installed.json").write_text("{")
        done = models("list", "--installed")
        assert done.returncode == FAILURE and "installed.json" in done.stderr
