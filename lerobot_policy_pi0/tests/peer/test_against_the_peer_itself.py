"""The stored outputs are still what the peer computes; needs a Python with lerobot and transformers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

GOLDEN = Path(__file__).parents[3] / "tests" / "golden" / "policies"
PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON names no Python with lerobot")]


def peer(*argv: str) -> str:
    probe = subprocess.run([PEER, "-c", "import lerobot, transformers"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("the peer's Python has no transformers: pip install 'lerobot[pi]'")
    done = subprocess.run(
        [PEER, str(Path(__file__).with_name("make_golden.py")), *argv], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("family", ["pi0", "pi05"])
def test_outputs(tmp_path: Path, family: str) -> None:
    peer(family, str(tmp_path / "golden"))
    now, stored = (load_file(folder / "io.safetensors") for folder in (tmp_path / "golden", GOLDEN / f"{family}_tiny"))
    assert now.keys() == stored.keys()
    for name, value in stored.items():
        torch.testing.assert_close(now[name], value, rtol=0, atol=1e-4)


@pytest.mark.parametrize("family", ["pi0", "pi05"])
def test_names_of_the_full_size_network(family: str) -> None:
    found = json.loads(peer(family, "--names").strip().splitlines()[-1])
    assert found == json.loads((GOLDEN / f"{family}_tiny" / "full_size_tensors.json").read_text())
