"""What a person gets wrong, or a machine runs out of, is named and can be mended."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.errors import ConfigError, ContractError, PluginError, StorageError, UsageError, UserError
from lerobot_train.layout import numbered
from lerobot_train.main import run
from safetensors.torch import load_file, save_file

PUSHT = Path(__file__).parents[4] / "tests" / "golden" / "pusht"
Train = Callable[..., list[dict[str, Any]]]


def model(run: Path) -> Path:
    return run / "checkpoints" / "last" / "pretrained_model"


def test_a_policy_that_nobody_offers(train: Train) -> None:
    with pytest.raises(PluginError, match="pip install lerobot-policy-nosuch"):
        train("--policy", "nosuch")


def test_a_checkpoint_of_a_policy_that_is_not_installed(train: Train, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"type": "nosuch"}')
    with pytest.raises(PluginError, match="pip install lerobot-policy-nosuch"):
        train("--policy", str(tmp_path))


def test_a_checkpoint_without_config(train: Train, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no policy checkpoint(.|\n)*config.json"):
        train("--policy", str(tmp_path))


def test_a_policy_that_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no network"):
        run(["--policy", "fake", "--dataset", str(PUSHT), "--output-dir", str(tmp_path), "--no-tensorboard"])


@pytest.mark.parametrize(("change", "told"), [("missing", "missing: layers.0.bias"), ("more", "unknown: extra")])
def test_a_checkpoint_with_other_tensors(train: Train, tmp_path: Path, change: str, told: str) -> None:
    train("--steps", "1")
    file = model(tmp_path / "run") / "model.safetensors"
    tensors = load_file(file)
    if change == "more":
        tensors["extra"] = tensors["layers.0.bias"].clone()
    else:
        del tensors["layers.0.bias"]
    save_file(tensors, file)
    with pytest.raises(ContractError, match=told):
        train("--policy", str(tmp_path / "run"), "--output-dir", str(tmp_path / "further"))


def test_a_checkpoint_for_other_features(train: Train, tmp_path: Path) -> None:
    train("--steps", "1")
    config = model(tmp_path / "run") / "config.json"
    data = json.loads(config.read_text())
    features = data["input_features"]
    data["input_features"] = {
        "observation.state": features["observation.state"],
        "observation.images.wrist": features["observation.image"],
    }
    config.write_text(json.dumps(data))
    with pytest.raises(
        ContractError, match=r"observation.images.wrist: the dataset has no .*it has observation.image, "
    ):
        train("--policy", str(tmp_path / "run"), "--output-dir", str(tmp_path / "further"), "--steps", "1",
              "--dataset.use-imagenet-stats")  # fmt: skip


def test_another_name_for_the_same_camera(train: Train, tmp_path: Path) -> None:
    train("--steps", "1")
    folder = model(tmp_path / "run")
    for file in ("config.json", "policy_preprocessor.json"):
        path = folder / file
        path.write_text(path.read_text().replace('"observation.image"', '"observation.images.top"'))
    lines = train("--policy", str(folder), "--output-dir", str(tmp_path / "further"), "--steps", "1", "--rename-map",
                  '{"observation.image": "observation.images.top"}')  # fmt: skip
    assert lines[-1]["outcome"] == "done"


def test_joints_under_other_names(train: Train, tmp_path: Path) -> None:
    train("--steps", "1")
    contract = model(tmp_path / "run") / "contract.json"
    data = json.loads(contract.read_text())
    data["action"] = {"x": data["action"]["x"], "z": data["action"]["y"]}
    contract.write_text(json.dumps(data))
    with pytest.raises(ContractError, match="action: z in the policy, y in the dataset"):
        train("--policy", str(tmp_path / "run"), "--output-dir", str(tmp_path / "further"))


def test_a_loss_that_is_no_number_names_the_batch(
    train: Train, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=r"the loss is nan at step 3(.|\n)*batch: episode \d+ frame \d+, ") as error:
        train("--steps", "9", "--policy.fault", "nan", "--save-every", "2")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["outcome"], last["reason"]) == ("failed", error.value.what)
    assert [folder.name for folder in numbered(tmp_path / "run")] == ["000002"]


def test_out_of_memory_says_what_to_lower(train: Train) -> None:
    with pytest.raises(UserError, match=r"out of memory with batches of 4(.|\n)*--batch-size 2 --gradient-acc\S+ 2"):
        train("--steps", "9", "--policy.fault", "oom")


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow past `size`, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_a_checkpoint_keeps_the_last_good_one(train: Train, tmp_path: Path) -> None:
    train("--steps", "1")
    before = sorted(tmp_path.joinpath("run", "checkpoints").rglob("*"))
    with small_files(500), pytest.raises(StorageError, match=r"step 2 could not be written(.|\n)*good one is .*000001"):
        train("--resume", "--steps", "2")
    assert sorted(tmp_path.joinpath("run", "checkpoints").rglob("*")) == before
    assert train("--resume", "--steps", "2")[-1]["steps"] == 2


def test_training_goes_on_when_a_checkpoint_in_the_middle_fails(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot_train import checkpoint

    def full(step: int) -> None:
        if step == 2:
            raise OSError(28, "No space left on device")

    save = checkpoint.Saver._step
    monkeypatch.setattr(checkpoint.Saver, "_step", lambda self, step: full(step) or save(self, step))
    assert train("--steps", "4", "--save-every", "2")[-1]["outcome"] == "done"
    assert [folder.name for folder in numbered(tmp_path / "run")] == ["000004"]


def test_a_dataset_shorter_than_a_chunk(train: Train) -> None:
    with pytest.raises(ContractError, match="the dataset has 25 rows, a chunk 30"):
        train("--dataset.episodes", "[1]", "--policy.chunk-size", "30")


def test_episodes_shorter_than_a_chunk_are_mentioned(train: Train, caplog: pytest.LogCaptureFixture) -> None:
    train("--steps", "1", "--policy.chunk-size", "70")
    assert "the longest has 60 rows, a chunk 70" in caplog.text


def test_resumed_with_other_settings(train: Train) -> None:
    train("--steps", "1")
    with pytest.raises(ConfigError) as error:
        train("--resume", "--steps", "2", "--seed", "3", "--policy.width", "9", "--optimizer.lr", "0.5")
    assert "seed: 1000 so far, 3 now" in str(error.value)
    assert "policy.width: 8 so far, 9 now" in str(error.value)
    assert "optimizer.lr: None so far, 0.5 now" in str(error.value)


def test_resumed_on_another_dataset(train: Train, tmp_path: Path) -> None:
    train("--steps", "1")
    path = tmp_path / "run/checkpoints/last/training_state/cursor.json"
    path.write_text(path.read_text().replace('"fingerprint": "', '"fingerprint": "x'))
    with pytest.raises(ContractError, match="not the one the run began with"):
        train("--resume", "--steps", "2")


def test_nothing_to_resume(train: Train) -> None:
    with pytest.raises(ConfigError, match="nothing to resume"):
        train("--resume", "--steps", "2")


def test_an_output_folder_that_cannot_be(train: Train, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(ConfigError, match="run cannot be written"):
        train("--steps", "1")


def test_checkpoints_do_not_go_into_a_dataset(train: Train, tmp_path: Path) -> None:
    (tmp_path / "run" / "meta").mkdir(parents=True)
    (tmp_path / "run" / "meta" / "info.json").touch()
    with pytest.raises(ConfigError, match="is a dataset"):
        train("--steps", "1")


def test_a_run_is_not_written_over(train: Train) -> None:
    train("--steps", "1")
    with pytest.raises(ConfigError, match="has checkpoints already"):
        train("--steps", "1")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--dataset.resize", "big"], "--dataset.resize big is no size"),
        (["--dataset.episodes", "[9]"], "there is no episode 9"),
        (["--eval-every", "3"], "--dataset.eval-split 0.1"),
        (["--dataset.drop-sources", "hold"], "no column 'source'"),
        (["--batch-size", "0"], "out of range"),
        (["--shuffle", "sorted"], "not one of randperm, feistel, none"),
        (["--step", "3"], "did you mean --steps"),
        (["--scheduler", "cosine"], "not one of none, constant_with_warmup"),
    ],
)
def test_values_that_cannot_be(train: Train, wrong: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        train("--steps", "1", *wrong)
    assert message in str(error.value)


def test_resume_of_what(train: Train) -> None:
    with pytest.raises(UsageError, match="resume what"):
        run(["--resume"])
