"""scripts/soak in short: it runs, it passes, and a wrong vector makes it fail."""

import subprocess
import sys

import pytest

from support.load import Load
from support.program import REPOSITORY
from support.router import Model, configuration, provider


@pytest.mark.parametrize("arguments", [("faults", "--seconds", "15", "--rate", "60", "--settle", "0"), ("mixed", "--minutes", "0.2", "--rate", "60")])
def test_F7_the_short_soak_passes(arguments):
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts/soak", *arguments], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0 and done.stdout.rstrip().endswith("passed"), done.stdout[-4000:] + done.stderr[-2000:]


def test_F7_the_load_tells_a_wrong_vector_from_a_right_one(start_router, fake):
    """Vectors of another space, which no single answer shows."""
    models = [Model("test/right", "ok"), Model("test/wrong", "ok@elsewhere")]
    router = start_router(configuration(provider(fake.base_url), models=models, embedded=False))
    with Load(router, [model.id for model in models], 50, connections=4) as load:
        load.wait(40)
    assert not load.outcome.errors
    assert {sent.model for sent in load.outcome.wrong} == {"test/wrong"}
    assert len(load.outcome.wrong) == sum(sent.model == "test/wrong" for sent in load.outcome.sent)
