"""What a reference stands for: presets, checkpoint folders, org/name, schemes."""

from __future__ import annotations

import json

import pytest
from lerobot_core.errors import ConfigError, PluginError
from lerobot_core.specs import Overlay, RobotSpec

PRESET = """
@hookimpl
def lerobot_robots():
    return robot("acme")

@hookimpl
def resolve(kind, ref):
    if ref == "virtual_acme":
        return Overlay(name=ref, sections={"robot": {"type": "acme", "port": "sim"}})
"""
POLICY = """
@hookimpl
def lerobot_policies():
    return PolicySpec(name="act", summary="chunks", config=Config, build=build)

@hookimpl
def resolve(kind, ref):
    return {"type": "act", "path": "/packaged"} if ref == "demo" else None
"""
HUB = """
@hookimpl
def resolve(kind, ref):
    return {"type": "act", "path": f"/cache/{kind}/{ref}"} if ref != "nobody/nothing" else None
"""


@pytest.fixture
def act(install):
    install("lerobot-policy-act", {"policy": {"act": "act_pkg.plugin", "demo": "act_pkg.plugin"}}, POLICY)


def checkpoint(folder, content: object = None) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"type": "act"} if content is None else content))
    return str(folder)


def test_a_preset_is_an_overlay_and_its_neighbour_a_spec(install, registry):
    install("lerobot-sim", {"robot": {"acme": "acme.plugin", "virtual_acme": "acme.plugin"}}, PRESET)
    found = registry.resolve("robot", "virtual_acme")
    assert isinstance(found, Overlay)
    assert found.sections["robot"]["port"] == "sim"
    assert isinstance(registry.resolve("robot", "acme"), RobotSpec)
    assert isinstance(registry.resolve("robot", "lerobot-sim:virtual_acme"), Overlay)


def test_another_modules_resolve_hook_is_not_asked(install, registry):
    install(
        "lerobot-greedy", {"robot": {"greedy": "greedy.plugin"}}, PRESET.replace('if ref == "virtual_acme"', "if True")
    )
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, PRESET)
    assert isinstance(registry.resolve("robot", "greedy"), Overlay)
    assert isinstance(registry.resolve("robot", "acme"), RobotSpec)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("3", "int, not RobotSpec"),
        ("PolicySpec(name='a', summary='', config=Config, build=build)", "PolicySpec, not RobotSpec"),
        ("1/0", "its hook resolve raised ZeroDivisionError"),
    ],
)
def test_a_resolve_hook_that_answers_nonsense(install, registry, answer, words):
    install("lerobot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, f"@hookimpl\ndef resolve(kind, ref): return {answer}")
    with pytest.raises(PluginError, match=words):
        registry.resolve("robot", "bad")


def test_a_policy_by_name_and_by_its_packaged_folder(act, registry):
    assert registry.resolve("policy", "act").name == "act"
    assert registry.resolve("policy", "demo") == {"type": "act", "path": "/packaged"}


@pytest.mark.parametrize("inside", ["", "checkpoints/last/pretrained_model", "pretrained_model"])
def test_a_checkpoint_folder_and_where_training_leaves_it(act, registry, tmp_path, inside):
    path = checkpoint(tmp_path / "run" / inside)
    assert registry.resolve("policy", str(tmp_path / "run")) == {"type": "act", "path": path}


def test_a_name_wins_over_a_folder_of_that_name(act, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint(tmp_path / "act")
    assert registry.resolve("policy", "act").name == "act"
    found = registry.resolve("policy", "./act")
    assert found == {"type": "act", "path": "./act"}
    assert registry.resolve("policy", found["path"]) == found  # whoever loads the weights resolves it again


def test_a_checkpoint_of_a_policy_that_is_not_installed(act, registry, tmp_path):
    with pytest.raises(PluginError) as caught:
        registry.resolve("policy", checkpoint(tmp_path, {"type": "actt"}))
    assert "a policy that is not installed: 'actt'" in str(caught.value)
    assert "pip install lerobot-policy-actt" in str(caught.value)


@pytest.mark.parametrize("content", [[], {}, {"type": 3}, {"type": ""}])
def test_a_config_that_names_no_policy(registry, tmp_path, content):
    with pytest.raises(ConfigError):
        registry.resolve("policy", checkpoint(tmp_path, content))


def test_a_config_that_is_not_json(registry, tmp_path):
    checkpoint(tmp_path)
    (tmp_path / "config.json").write_bytes(b"\xff{")
    with pytest.raises(ConfigError, match="cannot be read"):
        registry.resolve("policy", str(tmp_path))


def test_a_folder_without_a_checkpoint_says_where_it_looked(registry, tmp_path):
    with pytest.raises(ConfigError, match="checkpoints/last/pretrained_model"):
        registry.resolve("policy", str(tmp_path))


def test_org_name_goes_to_the_hub_scheme(act, install, registry):
    install("lerobot-torch", {"scheme": {"hub": "hub_pkg.plugin"}}, HUB)
    assert registry.resolve("policy", "me/act_cube") == {"type": "act", "path": "/cache/policy/me/act_cube"}
    with pytest.raises(PluginError, match="no policy named 'nobody/nothing'"):
        registry.resolve("policy", "nobody/nothing")


def test_what_the_hub_says_to_the_person_is_said(install, registry):
    code = HUB.replace("return", "from lerobot_core.errors import ConfigError; raise ConfigError('gated') ; return")
    install("lerobot-torch", {"scheme": {"hub": "hub_pkg.plugin"}}, code)
    with pytest.raises(ConfigError, match="gated"):
        registry.resolve("policy", "me/act_cube")


def test_org_name_without_the_hub_says_what_to_install(registry):
    with pytest.raises(PluginError, match="there is no folder me/act_cube here") as caught:
        registry.resolve("policy", "me/act_cube")
    assert "pip install lerobot-torch" in str(caught.value)


def test_a_dataset_or_a_file_is_no_policy(registry, tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").touch()
    with pytest.raises(ConfigError, match="is a dataset, not a policy"):
        registry.resolve("policy", str(tmp_path))
    with pytest.raises(ConfigError, match="is a file"):
        registry.resolve("policy", str(tmp_path / "meta" / "info.json"))


def test_a_policy_that_is_nothing_at_all(act, registry):
    with pytest.raises(PluginError, match="did you mean 'act'"):
        registry.resolve("policy", "atc")
    with pytest.raises(ConfigError, match="there is no folder /no/such/folder"):
        registry.resolve("policy", "/no/such/folder")


@pytest.mark.parametrize("ref", ["sim", "sim:0", "sim:bench"])
def test_a_scheme_is_loaded_so_that_its_hooks_answer(install, registry, ref):
    code = """
@hookimpl
def open_port(ref, protocol, motors):
    return f"/dev/pts/{ref}", None
"""
    install("lerobot-sim", {"scheme": {"sim": "sim_pkg.plugin"}}, code)
    assert registry.load_scheme(ref)
    assert registry.hook.open_port(ref=ref, protocol="feetech", motors={}) == (f"/dev/pts/{ref}", None)


@pytest.mark.parametrize("ref", ["/dev/ttyACM0", "COM3", "usb", "jetson:5555", "dev/ttyACM0", "", ":", "0"])
def test_a_plain_port_is_nobodys_scheme(registry, ref):
    assert registry.load_scheme(ref) is False


def test_a_scheme_that_is_not_installed_says_what_to_install(registry):
    with pytest.raises(PluginError, match="nothing installed answers for 'sim:0'") as caught:
        registry.load_scheme("sim:0")
    assert "pip install lerobot-sim" in str(caught.value)
