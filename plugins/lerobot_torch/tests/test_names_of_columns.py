"""Where the names of a checkpoint's columns come from, in which order, and when nothing may move."""

from __future__ import annotations

import dataclasses
import json
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lerobot_torch
import pytest
from lerobot_core.conformance.samples import observation
from lerobot_core.errors import ConfigError, ContractError, InferenceError, PluginError
from lerobot_core.features import ACTION
from lerobot_core.types import Feature, Features
from lerobot_torch.names import find_names
from lerobot_torch.numpy_policy import NumpyPolicy, open_policy
from lerobot_torch.processors.basic import Rename
from lerobot_torch.processors.relative import Relative
from tiny_plugin import TinyConfig
from tiny_policy import JOINTS, SEEN, tiny

OTHER: Features = {"x": Feature(), "y": Feature("float32", (), "m")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint without names, as the peer's are."""
    tiny().save(tmp_path / "p")
    (tmp_path / "p" / "contract.json").unlink()
    return tmp_path / "p"


def names(folder: Path, **options: Any) -> lerobot_torch.Names:
    config = TinyConfig(**options)
    return find_names(lerobot_torch.load(folder, "cpu"), config)


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Datasets by where they are: (observation, action)."""
    there: dict[str, Any] = {}

    def reader(where: str) -> Any:
        if where not in there:
            raise PluginError(f"there is no dataset {where}")
        seen, acted = there[where]
        return SimpleNamespace(observation=seen, action=acted, fps=15.0, close=lambda: None)

    spec = SimpleNamespace(tools=lambda: SimpleNamespace(reader=reader))
    monkeypatch.setattr("lerobot_torch.names.default_registry", lambda: SimpleNamespace(spec=lambda *_: spec))
    return there


def trained_on(folder: Path, **told: Any) -> None:
    (folder / "train_config.json").write_text(json.dumps({"dataset": told}))


def dataset_at(root: Path) -> Path:
    (root / "meta").mkdir(parents=True)
    (root / "meta" / "info.json").write_text("{}")
    return root


def test_our_contract_comes_first(tmp_path: Path, datasets: dict[str, Any]) -> None:
    tiny().save(tmp_path / "p")
    datasets["d"] = (OTHER, OTHER)
    found = names(tmp_path / "p", names_from="d", assume_order=True)
    assert (found.action, found.fps, found.source) == (JOINTS, 30.0, "contract.json")
    assert found.observation == JOINTS


def test_then_the_configurations_own_names(folder: Path, datasets: dict[str, Any]) -> None:
    datasets["d"] = (OTHER, OTHER)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"action_feature_names": ["a.pos", "b.pos"]}))
    found = names(folder, names_from="d")
    assert (list(found.action), list(found.observation)) == (["a.pos", "b.pos"], ["a.pos", "b.pos"])


def test_or_those_of_its_relative_actions(folder: Path) -> None:
    policy = lerobot_torch.load(folder, "cpu")
    policy.before.steps.insert(0, Relative(True, [], ["a.pos", "b.pos"]))
    assert list(find_names(policy, TinyConfig()).action) == ["a.pos", "b.pos"]


def test_then_the_dataset_it_was_trained_on_when_it_is_on_this_disk(
    folder: Path, tmp_path: Path, datasets: dict[str, Any]
) -> None:
    root = dataset_at(tmp_path / "data")
    datasets.update({str(root): (OTHER, OTHER), "d": (JOINTS, JOINTS)})
    trained_on(folder, root=str(root), repo_id="lab/cube")
    found = names(folder, names_from="d")
    assert (found.action, found.fps) == (OTHER, 15.0)
    assert str(root) in found.source


@pytest.mark.parametrize("place", ["lab/cube", "hub/datasets--lab--cube/snapshots/0123"])
def test_that_dataset_by_its_name(
    folder: Path, tmp_path: Path, place: str, datasets: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    root = dataset_at(tmp_path / "home" / place)
    datasets[str(root)] = (OTHER, OTHER)
    trained_on(folder, root=None, repo_id="lab/cube")
    assert names(folder).action == OTHER


def test_then_the_dataset_that_is_named(folder: Path, datasets: dict[str, Any]) -> None:
    datasets["d"] = (OTHER | {"camera": SEEN["front"]}, OTHER)
    found = names(folder, names_from="d")
    assert (found.observation, found.action) == (OTHER, OTHER)


def test_without_any_the_list_of_what_was_tried(
    folder: Path, datasets: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    trained_on(folder, repo_id="lab/cube")
    with pytest.raises(ContractError) as caught:
        names(folder)
    for word in ("contract.json: none", "no action_feature_names", "lab/cube is not on this disk", "names-from: not"):
        assert word in caught.value.why
    assert "--policy.assume-order" in caught.value.fix


def test_a_nameless_dataset_does_not_help(folder: Path, datasets: dict[str, Any]) -> None:
    nameless = {f"action[{index}]": Feature() for index in range(2)}
    datasets["d"] = (nameless, nameless)
    with pytest.raises(ContractError, match="does not help"):
        names(folder, names_from="d")
    with pytest.raises(ContractError, match="does not help"):
        names(folder, names_from="elsewhere")


def test_names_must_be_as_many_as_columns(folder: Path, datasets: dict[str, Any]) -> None:
    datasets["d"] = (OTHER, OTHER | {"z": Feature()})
    with pytest.raises(ContractError, match=r"2 numbers in its action, .* names 3"):
        names(folder, names_from="d")


# --- units ----------------------------------------------------------------------------------------------------------


def test_told_units_fill_in_what_nobody_stated(folder: Path, datasets: dict[str, Any]) -> None:
    datasets["d"] = (OTHER, OTHER)
    found = names(folder, names_from="d", units="deg").action
    assert (found["x"].unit, found["y"].unit) == ("deg", "m")
    datasets["d"] = (dict.fromkeys(OTHER, Feature()),) * 2
    found = names(folder, names_from="d", units="deg, y=pct").action
    assert (found["x"].unit, found["y"].unit) == ("deg", "pct")


@pytest.mark.parametrize("units", ["degrees", "deg,z=pct", "x=pct,y"])
def test_wrong_units_are_refused(folder: Path, datasets: dict[str, Any], units: str) -> None:
    datasets["d"] = (OTHER, OTHER)
    with pytest.raises(ConfigError, match=r"policy\.units"):
        names(folder, names_from="d", units=units)


# --- meeting the robot ----------------------------------------------------------------------------------------------


def adapter(folder: Path, **options: Any) -> NumpyPolicy:
    return open_policy(TinyConfig(path=str(folder), device="cpu", **options))


def test_the_robots_order_is_taken_only_when_asked(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy = adapter(folder, assume_order=True, units="deg,lift.pos=pct")
    assert list(policy.gives) == ["action[0]", "action[1]"]
    policy.bind(SEEN, JOINTS)
    assert list(policy.gives) == list(JOINTS)
    assert list(policy.needs) == [*JOINTS, "front"]
    assert [feature.unit for feature in policy.gives.values()] == ["deg", "pct"]
    assert "taking the robot's order: pan.pos, lift.pos" in caplog.text
    assert policy.predict_chunk(observation(policy.needs), "").names == ("pan.pos", "lift.pos")


def test_a_robot_of_another_size_is_refused(folder: Path) -> None:
    policy = adapter(folder, assume_order=True)
    with pytest.raises(ContractError, match="does 2 numbers, the robot has 3"):
        policy.bind(SEEN, JOINTS | {"grip.pos": Feature()})


def test_actions_beyond_the_robots_range_mean_other_units(folder: Path) -> None:
    """Recorded within -80..80."""
    radians = {key: dataclasses.replace(feature, low=-3.14, high=3.14) for key, feature in JOINTS.items()}
    with pytest.raises(ContractError, match=r"pan\.pos: trained on -80\.\.80, the robot has -3\.14\.\.3\.14"):
        adapter(folder, assume_order=True).bind(radians, radians)
    with pytest.raises(ContractError, match=r"pan\.pos: trained on"):
        adapter(folder, assume_order=True, units="deg").bind(radians, radians)
    nearly = {key: dataclasses.replace(feature, low=-70.0, high=70.0) for key, feature in JOINTS.items()}
    adapter(folder, assume_order=True).bind(nearly, nearly)


def test_differences_are_not_compared_with_a_range(folder: Path) -> None:
    policy = lerobot_torch.load(folder, "cpu")
    policy.before.steps.insert(0, Relative(True, [], list(JOINTS)))
    narrow = {key: dataclasses.replace(feature, low=-9.0, high=9.0) for key, feature in JOINTS.items()}
    NumpyPolicy(policy, find_names(policy, TinyConfig())).bind(narrow, narrow)


def test_stated_units_are_believed(tmp_path: Path) -> None:
    tiny().save(tmp_path / "p")
    narrow = {key: dataclasses.replace(feature, low=-9.0, high=9.0) for key, feature in JOINTS.items()}
    adapter(tmp_path / "p").bind(narrow, narrow)


# --- the adapter ----------------------------------------------------------------------------------------------------


def test_cameras_are_called_as_before_the_checkpoints_own_renaming(folder: Path) -> None:
    policy = lerobot_torch.load(folder, "cpu")
    policy.before.steps[0] = Rename({"observation.images.top": "observation.images.front"})
    policy.contract = tiny().contract
    adapted = NumpyPolicy(policy, find_names(policy, TinyConfig()))
    assert list(adapted.needs) == [*JOINTS, "top"]
    assert adapted.predict_chunk(observation(adapted.needs), "").actions.shape == (4, 2)


def test_columns_are_matched_by_name(tmp_path: Path) -> None:
    tiny().save(tmp_path / "p")
    policy = adapter(tmp_path / "p")
    seen = observation(policy.needs, 2.5)
    shuffled = type(seen)(dict(reversed(seen.items())), 2.5)
    wanted, found = policy.predict_chunk(seen, "go"), policy.predict_chunk(shuffled, "go")
    assert (wanted.actions == found.actions).all()
    assert (found.time, found.task) == (2.5, "go")


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    tiny().save(tmp_path / "p")
    policy = adapter(tmp_path / "p")
    seen = observation(policy.needs | {"front": Feature("uint8", (9, 12, 3))})
    with pytest.raises(ContractError, match=r"'front' gives \(9, 12, 3\), the policy takes \(8, 12, 3\)"):
        policy.predict_chunk(seen, "")


def test_closing_lets_go_of_the_network(tmp_path: Path) -> None:
    tiny().save(tmp_path / "p")
    loaded = lerobot_torch.load(tmp_path / "p", "cpu")
    policy = NumpyPolicy(loaded, find_names(loaded, TinyConfig()))
    network = weakref.ref(loaded)
    seen = observation(policy.needs)
    policy.predict_chunk(seen, "")
    policy.close()
    del loaded
    assert network() is None
    with pytest.raises(InferenceError, match="is closed"):
        policy.predict_chunk(seen, "")


def test_a_policy_without_a_checkpoint_says_so() -> None:
    with pytest.raises(ConfigError, match="no checkpoint was named"):
        open_policy(TinyConfig())


def test_the_real_reader_names_columns(tmp_path: Path) -> None:
    """The peer's own dataset: two motors, names nested one level down."""
    pytest.importorskip("lerobot_storage_v3")
    golden = Path(__file__).parents[3] / "tests" / "golden" / "pusht"
    tiny().save(tmp_path / "p")
    (tmp_path / "p" / "contract.json").unlink()
    found = names(tmp_path / "p", names_from=str(golden))
    assert len(found.action) == 2
    assert found.fps == 10.0
    assert not any(name.startswith(ACTION) for name in found.action)
