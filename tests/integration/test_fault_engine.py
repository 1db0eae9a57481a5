"""The embedded model on a machine smaller than it looks (FAULTS G)."""

import json
import os
import random
from pathlib import Path

import pytest

from support.limits import limits
from support.memory import peak, resident
from support.program import MODEL_DIR, REPOSITORY
from support.router import configuration

FAMILIES = REPOSITORY / "tests/golden/families"
MEMORY = 512 << 20
# Sentences, and one in a hundred nearly as long as the model takes.
TEXTS = [f"text number {i}: " + "the river runs by the old market " * (i % 4 if i % 100 else 30) for i in range(2000)]
BATCH = 250


def threads(router) -> int:
    return len(list(Path(f"/proc/{router.program.process.pid}/task").iterdir()))


def threads_when_told(start_router, count: int) -> int:
    """Of a router that is told how many threads compute, and to have one for its connections."""
    embedded = {"enabled": True, "model_dir": MODEL_DIR, "threads": count}
    router = start_router(configuration(sections={"server": {"threads": 1}, "embedded": embedded}))
    assert router.embed("a text").status == 200
    return threads(router)


def embed_all(router) -> None:
    for i in range(0, len(TEXTS), BATCH):
        answer = router.embed(TEXTS[i : i + BATCH], encoding_format="base64")
        assert answer.status == 200, answer.body
        assert len({entry["embedding"] for entry in answer.json["data"]}) == BATCH


@pytest.fixture
def small_machine():
    """Asked for ahead of start_router, so that it outlives the routers."""
    with limits(cpus=1, memory=MEMORY) as limit:
        yield limit


@pytest.mark.plain
def test_g1_one_cpu_and_512_mib_neither_kill_nor_oversubscribe_it(small_machine, start_router):
    one, two = (threads_when_told(start_router, count) for count in (1, 2))
    assert two == one + 1
    router = start_router(configuration(), prefix=small_machine.prefix)
    embed_all(router)
    # One thread computes and one has the connections, as the quota says; the library starts none of its own.
    assert threads(router) == one
    assert peak(router.program.process.pid) < MEMORY
    router.stop()
    assert small_machine.kills == 0


def test_g1_a_mask_with_holes_counts_the_cpus_it_has(start_router):
    last = max(os.sched_getaffinity(0))
    router = start_router(configuration(), prefix=["taskset", "-c", str(last)])
    assert router.embed("a text").status == 200
    assert threads(router) == threads_when_told(start_router, 1)


@pytest.mark.plain
def test_g2_texts_of_shuffled_lengths_leave_memory_as_it_is(start_router):
    """On a small model, which takes ten thousand texts in seconds: a hundred bytes kept of each would be seen."""
    family = FAMILIES / "bert"
    router = start_router(configuration(sections={"embedded": {"enabled": True, "model_dir": family, "id": "test/bert"}}))
    longest = json.loads((family / "config.json").read_text())["max_position_embeddings"] - 2
    chance = random.Random(2)

    def rounds(count: int) -> int:
        """Embeds so many times 1,024 texts, of every length the model takes, and tells the resident memory after."""
        for _ in range(count):
            texts = ["a " * (1 + i % longest) for i in range(1024)]
            chance.shuffle(texts)
            for i in range(0, len(texts), 64):
                answer = router.embed(texts[i : i + 64], model="test/bert", encoding_format="base64", truncate=True)
                assert answer.status == 200, answer.body
        return resident(router.program.process.pid)

    warm = rounds(5)
    assert rounds(10) - warm < 10 * 1024 * 100
