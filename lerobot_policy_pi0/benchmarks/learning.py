"""Does a scaled-down pi0 learn: its chunks on episodes that it never saw, beside simpler guesses.

    python lerobot_policy_pi0/benchmarks/learning.py DATASET OUTPUT [--exclude FILE] [--cache DIR] [--steps N]

Trains, through `lr train`, a small pi0 on coarse pictures (OUTPUT/coarse), then on fine ones (OUTPUT/seeing: as large as
they are, with the table of positions stretched), and the same network on black ones (OUTPUT/blind); every tenth episode
is kept from all. What is compared is the mean squared error of chunks, normalised as the policy's actions are
(relative to where the arm is, gripper excepted), steps beyond an episode's end left out, against

- the best constant: the training episodes' mean of each step of a chunk;
- the blind pi0;
- a network of the state alone that learns the squared error itself, at its best epoch on the very episodes that judge.

A flow gives one of many chunks. Both are written down: a single sample, and the mean of several, which is the guess that
a squared error asks for. Statistics for the normalisation are the whole dataset's, the same for everybody.

A run that exists already is not repeated; the last line and OUTPUT/learning.json are the result.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import torch
import torch.nn.functional as F
from lerobot_core.features import ACTION, STATE
from lerobot_storage_v3.reader import LerobotReader, open_reader
from lerobot_torch.features import visual
from lerobot_train.frame_cache import FrameCache
from lerobot_train.rows import rows_of
from lerobot_train.samples import Samples, Wanted, collate, on_device
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn

CHUNK, SIZE, COARSE, FINE, PATCH = 32, (72, 96), 56, 98, 14
SHIFT, DARK, BRIGHT, BLACK = 0.015, 0.85, 1.15, 0.0
POSITIONS = "model.paligemma_with_expert.paligemma.model.vision_tower.vision_model.embeddings.position_embedding.weight"
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "\n")
NETWORK = f"""
    --policy.device cpu --policy.paligemma-variant gemma_small
    --policy.action-expert-variant gemma_small_expert --policy.chunk-size {CHUNK} --policy.n-action-steps 16
    --policy.use-relative-actions --policy.max-state-dim 6 --policy.max-action-dim 6 --policy.flow-draws 2
    --dataset.drop-sources ["hold","idle"] --dataset.resize {SIZE[0]}x{SIZE[1]} --dataset.cache disk
    --optimizer.weight-decay 0.02 --optimizer.grad-clip-norm 1
    --scheduler cosine_decay_with_warmup --scheduler.num-warmup-steps 150 --scheduler.decay-lr 1e-5
    --batch-size 32 --num-workers 1 --seed 1 --log-every 50 --save-every 500 --keep 1 --json
    --dataset.image-transforms.enable --dataset.image-transforms.saturation none --dataset.image-transforms.hue none
    --dataset.image-transforms.sharpness none
""".split()
SEEING = f"""
    --dataset.image-transforms.max-num-transforms 2 --dataset.image-transforms.affine [1.0,{SHIFT}]
    --dataset.image-transforms.brightness [{DARK},{BRIGHT}] --dataset.image-transforms.contrast [{DARK},{BRIGHT}]
""".split()
NEW = ("--policy", "pi0", "--optimizer.lr", "1e-3", "--policy.image-resolution")
# One patch of black says as much as sixteen.
BLIND = f"""
    --dataset.image-transforms.max-num-transforms 1 --dataset.image-transforms.contrast none
    --dataset.image-transforms.brightness [{BLACK},{BLACK}]
""".split()


@dataclass(frozen=True)
class Held:
    """What judges: states (N, S) and actions (N, T, A) normalised, steps that count (N, T)."""

    states: Tensor
    actions: Tensor
    counts: Tensor

    def error(self, guess: Tensor) -> float:
        """Mean squared error of chunks (N, T, A), or of one for all (T, A)."""
        return float((self.actions - guess).square().mean(-1)[self.counts].mean())


def main() -> None:
    """Train what is not there, judge everything, write it down."""
    options = parsed()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    reader = open_reader(options.dataset)
    without = json.loads(options.exclude.read_text()) if options.exclude else []
    chosen = [each for each in range(len(reader.episodes)) if each not in set(without)]
    held = chosen[9::10]
    learnt = [each for each in chosen if each not in set(held)]
    write_tokenizer(options.output / "tokenizer", reader, learnt)
    train(options, "coarse", options.steps, [*NEW, f"[{COARSE},{COARSE}]", *SEEING], learnt)
    train(options, "blind", options.blind_steps, [*NEW, f"[{PATCH},{PATCH}]", *BLIND], learnt)
    sharpen(options.output / "coarse", options.output / "sharpened")
    finer = ["--policy", str(options.output / "sharpened"), "--optimizer.lr", "6e-4"]
    train(options, "seeing", options.fine_steps, [*finer, *SEEING], learnt)
    result = judged(options, reader, learnt, held)
    (options.output / "learning.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--exclude", type=Path, help="JSON list of episodes nobody learns from or is judged by")
    parser.add_argument("--cache", type=Path, help="folder of decoded images; default OUTPUT/frames")
    parser.add_argument("--steps", type=int, default=12000, help="on coarse pictures")
    parser.add_argument("--fine-steps", type=int, default=5000)
    parser.add_argument("--blind-steps", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=1000, help="held-out rows that judge, evenly chosen")
    parser.add_argument("--samples", type=int, default=10, help="chunks whose mean is a guess")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.cache = options.cache or options.output / "frames"
    return options


def write_tokenizer(folder: Path, reader: LerobotReader, episodes: Sequence[int]) -> None:
    """One token a word of the tasks, as PaliGemma's otherwise."""
    folder.mkdir(exist_ok=True)
    words = sorted({word for each in episodes for task in reader.episodes.tasks(each) for word in task.split()})
    numbers = {word: number for number, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    splits = [pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Split(Regex("\n"), "isolated")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))


def sharpen(run: Path, to: Path) -> None:
    """The run's policy for finer pictures: the table of positions (N, C), one a patch, stretched to more patches."""
    shutil.copytree(run / "checkpoints" / "last" / "pretrained_model", to, dirs_exist_ok=True)
    config = json.loads((to / "config.json").read_text()) | {"image_resolution": [FINE, FINE]}
    (to / "config.json").write_text(json.dumps(config, indent=4))
    weights = load_file(to / "model.safetensors")
    table = weights[POSITIONS].T.unflatten(1, (COARSE // PATCH, COARSE // PATCH))[None]
    stretched = F.interpolate(table, (FINE // PATCH, FINE // PATCH), mode="bicubic", align_corners=False)
    weights[POSITIONS] = stretched[0].flatten(1).T.contiguous()
    save_file(weights, to / "model.safetensors", {"format": "pt"})


def train(options: argparse.Namespace, name: str, steps: int, extra: Sequence[str], episodes: Sequence[int]) -> None:
    """`lr train`, unless the run is there; one that was interrupted goes on."""
    folder = options.output / name
    if (folder / "checkpoints" / f"{steps:06d}").exists():
        return
    resume = ["--resume"] if (folder / "checkpoints").exists() else []
    words = max(len(task.split()) for task in open_reader(options.dataset).tasks)
    command = [
        sys.executable, "-m", "lerobot_core", "train", *NETWORK, *extra, *resume,
        "--policy.tokenizer", str(options.output / "tokenizer"), "--policy.tokenizer-max-length", str(words + 2),
        "--dataset.root", str(options.dataset), "--dataset.episodes", json.dumps(list(episodes)),
        "--dataset.cache-dir", str(options.cache), "--output-dir", str(folder), "--steps", str(steps),
    ]  # fmt: skip
    with (options.output / f"{name}.jsonl").open("a") as log:
        subprocess.run(command, check=True, stdout=log)


def judged(
    options: argparse.Namespace, reader: LerobotReader, learnt: Sequence[int], held: Sequence[int]
) -> dict[str, Any]:
    """Every guess's error."""
    seeing, blind = (lerobot_torch.load(options.output / name, "cpu") for name in ("seeing", "blind"))
    judge = numbers(seeing, reader, held, options.rows)
    known = numbers(seeing, reader, learnt)
    constant = known.actions.where(known.counts[..., None], torch.nan).nanmean(0)
    errors: dict[str, Any] = {"constant": judge.error(constant), "state_network": of_the_state(known, judge)}
    frames = FrameCache(
        options.cache / f"{reader.fingerprint}-{SIZE[0]}x{SIZE[1]}",
        {key: (*SIZE, 3) for key in visual(seeing.inputs)},
        len(reader),
    )
    for name, policy in (("seeing", seeing), ("blind", blind)):
        guesses = drawn(policy, reader, held, options, frames, black=name == "blind")
        errors[name] = {"mean": judge.error(guesses.mean(0)), "single": judge.error(guesses[0])}
    best = errors["seeing"]["mean"]
    rivals = {
        "constant": errors["constant"],
        "state_network": errors["state_network"],
        "blind": errors["blind"]["mean"],
    }
    return {
        "episodes": {"learnt": len(learnt), "held_out": len(held)},
        "rows": {"learnt": len(known.states), "held_out": len(judge.states)},
        "steps": {"coarse": options.steps, "fine": options.fine_steps, "blind": options.blind_steps}, "samples": options.samples,
        "errors": errors, "below": {name: round(1 - best / error, 4) for name, error in rivals.items()},
    }  # fmt: skip


def samples_of(policy: Any, reader: LerobotReader, episodes: Sequence[int], frames: FrameCache | None) -> Samples:
    """Rows as the policy is trained with them; without a cache no pictures."""
    images = tuple(visual(policy.inputs)) if frames is not None else ()
    wanted = Wanted((STATE, ACTION), images, policy.deltas(reader.fps), SIZE)
    return Samples(reader, rows_of(reader, episodes, drop_sources=["hold", "idle"]), wanted, frames)


def evenly(samples: Samples, count: int | None) -> list[int]:
    """Numbers of so many samples; None: all."""
    return np.unique(np.linspace(0, len(samples) - 1, min(count or len(samples), len(samples))).astype(int)).tolist()


def numbers(policy: Any, reader: LerobotReader, episodes: Sequence[int], count: int | None = None) -> Held:
    """States and actions through the policy's own processors."""
    samples = samples_of(policy, reader, episodes, None)
    parts = []
    for number in evenly(samples, count):
        sample = samples[0, number]
        seen = {STATE: sample[STATE][None], ACTION: sample[ACTION][None], "task": [sample["task"]]}
        found = policy.before(seen)
        parts.append((found[STATE][0], found[ACTION][0], ~sample[f"{ACTION}_is_pad"]))
    return Held(*(torch.stack(list(part)) for part in zip(*parts, strict=True)))


def batches(samples: Samples, chosen: Sequence[int], size: int = 50) -> Iterator[dict[str, Any]]:
    """Of these samples, in order."""
    for first in range(0, len(chosen), size):
        yield collate([samples[0, number] for number in chosen[first : first + size]])


@torch.inference_mode()
def drawn(
    policy: Any,
    reader: LerobotReader,
    episodes: Sequence[int],
    options: argparse.Namespace,
    frames: FrameCache,
    black: bool,
) -> Tensor:
    """Chunks (samples, N, T, A) of the held-out rows."""
    torch.manual_seed(0)
    samples, images, parts = samples_of(policy, reader, episodes, frames), visual(policy.inputs), []
    for batch in batches(samples, evenly(samples, options.rows)):
        moved = on_device(batch, images, torch.device("cpu"))
        moved |= {key: torch.zeros_like(moved[key]) for key in images if black}
        seen = policy.before(moved)
        parts.append(torch.stack([policy.sample(seen) for _ in range(options.samples)]))
    return torch.cat(parts, dim=1)


def of_the_state(known: Held, judge: Held, epochs: int = 12, size: int = 256) -> float:
    """The smallest error, of any epoch, of a network of the state that learns the squared error."""
    torch.manual_seed(0)
    out = known.actions[0].numel()
    widths = [known.states.shape[1], 256, 256, 256]
    hidden = [part for pair in itertools.pairwise(widths) for part in (nn.Linear(*pair), nn.GELU())]
    network = nn.Sequential(*hidden, nn.Linear(256, out))
    total = epochs * (len(known.states) // size)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=total)
    found = []
    for _ in range(epochs):
        for rows in torch.randperm(len(known.states))[: total // epochs * size].split(size):
            guess = network(known.states[rows]).view_as(known.actions[rows])
            errors = F.mse_loss(guess, known.actions[rows], reduction="none").mean(-1)
            optimizer.zero_grad()
            errors[known.counts[rows]].mean().backward()
            optimizer.step()
            rate.step()
        with torch.no_grad():
            found.append(judge.error(network(judge.states).view_as(judge.actions)))
    return min(found)


if __name__ == "__main__":
    main()
