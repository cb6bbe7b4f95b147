"""Options of `lr train`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.bases import Chosen
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.config.verb import Verb
from lerobot_core.errors import ConfigError

OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULERS = (
    "none", "constant_with_warmup", "cosine_annealing_with_warmup", "cosine_decay_with_warmup", "diffuser", "vqbet",
)  # fmt: skip
SHUFFLES = ("randperm", "feistel", "none")
CACHES = ("none", "ram", "disk")


@dataclass(frozen=True, kw_only=True)
class TransformsConfig:
    """Random changes of the images; those of one sample follow from the seed and its place in the order."""

    enable: bool = option(False, help="change images at random while training")
    max_num_transforms: int = option(3, help="how many kinds of change one image gets at most", low=1)
    brightness: tuple[float, float] | None = option((0.8, 1.2), help="factor, low and high; none: leave it out")
    contrast: tuple[float, float] | None = option((0.8, 1.2), help="factor, low and high")
    saturation: tuple[float, float] | None = option((0.5, 1.5), help="factor, low and high")
    hue: tuple[float, float] | None = option((-0.05, 0.05), help="share of the colour circle, low and high")
    sharpness: tuple[float, float] | None = option((0.5, 1.5), help="factor, low and high")
    affine: tuple[float, float] | None = option(
        (5.0, 0.05), help="rotation up to so many degrees, shift up to such a share of the image"
    )
    noise: tuple[float, float] | None = option(None, help="standard deviation of noise, of 255, low and high")


@dataclass(frozen=True, kw_only=True)
class DatasetSection:
    """What to learn from."""

    root: Path | None = option(None, help="the dataset's folder", primary=True)
    repo_id: str | None = option(None, help="org/name; one of root and repo_id is enough")
    revision: str | None = option(None, help="branch, tag or commit of org/name")
    episodes: list[int] | None = option(None, help="only these; default: all")
    exclude_episodes: list[int] = option(factory=list, help="all but these")
    eval_split: float = option(0.0, help="share of each task's episodes, its last ones, kept for --eval-every",
                               low=0.0, high=0.9)  # fmt: skip
    resize: str | None = option(None, help="HxW: images smaller before the network; the checkpoint does it too")
    cache: str = option("none", help="keep decoded images: in memory while training, or on the disk", choices=CACHES)
    cache_dir: Path | None = option(None, help="where; default: beside the system's temporary files, or OUTPUT_DIR")
    use_imagenet_stats: bool = option(True, help="normalise camera images as ImageNet's")
    drop_sources: list[str] = option(
        factory=list, help="leave out rows of these sources (hold, goto, …), where the dataset says"
    )
    image_transforms: TransformsConfig = option(factory=TransformsConfig, help="random changes of images")

    @property
    def size(self) -> tuple[int, int] | None:
        """(H, W) of `resize`."""
        if self.resize is None:
            return None
        words = self.resize.lower().split("x")
        if len(words) != 2 or not all(word.isdigit() and int(word) > 0 for word in words):
            raise ConfigError(f"--dataset.resize {self.resize} is no size", "it is HEIGHTxWIDTH", "120x160")
        return int(words[0]), int(words[1])

    def __post_init__(self) -> None:
        assert self.size is None or self.size
        if self.root is None and self.repo_id is None:
            raise ConfigError("no dataset was named", "", "--dataset.root FOLDER or --dataset.repo-id ORG/NAME")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """The optimizer; what is not said is the policy's own choice, else torch's."""

    type: str = option("adamw", help="which", choices=OPTIMIZERS, primary=True)
    lr: float | None = option(None, help="learning rate; default: the policy's", low=0.0)
    weight_decay: float | None = option(None, help="default: the policy's", low=0.0)
    betas: tuple[float, float] | None = option(None, help="of adam and adamw; default: the policy's, (0.9, 0.999)")
    eps: float = option(1e-8, help="of adam and adamw", low=0.0)
    momentum: float = option(0.0, help="of sgd", low=0.0)
    grad_clip_norm: float | None = option(None, help="clip gradients to this norm; 0: never; default: the policy's",
                                          low=0.0)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SchedulerConfig:
    """How the learning rate changes."""

    type: str | None = option(None, help="which; default: the policy's, none", choices=SCHEDULERS, primary=True)
    name: str = option("cosine", help="diffuser: linear, cosine, constant, constant_with_warmup")
    num_warmup_steps: int = option(0, help="steps over which the rate rises", low=0)
    num_decay_steps: int | None = option(None, help="cosine_decay_with_warmup: end of the fall; default: --steps",
                                         low=1)  # fmt: skip
    peak_lr: float | None = option(None, help="cosine_decay_with_warmup: default: the optimizer's rate", low=0.0)
    decay_lr: float = option(0.0, help="cosine_decay_with_warmup: where the fall ends", low=0.0)
    num_vqvae_training_steps: int = option(0, help="vqbet: steps at the full rate first", low=0)
    num_cycles: float = option(0.5, help="vqbet, diffuser's cosine: waves", low=0.0)


@dataclass(frozen=True, kw_only=True)
class EmaConfig:
    """A moving average of the weights, saved beside them in `pretrained_model_ema`."""

    enable: bool = option(False, help="keep a moving average of the weights too", primary=True)
    decay: float | None = option(None, help="how much of it stays at each step; default: 1 - (1 + step / inv_gamma)^-power",
                                 low=0.0, high=1.0)  # fmt: skip
    update_after_step: int = option(0, help="until then it is the weights themselves", low=0)
    inv_gamma: float = option(1.0, help="see decay", low=1e-6)
    power: float = option(0.75, help="see decay", low=0.0)
    min_decay: float = option(0.0, help="decay is never less, once it averages", low=0.0, high=1.0)
    max_decay: float = option(0.9999, help="nor more", low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class PeftConfig:
    """An adapter beside a frozen checkpoint instead of all its weights; needs `lerobot-torch[adapters]`."""

    enable: bool = option(False, help="train an adapter beside the checkpoint, which stays as it is", primary=True)
    method_type: str = option("LORA", help="which kind", choices=("LORA",))
    r: int = option(16, help="rank of its matrices", low=1)
    lora_alpha: int | None = option(None, help="what they add is scaled by this over r; default: 8", low=1)
    target_modules: str | None = option(
        None, help="layers it is put beside: ends of names with commas, a regular expression, or all-linear; "
                   "default: the policy's choice"
    )  # fmt: skip
    full_training_modules: list[str] | None = option(None, help="layers that are trained whole, beside it")

    @property
    def layers(self) -> str | list[str] | None:
        """`target_modules` as peft takes it."""
        text = self.target_modules
        if not text or text == "all-linear" or not re.fullmatch(r"[\w.,\s]+", text):
            return text
        return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True, kw_only=True)
class WandbConfig:
    """Figures on Weights & Biases; needs `lerobot-train[wandb]`."""

    enable: bool = option(False, help="write what is logged there too", primary=True)
    project: str = option("lerobot", help="which project")
    entity: str | None = option(None, help="whose; default: the account's")
    notes: str | None = option(None, help="about this run")
    run_id: str | None = option(None, help="default: a new one, which a resumed run goes on with")
    mode: str | None = option(
        None, help="default: as $WANDB_MODE, else online", choices=("online", "offline", "disabled")
    )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything a training run is told."""

    policy: Chosen | None = plugin_field("policy", help="a family to train anew, or a checkpoint to train further")
    dataset: DatasetSection | None = option(None, help="what to learn from")
    optimizer: OptimizerConfig = option(factory=OptimizerConfig, help="the optimizer")
    scheduler: SchedulerConfig = option(factory=SchedulerConfig, help="how the learning rate changes")
    ema: EmaConfig = option(factory=EmaConfig, help="a moving average of the weights")
    peft: PeftConfig = option(factory=PeftConfig, help="an adapter instead of all weights")
    wandb: WandbConfig = option(factory=WandbConfig, help="figures on Weights & Biases")

    output_dir: Path | None = option(None, help="where checkpoints and logs go")
    resume: bool = option(False, help="continue from OUTPUT_DIR's last checkpoint")
    steps: int = option(100_000, help="optimizer steps in all", low=1)
    batch_size: int = option(8, help="samples a step and process", low=1)
    gradient_accumulation_steps: int = option(1, help="batches a step", low=1)
    seed: int = option(1000, help="of the weights, the order and the augmentations", low=0)
    shuffle: str = option("randperm", help="order of samples; feistel: needs no memory, however many", choices=SHUFFLES)
    mixed_precision: str | None = option(
        None,
        help="compute in half precision where it is safe; default: as --policy.use-amp",
        choices=("no", "bf16", "fp16"),
    )
    num_workers: int | None = option(None, help="processes that read the dataset; default: by the machine", low=0)
    prefetch_factor: int = option(4, help="batches each of them prepares ahead", low=1)
    save_every: int = option(20_000, help="steps between checkpoints; 0: the last one only", low=0,
                             aliases=("save_freq",))  # fmt: skip
    keep: int | None = option(None, help="checkpoints to keep, the newest; default: all", low=1)
    log_every: int = option(200, help="steps between log lines", low=1, aliases=("log_freq",))
    eval_every: int = option(0, help="steps between losses on held-out episodes; 0: never", low=0,
                             aliases=("eval_steps",))  # fmt: skip
    max_eval_samples: int = option(0, help="how many held-out samples at most; 0: all", low=0)
    sample_log: Path | None = option(None, help="write the dataset rows of each batch here, one JSON object a line")
    job_name: str | None = option(None, help="default: the policy's name")
    tensorboard: bool = option(True, help="write TensorBoard's event files into OUTPUT_DIR/tensorboard")
    rename_map: dict[str, str] = option(factory=dict, help="{dataset key: checkpoint key}, for what the policy sees")

    config: Path | None = option(None, help="options from a .toml, .yaml or .json file", aliases=("config_path",))
    json: bool = option(False, help="one JSON object a log line, the summary last, on stdout")
    log_file: Path | None = option(None, help="write the log here as well")
    show_config: bool = option(False, help="print every value with its origin, and stop")

    def __post_init__(self) -> None:
        if self.eval_every and self.dataset is not None and not self.dataset.eval_split:
            raise ConfigError("--eval-every needs held-out episodes", "", "--dataset.eval-split 0.1")


VERB = Verb(
    "train",
    "train a policy from a dataset",
    TrainConfig,
    needs=("policy", "dataset", "output_dir"),
    reads_rig=False,
)
