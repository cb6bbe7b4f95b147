"""A real network behind the wire: ACT from its checkpoints, shared by robots, alone and in batches."""

from __future__ import annotations

import runpy
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.clock import RealClock
from lerobot_core.config.decode import decode
from lerobot_core.config.origin import Origin
from lerobot_core.registry import default_registry
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Observation
from lerobot_server.fake_robot import Robot
from lerobot_server.fakes import JOINTS, serving

pytest.importorskip("lerobot_policy_act")
ROOT = Path(__file__).parents[3]
PIXELS = Feature("uint8", (96, 128, 3))
SEEN = {**JOINTS, "front": PIXELS, "wrist": PIXELS}


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The peer's golden checkpoint as `lr serve --policy FOLDER --policy.assume-order` builds it."""
    import torch

    torch.set_num_threads(1)
    path = ROOT / "lerobot_policy_act" / "tests" / "act_golden.py"
    golden: Any = runpy.run_path(str(path))
    folder = golden["write_checkpoint"]("act_vae", tmp_path_factory.mktemp("act") / "checkpoint")
    registry = default_registry()
    options: dict[str, Any] = {**registry.resolve("policy", str(folder)), "assume_order": True}  # type: ignore[dict-item]
    spec = registry.spec("policy", options.pop("type"))
    config = decode(spec.config, options, Origin("config", "test"), registry)
    return spec.build(config, Parts(clock=RealClock()))


@pytest.fixture(scope="module")
def alone(act: Any) -> Any:
    """The same for one robot beside it."""
    view = act.for_robot()
    view.bind(SEEN, JOINTS)
    return view


def robot(port: int, name: str, **options: Any) -> Robot:
    return Robot(SEEN, JOINTS, name, connect=f"tcp/127.0.0.1:{port}", jpeg_quality=0, **options)


def test_the_answer_is_the_local_policys(port: int, act: Any, alone: Any) -> None:
    """With the pixels themselves on the wire, bit for bit."""
    dice = np.random.default_rng(0)
    seen = {
        key: dice.integers(0, 255, each.shape, np.uint8) if each.shape else float(dice.uniform(-1, 1))
        for key, each in SEEN.items()
    }
    wanted = alone.predict_chunk(Observation(seen, 0.0), "").actions
    with serving(act.for_robot(), port, warmup=1):
        left = robot(port, "left")
        left.engine.meet(left.meeting)
        try:
            remote = left.engine.policy
            remote.warmup()
            np.testing.assert_array_equal(remote.predict_chunk(Observation(seen, 0.0), "").actions, wanted)
        finally:
            left.engine.stop()


def test_a_checkpoint_without_names_takes_each_robots(port: int, act: Any) -> None:
    """Two robots whose joints are called differently share it."""
    others = {key.replace("joint", "axis"): each for key, each in SEEN.items()}
    with serving(act.for_robot(), port), robot(port, "left") as left:
        axes = {key: each for key, each in others.items() if each.shape == ()}
        right = Robot(others, axes, "right", connect=f"tcp/127.0.0.1:{port}")
        with right:
            assert set(left.first().action) == set(JOINTS)
            assert set(right.first().action) == set(axes)
            assert right.engine.gives == tuple(axes)


def test_batches_answer_as_one_at_a_time(port: int, act: Any, alone: Any) -> None:
    poses = (-0.5, 0.0, 0.5)
    found: dict[float, Any] = {}

    def ask(pose: float) -> None:
        one = robot(port, f"robot {pose}")
        one.engine.meet(one.meeting)
        one.engine.policy.warmup()
        one.pose = pose
        try:
            for _ in range(3):
                found[pose] = (one.observe(), one.engine.policy.predict_chunk(one.observe(), "").actions)
        finally:
            one.engine.stop()

    with serving(act.for_robot(), port, batch=4, batch_wait_ms=50.0, warmup=1) as server:
        threads = [threading.Thread(target=ask, args=(pose,)) for pose in poses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        together = server.service.metrics.registry.get_sample_value("lerobot_serve_batch_sum")
        calls = server.service.metrics.registry.get_sample_value("lerobot_serve_batch_count")
    assert together is not None
    assert calls is not None
    assert together > calls
    for _, (obs, actions) in found.items():
        np.testing.assert_allclose(actions, alone.predict_chunk(obs, "").actions, atol=1e-3)
