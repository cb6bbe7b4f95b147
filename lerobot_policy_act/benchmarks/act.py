"""ACT here against LeRobot's, in one run: chunk, training step, memory, and whether the numbers agree.

    python lerobot_policy_act/benchmarks/act.py --peer PYTHON [--rounds 30] [--steps 4]

PYTHON is an interpreter that has `lerobot`. Two workers stay alive and take turns, because figures of one machine drift by
more within a day than the two differ. Both load the same checkpoint, written here, at 2 cameras of 240x320, 51.6 million
parameters, float32, with the same number of threads. Without --peer only our figures are shown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CAMERAS, HEIGHT, WIDTH, JOINTS = ("front", "wrist"), 240, 320, 6
BATCH = 4


# --- what both workers do -------------------------------------------------------------------------------------------


def observation(count: int) -> dict[str, Any]:
    """The same numbers for both, whatever their torch."""
    import numpy as np
    import torch

    random = np.random.default_rng(7)
    found = {"observation.state": torch.from_numpy(random.standard_normal((count, JOINTS), np.float32))}
    for camera in CAMERAS:
        found[f"observation.images.{camera}"] = torch.from_numpy(random.random((count, 3, HEIGHT, WIDTH), np.float32))
    return found


def training_batch() -> dict[str, Any]:
    """Four samples, normalised."""
    import torch

    batch = observation(BATCH)
    batch["action"] = torch.zeros(BATCH, 100, JOINTS)
    batch["action_is_pad"] = torch.zeros(BATCH, 100, dtype=torch.bool)
    return batch


class Worker:
    """Answers on stdout to the names of methods on stdin, one JSON object a line."""

    def __init__(self, folder: str, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.torch, self.folder = torch, folder
        self.policy = self.load()
        self.optimizer: Any = None
        self.seen = observation(1)

    def load(self) -> Any:
        """The checkpoint's policy."""
        raise NotImplementedError

    def predict(self) -> Any:
        """(1, T, A), normalised."""
        raise NotImplementedError

    def chunk(self) -> dict[str, Any]:
        """One chunk, timed."""
        with self.torch.inference_mode():
            began = time.perf_counter()
            self.predict()
            return {"s": time.perf_counter() - began}

    def numbers(self) -> dict[str, Any]:
        """The chunk itself, and the loss of a training batch without dropout or chance."""
        with self.torch.inference_mode():
            chunk = self.predict().flatten().tolist()
            self.policy.eval()
            loss = float(self.policy.forward(training_batch())[0])
        return {"chunk": chunk, "loss": loss}

    def step(self) -> dict[str, Any]:
        """One training step, timed: forward, backward, clip, AdamW."""
        torch = self.torch
        if self.optimizer is None:
            self.policy.train()
            self.optimizer = torch.optim.AdamW(self.policy.parameters(), lr=1e-5, weight_decay=1e-4, fused=self.fused)
            self.batch = training_batch()
        began = time.perf_counter()
        loss, _ = self.policy.forward(self.batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 10.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"s": time.perf_counter() - began}

    fused = False

    def memory(self) -> dict[str, Any]:
        """Most memory this process has had, in MB."""
        return {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}

    def serve(self) -> None:
        """Until stdin ends."""
        print(json.dumps({"torch": self.torch.__version__, "threads": self.torch.get_num_threads()}), flush=True)
        for line in sys.stdin:
            print(json.dumps(getattr(self, line.strip())()), flush=True)


class Ours(Worker):
    """This repository."""

    fused = True

    def step(self) -> dict[str, Any]:
        """As `lr train` does on a CPU."""
        from lerobot_torch.memory import keep_freed_memory

        keep_freed_memory()
        return super().step()

    def load(self) -> Any:
        """By `lerobot_torch.load`."""
        import lerobot_torch

        return lerobot_torch.load(self.folder, "cpu")

    def predict(self) -> Any:
        """As the adapter does, between the processors."""
        return self.policy.chunk(self.seen)


class Peer(Worker):
    """LeRobot."""

    def load(self) -> Any:
        """By its own loader."""
        from lerobot.policies.act.modeling_act import ACTPolicy

        return ACTPolicy.from_pretrained(self.folder).eval()

    def predict(self) -> Any:
        """As its rollout does."""
        return self.policy.predict_action_chunk(dict(self.seen))


# --- the run --------------------------------------------------------------------------------------------------------


class Remote:
    """A worker in a process of its own."""

    def __init__(self, python: str, kind: str, folder: str, threads: int) -> None:
        command = [python, __file__, "--worker", kind, "--folder", folder, "--threads", str(threads)]
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.about = self._answer()

    def ask(self, what: str) -> dict[str, Any]:
        """One call."""
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        # What a library prints while loading is no answer.
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise SystemExit(f"a worker ended: {self._process.args!r}")

    def end(self) -> None:
        """Close its stdin and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def write_checkpoint(folder: str) -> None:
    """A new ACT of default size, with random weights."""
    import lerobot_torch
    import torch
    from lerobot_core.types import Feature
    from lerobot_policy_act.config import ACTConfig

    torch.manual_seed(0)
    arm = {f"joint{index}.pos": Feature() for index in range(JOINTS)}
    seen = arm | {camera: Feature("uint8", (HEIGHT, WIDTH, 3)) for camera in CAMERAS}
    keys = {"observation.state": JOINTS, "action": JOINTS, **{f"observation.images.{camera}": 3 for camera in CAMERAS}}
    stats = {key: {"mean": [0.0] * size, "std": [1.0] * size} for key, size in keys.items()}
    lerobot_torch.create("act", ACTConfig(device="cpu"), seen, arm, stats, 30.0).eval().save(folder)


def measure(workers: dict[str, Remote], what: str, rounds: int, warm: int) -> dict[str, list[float]]:
    """Seconds of each worker, in turns."""
    for _ in range(warm):
        for worker in workers.values():
            worker.ask(what)
    found: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            found[name].append(worker.ask(what)["s"] * 1e3)
    return found


def report(what: str, found: dict[str, list[float]]) -> None:
    """Medians and minima in ms, and their ratios."""
    shown = {name: f"p50 {statistics.median(times):.1f} min {min(times):.1f}" for name, times in found.items()}
    line = ", ".join(f"{name} {text} ms" for name, text in shown.items())
    if len(found) == 2:
        ours, peer = found.values()
        pairs = statistics.median(one / other for one, other in zip(ours, peer, strict=True))
        line += f"; ratio p50 {statistics.median(ours) / statistics.median(peer):.2f}"
        line += f", min {min(ours) / min(peer):.2f}, of neighbours {pairs:.2f}"
    print(f"{what}: {line}")


def compare(workers: dict[str, Remote]) -> None:
    """How far the numbers are apart."""
    ours, peer = (worker.ask("numbers") for worker in workers.values())
    furthest = max(abs(one - other) for one, other in zip(ours["chunk"], peer["chunk"], strict=True))
    print(f"chunk: {furthest:.1e} apart at most; loss: {ours['loss']:.6f} and {peer['loss']:.6f}")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="python interpreter with lerobot")
    parser.add_argument("--rounds", type=int, default=30, help="chunks each")
    parser.add_argument("--steps", type=int, default=4, help="training steps each")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--worker", choices=("ours", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        kind = {"ours": Ours, "peer": Peer}[args.worker]
        kind(args.folder, args.threads).serve()
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = str(Path(temporary) / "act")
        write_checkpoint(folder)
        workers = {"ours": Remote(sys.executable, "ours", folder, args.threads)}
        if args.peer:
            workers["peer"] = Remote(args.peer, "peer", folder, args.threads)
        for name, worker in workers.items():
            print(f"{name}: torch {worker.about['torch']}, {worker.about['threads']} threads")
        if args.peer:
            compare(workers)
        report("chunk", measure(workers, "chunk", args.rounds, warm=3))
        if args.steps:
            report("training step, batch 4", measure(workers, "step", args.steps, warm=1))
        print("memory: " + ", ".join(f"{name} {worker.ask('memory')['mb']:.0f} MB" for name, worker in workers.items()))
        for worker in workers.values():
            worker.end()


if __name__ == "__main__":
    main()
