"""Keys made and revoked beside a running server; and no keys at all."""

import hashlib
import re
import stat
import time

import pytest

from support import wire
from support.program import run
from support.router import Router, configuration
from support.wire import assert_envelope

SEEN_WITHIN = 1.0  # seconds after the command returned


@pytest.fixture
def plain(start_router):
    return start_router(configuration(embedded=False))


def status_with(router, key: str) -> int:
    """404 for a key that counts: there is no model."""
    return router.request(
        "POST", "/api/v1/embeddings", {"input": "a", "model": "a/b"}, {"Authorization": f"Bearer {key}"}
    ).status


def keys(router, *arguments):
    done = run("keys", *arguments, "--data-dir", router.data_dir)
    assert router.key not in done.stdout + done.stderr
    return done


def test_a_key_has_its_form_and_is_stored_as_its_hash(plain):
    made = plain.create_key()
    assert made.keys() == {"key", "hash"}
    assert re.fullmatch(r"sk-or-v1-[0-9a-f]{64}", made["key"])
    assert made["hash"] == hashlib.sha256(made["key"].encode()).hexdigest()
    for file in plain.data_dir.iterdir():
        if file.name != "cli.key":
            assert made["key"].encode() not in file.read_bytes(), file


def test_the_store_is_private(plain):
    assert stat.S_IMODE(plain.data_dir.stat().st_mode) == 0o700
    for file in plain.data_dir.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_a_new_key_works_within_a_second(plain):
    made = plain.create_key()
    wire.eventually(lambda: status_with(plain, made["key"]) == 404, SEEN_WITHIN, "the key is seen")


@pytest.mark.parametrize("by", ["hash", "prefix"])
def test_a_revoked_key_stops_within_a_second(plain, by):
    made = plain.create_key()
    wire.eventually(lambda: status_with(plain, made["key"]) == 404, SEEN_WITHIN, "the key is seen")
    done = keys(plain, "revoke", made["hash"] if by == "hash" else made["hash"][:12])
    assert done.returncode == 0, done.stderr
    wire.eventually(lambda: status_with(plain, made["key"]) == 401, SEEN_WITHIN, "the key is refused")
    assert status_with(plain, plain.key) == 404, "the others still count"


def test_an_unknown_key_cannot_be_revoked(plain):
    done = keys(plain, "revoke", "0" * 64)
    assert done.returncode != 0 and done.stderr.strip()


def test_keys_are_listed_without_being_shown(plain):
    made = plain.create_key("--name", "for the indexer")
    done = keys(plain, "list")
    assert done.returncode == 0 and "for the indexer" in done.stdout
    assert made["hash"][:8] in done.stdout and made["key"] not in done.stdout


def test_a_management_key_cannot_embed(plain):
    made = plain.create_key("--management")
    wire.eventually(lambda: status_with(plain, made["key"]) == 403, SEEN_WITHIN, "the key is seen")


def test_a_key_survives_a_restart(start_router, tmp_path):
    first = start_router(configuration(embedded=False))
    first.stop()
    again = Router(first.folder, configuration(embedded=False), key=False)
    try:
        assert status_with(again, first.key) == 404
    finally:
        again.stop()


def test_requests_go_on_while_keys_change(plain):
    until = time.monotonic() + 1.5
    statuses = set()
    made = [plain.create_key()["hash"] for _ in range(3)]
    while time.monotonic() < until:
        statuses.add(status_with(plain, plain.key))
        if made:
            keys(plain, "revoke", made.pop())
    assert statuses == {404}


class TestWithoutKeys:
    @pytest.fixture
    def open_router(self, start_router):
        return start_router(configuration(embedded=False, sections={"server": {"auth": "none"}}), key=False)

    def ask(self, router, **headers):
        return router.request("POST", "/api/v1/embeddings", {"input": "a", "model": "a/b"}, headers)

    def test_local_programs_need_none(self, open_router):
        assert self.ask(open_router).status == 404
        assert self.ask(open_router, Authorization="Bearer anything").status == 404

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
    def test_its_own_names_are_answered(self, open_router, host):
        assert self.ask(open_router, Host=f"{host}:{open_router.port}").status == 404

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost:1", "localhost", ""]
    )
    def test_a_foreign_host_is_refused(self, open_router, host):
        answer = self.ask(open_router, Host=host.format(port=open_router.port))
        assert answer.status in (400, 403)
        assert_envelope(answer)

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:{port}", "null"])
    def test_any_origin_is_refused(self, open_router, origin):
        answer = self.ask(open_router, Origin=origin.format(port=open_router.port))
        assert answer.status == 403
        assert_envelope(answer)

    def test_a_public_address_without_keys_is_no_configuration(self, tmp_path):
        config = tmp_path / "c.toml"
        config.write_text('[server]\nauth = "none"\nlisten = "0.0.0.0:8080"\n')
        done = run("serve", "--check", "--config", config)
        assert done.returncode != 0 and "auth" in done.stderr

    def test_nor_is_it_by_flag(self, tmp_path):
        config = tmp_path / "c.toml"
        config.write_text('[server]\nauth = "none"\n[embedded]\nenabled = false\n')
        done = run("serve", "--config", config, "--listen", "0.0.0.0:0", "--data-dir", tmp_path / "data", seconds=10)
        assert done.returncode != 0 and "auth" in done.stderr
