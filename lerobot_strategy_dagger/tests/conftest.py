"""Makes the rigs of these tests importable, and records what the policy of the virtual rig plays."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode of the scripted person on the virtual rig."""
    from dagger_virtual_rig import SMALL, TASK, in_process

    root = tmp_path_factory.mktemp("demo") / "demo"
    dataset = ["--dataset.root", str(root), "--dataset.num-episodes", "1", "--dataset.episode-time-s", "20"]
    session = in_process("record", "--robot", "virtual_so100", "--teleop", "scripted", "--task", TASK, *dataset, *SMALL)
    assert session.run()["outcome"] == "done", session.ending
    return root
