import os

import pytest


@pytest.fixture
def full_disk(tmp_path):
    """The environment in which every disk has 1 MB left. A real one of that size takes privileges to mount."""
    (tmp_path / "commands").mkdir()
    df = tmp_path / "commands/df"
    df.write_text(
        "#!/bin/sh\n"
        "echo 'Filesystem     1024-blocks    Used Available Capacity Mounted on'\n"
        "echo '/dev/vda1        102400000 102398976      1024     100% /'\n",
        encoding="utf-8",
    )
    df.chmod(0o755)
    return {"PATH": f"{df.parent}:{os.environ['PATH']}"}
