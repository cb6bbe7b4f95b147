"""`train_config.json`: the run's settings in the peer's words, so that its tools know where a checkpoint is from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import optimizers, schedules

if TYPE_CHECKING:
    from .job import Job

FILE = "train_config.json"
_EVAL = {"n_episodes": 50, "batch_size": 1, "use_async_envs": True, "recording": False, "recording_repo_id": None,
         "recording_private": False}  # fmt: skip
_JOB: dict[str, Any] = {
    "target": None,
    "image": "huggingface/lerobot-gpu:latest",
    "timeout": "2d",
    "detach": False,
    "tags": [],
}


def train_config(job: Job, output: Path, policy: dict[str, Any]) -> dict[str, Any]:
    """Keys in the peer's order; `policy` is the checkpoint's own `config.json`."""
    config = job.config
    optimizer = optimizers.settled(config.optimizer, job.policy)
    scheduler = optimizers.settled_scheduler(config.scheduler, job.policy)
    return {
        "dataset": _dataset(job),
        "env": None,
        "policy": policy,
        "reward_model": None,
        "output_dir": str(output),
        "job_name": config.job_name or job.policy.family,
        "resume": False,
        "seed": config.seed,
        "cudnn_deterministic": False,
        "num_workers": config.num_workers or 0,
        "batch_size": config.batch_size,
        "prefetch_factor": config.prefetch_factor,
        "persistent_workers": True,
        "dataloader_multiprocessing_context": "spawn",
        "steps": config.steps,
        "env_eval_freq": 0,
        "log_freq": config.log_every,
        "eval_steps": config.eval_every,
        "max_eval_samples": config.max_eval_samples,
        "tolerance_s": 1e-4,
        "save_checkpoint": True,
        "save_freq": config.save_every,
        "use_policy_training_preset": False,
        "optimizer": optimizers.as_peer(optimizer),
        "scheduler": schedules.as_peer(scheduler, optimizer.lr or 0.0, config.steps),
        "eval": _EVAL,
        "wandb": _wandb(job),
        "peft": _peft(job),
        "job": _JOB,
        "save_checkpoint_to_hub": False,
        "sample_weighting": None,
        "rename_map": dict(job.renamed),
        "checkpoint_path": None,
    }


def _wandb(job: Job) -> dict[str, Any]:
    # No checkpoint is sent there.
    return {**asdict(job.config.wandb), "disable_artifact": True, "add_tags": True}


def _peft(job: Job) -> dict[str, Any] | None:
    chosen = job.config.peft
    if not chosen.enable:
        return None
    return {"target_modules": chosen.layers, "full_training_modules": chosen.full_training_modules,
            "method_type": chosen.method_type, "init_type": None, "r": chosen.r, "lora_alpha": chosen.lora_alpha}  # fmt: skip


def _dataset(job: Job) -> dict[str, Any]:
    section = job.config.dataset
    assert section is not None, "the verb needs one"
    root = Path(job.reader.root).resolve()
    return {
        "repo_id": section.repo_id or f"local/{root.name}",
        "repo_type": "dataset",
        "root": str(root),
        "episodes": section.episodes,
        "image_transforms": _transforms(job),
        "revision": section.revision,
        "use_imagenet_stats": section.use_imagenet_stats,
        "video_backend": "pyav",
        "return_uint8": False,
        "depth_output_unit": "mm",
        "streaming": False,
        "eval_split": section.eval_split,
    }


def _transforms(job: Job) -> dict[str, Any]:
    section = job.config.dataset
    assert section is not None, "the verb needs one"
    chosen = section.image_transforms
    kinds = {
        name: {"weight": 1.0, "type": "ColorJitter", "kwargs": {name: list(span)}}
        for name in ("brightness", "contrast", "saturation", "hue")
        if (span := getattr(chosen, name)) is not None
    }
    if chosen.sharpness is not None:
        kinds["sharpness"] = {"weight": 1.0, "type": "SharpnessJitter", "kwargs": {"sharpness": list(chosen.sharpness)}}
    if chosen.affine is not None:
        degrees, shift = chosen.affine
        span = {"degrees": [-degrees, degrees], "translate": [shift, shift]}
        kinds["affine"] = {"weight": 1.0, "type": "RandomAffine", "kwargs": span}
    return {"enable": chosen.enable, "max_num_transforms": chosen.max_num_transforms,
            "random_order": False, "tfs": kinds}  # fmt: skip
