"""Several models inside one router: in memory while they are used, within a bound."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import tiny_model, wire
from support.program import MODEL_DIR, run
from support.router import TAURUS_ID, Model, configuration, provider
from support.vectors import as_floats, cosine

ONE, TWO = "me/one", "me/two"
TEXTS = ["a first text", "another, longer than the first"]
BOTH_FIT, ONE_FITS, NONE_FITS = "1GiB", "6MiB", "1MiB"  # a tiny model takes some 4 MiB


def embedded(**members) -> str:
    return configuration(sections={"embedded": {"model_dir": MODEL_DIR, **members}})


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {ONE: tiny_model.write(folder / "one", seed=1), TWO: tiny_model.write(folder / "two", seed=2)}


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def install(sources, data_dir):
    def add(*ids):
        for id in ids:
            done = run("models", "add", sources[id], "--id", id, "--data-dir", data_dir)
            assert done.returncode == 0, done.stderr

    return add


def local_vectors(data_dir, id: str) -> list[list[float]]:
    done = run("embed", "--local", "--model", id, "--data-dir", data_dir, *TEXTS)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def vectors(answer) -> list[list[float]]:
    assert answer.status == 200, answer.body
    return [as_floats(entry["embedding"]) for entry in answer.json["data"]]


def same(got, expected) -> bool:
    return all(cosine(a, b) > 0.9999 for a, b in zip(got, expected, strict=True))


def events(router, event: str) -> list[dict]:
    return [line for line in map(json.loads, router.program.err) if line["event"] == event]


def metric(router, name: str) -> float:
    return router.metrics()[f"embedrouter_{name}"]


class TestOnDemand:
    def test_a_model_is_listed_and_loaded_with_its_first_request(self, start_router, install, data_dir):
        install(ONE)
        router = start_router(embedded(), data_dir=data_dir)
        listed = {model["id"]: model for model in router.request("GET", "/api/v1/embeddings/models").json["data"]}
        assert list(listed) == [ONE, TAURUS_ID]
        assert listed[ONE]["context_length"] == tiny_model.TOKENS
        assert listed[ONE]["embedrouter"]["dimensions"] == tiny_model.WIDTH
        assert float(listed[ONE]["pricing"]["prompt"]) == 0
        assert metric(router, "models_loaded") == 0

        answer = router.embed(TEXTS, model=ONE.upper())
        got = vectors(answer)
        assert [len(vector) for vector in got] == [tiny_model.WIDTH] * 2
        assert answer.json["model"] == ONE and answer.json["usage"]["cost"] == 0
        assert answer.headers["X-Embedrouter-Space"].startswith(f"{ONE}#")
        assert metric(router, "models_loaded") == 1
        (loaded,) = events(router, "model_loaded")
        assert loaded["model"] == ONE and loaded["memory_bytes"] > 1 << 20
        assert same(got, local_vectors(data_dir, ONE))

    def test_too_long_a_text_is_refused_or_cut_by_its_own_limit(self, start_router, install, data_dir):
        install(ONE)
        router = start_router(embedded(), data_dir=data_dir)
        long = "word " * (tiny_model.TOKENS + 1)
        refused = router.embed(["short", long], model=ONE)
        assert refused.status == 400 and f"at most {tiny_model.TOKENS}" in refused.json["error"]["message"]
        assert router.embed(long, model=ONE, truncate=True).status == 200

    def test_an_idle_one_leaves_and_comes_back(self, start_router, install, data_dir):
        install(ONE)
        router = start_router(embedded(idle_timeout="100ms"), data_dir=data_dir)
        before = vectors(router.embed(TEXTS, model=ONE))
        wire.eventually(lambda: metric(router, "models_loaded") == 0, wire.PATIENCE, "it leaves")
        assert metric(router, "models_memory_bytes") == 0
        assert vectors(router.embed(TEXTS, model=ONE)) == before
        assert events(router, "model_unloaded")[0]["cause"] == "idle"

    def test_two_that_do_not_fit_together_take_turns(self, start_router, install, data_dir):
        install(ONE, TWO)
        right = {id: local_vectors(data_dir, id) for id in (ONE, TWO)}
        assert not same(right[ONE], right[TWO])
        router = start_router(embedded(memory=ONE_FITS), data_dir=data_dir)

        def ask(i: int) -> bool:
            id = (ONE, TWO)[i % 2]
            return same(vectors(router.embed(TEXTS, model=id)), right[id])

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(64)))
        assert metric(router, 'model_unloads_total{cause="memory"}') >= 1
        assert metric(router, "models_memory_bytes") <= metric(router, "models_memory_limit_bytes")

    def test_two_that_fit_stay(self, start_router, install, data_dir):
        install(ONE, TWO)
        router = start_router(embedded(memory=BOTH_FIT), data_dir=data_dir)
        for _ in range(2):
            for id in (ONE, TWO):
                vectors(router.embed(TEXTS, model=id))
        assert metric(router, 'model_loads_total{outcome="ok"}') == 2
        assert metric(router, 'model_unloads_total{cause="memory"}') == 0

    def test_providers_name_the_router_once(self, start_router, install, data_dir):
        install(ONE, TWO)
        router = start_router(embedded(), data_dir=data_dir)
        providers = router.request("GET", "/api/v1/providers").json["data"]
        assert [provider["slug"] for provider in providers] == ["local"]


class TestReload:
    def test_takes_up_what_was_added_and_drops_what_was_removed(self, start_router, install, data_dir):
        install(ONE)
        router = start_router(embedded(), data_dir=data_dir)
        vectors(router.embed(TEXTS, model=ONE))
        install(TWO)
        assert router.embed(TEXTS, model=TWO).status == 404
        router.reload(embedded())
        vectors(router.embed(TEXTS, model=TWO))
        vectors(router.embed(TEXTS, model=ONE))
        assert metric(router, 'model_loads_total{outcome="ok"}') == 2, "the one that is unchanged stays in memory"
        assert run("models", "remove", ONE, "--data-dir", data_dir).returncode == 0
        assert vectors(router.embed(TEXTS, model=ONE)), "what is in memory goes on"
        router.reload(embedded())
        assert router.embed(TEXTS, model=ONE).status == 404
        wire.eventually(lambda: metric(router, "models_loaded") == 1, wire.PATIENCE, "its memory is free")

    def test_a_replaced_model_is_another_space(self, start_router, install, data_dir, sources):
        install(ONE)
        router = start_router(embedded(), data_dir=data_dir)
        before = router.embed(TEXTS, model=ONE)
        assert run("models", "add", sources[TWO], "--id", ONE, "--data-dir", data_dir).returncode == 0
        assert vectors(router.embed(TEXTS, model=ONE)) == vectors(before), "until it is told"
        router.reload(embedded())
        after = router.embed(TEXTS, model=ONE)
        assert not same(vectors(after), vectors(before))
        assert after.headers["X-Embedrouter-Space"] != before.headers["X-Embedrouter-Space"]

    def test_a_lower_bound_is_kept(self, start_router, install, data_dir):
        install(ONE, TWO)
        router = start_router(embedded(), data_dir=data_dir)
        for id in (ONE, TWO):
            vectors(router.embed(TEXTS, model=id))
        router.reload(embedded(memory=ONE_FITS))
        wire.eventually(lambda: metric(router, "models_loaded") == 1, wire.PATIENCE, "one leaves")


class TestChoice:
    def test_of_those_installed(self, start_router, install, data_dir):
        install(ONE, TWO)
        router = start_router(embedded(models=[TWO]), data_dir=data_dir)
        assert router.embed(TEXTS, model=ONE).status == 404
        assert router.embed(TEXTS, model=TWO).status == 200

    def start_fails(self, tmp_path, data_dir, config: str) -> str:
        file = tmp_path / "embedrouter.toml"
        file.write_text(config)
        done = run("serve", "--config", file, "--listen", "127.0.0.1:0", "--data-dir", data_dir)
        assert done.returncode != 0
        return done.stderr

    def test_what_is_not_installed_stops_the_start(self, tmp_path, data_dir):
        assert f"embedrouter models add {ONE}" in self.start_fails(tmp_path, data_dir, embedded(models=[ONE]))

    def test_what_takes_more_than_the_bound_is_not_served(self, start_router, tmp_path, install, data_dir):
        install(ONE)
        assert "more than [embedded] memory" in self.start_fails(
            tmp_path, data_dir, embedded(models=[ONE], memory=NONE_FITS)
        )
        router = start_router(embedded(memory=NONE_FITS), data_dir=data_dir)
        assert router.embed(TEXTS, model=ONE).status == 404 and router.embed(TEXTS).status == 200
        assert events(router, "model_left_out")[0]["model"] == ONE

    def test_a_configured_model_has_its_name(self, start_router, start_fake, install, data_dir):
        install(ONE)
        fake = start_fake()
        router = start_router(
            configuration(provider(fake.base_url), models=[Model(ONE, "ok")]), data_dir=data_dir
        )
        assert router.embed(TEXTS, model=ONE).json["provider"] == "fake"
        assert "--id" in events(router, "model_left_out")[0]["reason"]


class TestDamage:
    """FAULTS G5: refused before use, and nothing else suffers."""

    def damage(self, data_dir, cut: bool) -> None:
        weights = data_dir / "models" / "me--one" / "model.safetensors"
        data = weights.read_bytes()
        weights.unlink()
        weights.write_bytes(data[:-4] if cut else data[:200_000] + bytes([data[200_000] ^ 1]) + data[200_001:])

    def test_found_at_the_start(self, start_router, tmp_path, install, data_dir):
        install(ONE, TWO)
        self.damage(data_dir, cut=True)
        said = TestChoice().start_fails(tmp_path, data_dir, embedded(models=[ONE]))
        assert "model.safetensors has" in said
        router = start_router(embedded(), data_dir=data_dir)
        assert router.embed(TEXTS, model=ONE).status == 404
        assert router.embed(TEXTS, model=TWO).status == 200
        assert "model.safetensors" in events(router, "model_left_out")[0]["reason"]

    def test_found_by_the_load(self, start_router, install, data_dir):
        install(ONE, TWO)
        router = start_router(embedded(), data_dir=data_dir)
        self.damage(data_dir, cut=False)
        for _ in range(2):
            answer = router.embed(TEXTS, model=ONE)
            assert answer.status == 502 and "cannot be loaded" in answer.json["error"]["message"], answer.body
            assert str(data_dir) not in answer.body.decode()
        assert router.embed(TEXTS, model=TWO).status == 200 and router.embed(TEXTS).status == 200
        assert "model.safetensors is damaged" in events(router, "model_load_failed")[0]["reason"]
        assert metric(router, 'model_loads_total{outcome="error"}') == 1, "the files are not read for each request"
        install(ONE)
        router.reload(embedded())
        wire.eventually(lambda: router.embed(TEXTS, model=ONE).status == 200, wire.PATIENCE, "it is whole again")

    def test_found_by_doctor(self, install, data_dir, tmp_path):
        install(ONE)
        config = tmp_path / "embedrouter.toml"
        config.write_text(embedded())
        said = run("doctor", "--config", config, "--data-dir", data_dir).stdout
        assert f"ok     installed model {ONE}" in said
        self.damage(data_dir, cut=False)
        said = run("doctor", "--config", config, "--data-dir", data_dir).stdout
        assert f"WRONG  installed model {ONE}" in said and "model.safetensors is damaged" in said


class TestLocal:
    def test_embeds_with_an_installed_model_or_says_there_is_none(self, install, data_dir):
        install(ONE)
        assert len(local_vectors(data_dir, ONE.upper())[0]) == tiny_model.WIDTH
        done = run("embed", "--local", "--model", TWO, "--data-dir", data_dir, "a text")
        assert done.returncode == 5 and "models add" in done.stderr
