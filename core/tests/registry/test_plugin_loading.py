"""Loading one plugin: what works, and every way it can fail, each told as that plugin's."""

from __future__ import annotations

import sys

import pytest
from lerobot_core.errors import PluginError, UsageError
from lerobot_core.registry import Registry, default_registry

ACME = """
@hookimpl
def lerobot_robots():
    return robot("acme", aliases=("acme_mk1",))
"""


def refused(registry: Registry, kind: str, ref: str) -> str:
    with pytest.raises(PluginError) as caught:
        registry.spec(kind, ref)
    return str(caught.value)


def test_a_named_plugin_is_imported_and_no_other(install, registry):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    install("lerobot-robot-other", {"robot": {"other": "other.plugin"}}, "1/0")
    spec = registry.spec("robot", "acme")
    assert (spec.name, spec.summary, spec.build(spec.config(port="p"), None)) == (
        "acme",
        "the robot acme",
        ("built", "p"),
    )
    assert [entry.name for entry in registry.named()] == ["acme"]
    assert "other" not in sys.modules


def test_a_module_is_imported_and_registered_once(install, registry):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    assert registry.spec("robot", "acme").config is registry.spec("robot", "acme").config
    assert len(registry.named()) == 1


def test_an_alias_is_a_second_entry_name_that_the_spec_lists(install, registry):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin", "acme_mk1": "acme.plugin"}}, ACME)
    assert registry.spec("robot", "acme_mk1").name == "acme"
    assert registry.spec("robot", "acme").name == "acme"


def test_an_alias_that_the_spec_does_not_list_is_refused(install, registry):
    install("lerobot-robot-acme", {"robot": {"acme_mk2": "acme.plugin"}}, ACME)
    assert "lerobot_robots of acme.plugin offers acme" in refused(registry, "robot", "acme_mk2")


def test_one_module_may_offer_a_robot_and_a_teleoperator(install, registry):
    code = (
        ACME
        + """
@hookimpl
def lerobot_teleoperators():
    return [TeleoperatorSpec(name="acme", summary="its leader", config=Config, build=build)]
"""
    )
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}, "teleoperator": {"acme": "acme.plugin"}}, code)
    assert registry.spec("robot", "acme").kind == "robot"
    assert registry.spec("teleoperator", "acme").kind == "teleoperator"
    assert [entry.kind for entry in registry.named()] == ["robot", "teleoperator"]


def test_one_name_may_be_a_policy_and_a_robot(install, registry):
    policy = """
@hookimpl
def lerobot_policies():
    return PolicySpec(name="act", summary="chunks", config=Config, build=build)
"""
    install("lerobot-policy-act", {"policy": {"act": "act_policy.plugin"}}, policy)
    install("lerobot-robot-act", {"robot": {"act": "act_robot.plugin"}}, ACME.replace("acme", "act"))
    assert registry.spec("policy", "act").summary == "chunks"
    assert registry.spec("robot", "act").summary == "the robot act"


def test_only_the_named_modules_catalogue_is_asked(install, registry):
    install("lerobot-a", {"robot": {"a": "a_pkg.plugin"}}, ACME.replace("acme", "a"))
    install("lerobot-b", {"robot": {"b": "b_pkg.plugin", "a2": "b_pkg.plugin"}}, ACME.replace("acme", "b"))
    assert registry.spec("robot", "a").name == "a"
    assert registry.spec("robot", "b").name == "b"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no driver')", "RuntimeError: no driver"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit()", "SystemExit"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise OSError('wrong architecture')", "OSError: wrong architecture"),
        ("boom(", "SyntaxError"),
    ],
)
def test_a_plugin_that_fails_at_import_says_which_and_what_to_type(install, registry, code, words):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, code, version="0.3.1")
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    message = refused(registry, "robot", "bad")
    assert message.startswith(f"robot 'bad' (lerobot-robot-bad 0.3.1) cannot be loaded: {words}")
    assert "lr plugins check robot bad" in message
    assert "pip install -U lerobot-robot-bad, or pip uninstall lerobot-robot-bad" in message
    assert registry.spec("robot", "acme").name == "acme"
    assert [entry.name for entry in registry.named()] == ["acme"]


def test_the_original_error_is_kept(install, registry):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, "raise RuntimeError('no driver')")
    with pytest.raises(PluginError) as caught:
        registry.spec("robot", "bad")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_ctrl_c_during_an_import_is_not_swallowed(install, registry):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.spec("robot", "bad")


def test_an_entry_to_a_missing_module(install, registry):
    install("lerobot-robot-gone", {"robot": {"gone": "gone_pkg.plugin"}})
    message = refused(registry, "robot", "gone")
    assert "(lerobot-robot-gone 0.1.0) cannot be loaded: ModuleNotFoundError: No module named 'gone_pkg'" in message


def test_a_catalogue_hook_that_raises(install, registry):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, ACME.replace("return", "1/0; return"))
    assert "its hook lerobot_robots raised ZeroDivisionError" in refused(registry, "robot", "bad")


WRONG = {
    "offers nothing": "pass",
    "offers other": "@hookimpl\ndef lerobot_robots(): return robot('other')",
    "offers PolicySpec, not RobotSpec": "@hookimpl\ndef lerobot_robots():\n"
    "    return PolicySpec(name='bad', summary='', config=Config, build=build)",
    "offers str, not RobotSpec": "@hookimpl\ndef lerobot_robots(): return ['bad']",
    "with a config that is no dataclass": "@hookimpl\ndef lerobot_robots():\n"
    "    return RobotSpec(name='bad', summary='', config=dict, build=build)",
    "with a build that cannot be called": "@hookimpl\ndef lerobot_robots():\n"
    "    return RobotSpec(name='bad', summary='', config=Config, build=None)",
    "offers bad, bad": "@hookimpl\ndef lerobot_robots(): return [robot('bad'), robot('bad')]",
    "no hook 'lerobot_robts' did you mean 'lerobot_robots'?": "@hookimpl\ndef lerobot_robts(): return robot('bad')",
    "Argument(s) {'registry'}": "@hookimpl\ndef lerobot_robots(registry): return robot('bad')",
    "its hook 'build' is not a wrapper": "@hookimpl\ndef build(kind, spec, config, parts): return None",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_module_that_breaks_the_plugin_contract(install, registry, words):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, WRONG[words])
    for _ in range(2):  # a refused module leaves nothing behind
        message = refused(registry, "robot", "bad")
        assert words in message
        assert message.startswith("robot 'bad' (lerobot-robot-bad 0.1.0) is not a valid plugin")


def test_two_distributions_with_one_name(install, registry):
    for vendor in ("wego", "agilex"):
        entries = {"robot": {"piper": f"{vendor}_piper.plugin"}}
        install(f"lerobot-robot-{vendor}", entries, ACME.replace('"acme"', f'"piper", peer_name="{vendor}"'))
    message = refused(registry, "robot", "piper")
    assert "offered by lerobot-robot-agilex 0.1.0 and lerobot-robot-wego 0.1.0" in message
    assert "pip uninstall lerobot-robot-wego" in message
    assert "wego_piper" not in sys.modules
    assert registry.spec("robot", "lerobot-robot-wego:piper").peer_name == "wego"
    assert registry.spec("robot", "Lerobot_Robot_Agilex:piper").peer_name == "agilex"


def test_a_collision_with_core_never_asks_to_uninstall_core(install, registry):
    for name in ("acme-robots", "lerobot-core"):
        install(name, {"robot": {"acme": f"{name[:4]}_pkg.plugin"}}, ACME)
    assert "pip uninstall acme-robots" in refused(registry, "robot", "acme")


def test_one_distribution_with_one_name_twice(install, registry):
    folder = install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    (folder / "entry_points.txt").write_text("[lerobot.robot]\nacme = acme.plugin\nacme = acme.other\n")
    message = refused(registry, "robot", "acme")
    assert "declared twice by lerobot-robot-acme 0.1.0" in message
    assert "pip install --force-reinstall lerobot-robot-acme" in message


def test_a_typo_gets_a_suggestion(install, registry):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    message = refused(registry, "robot", "acmee")
    assert "no robot named 'acmee'" in message
    assert "did you mean 'acme'?" in message


def test_a_name_that_is_not_installed_says_what_to_install(registry):
    assert "pip install lerobot-robot-so100" in refused(registry, "robot", "so100_follower")
    assert "if there is a plugin for it: pip install lerobot-robot-my-arm" in refused(registry, "robot", "my_arm")
    assert "pip install" not in refused(registry, "robot", "x; rm -rf")


def test_a_plugin_left_out_by_the_environment_says_so(install, site):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, ACME)
    message = refused(Registry([str(site)], {"LEROBOT_PLUGINS": "lerobot-other"}), "robot", "acme")
    assert "lerobot-robot-acme 0.1.0 offers it, but LEROBOT_PLUGINS leaves that out" in message


def test_a_verb_is_loaded_by_name(install, registry):
    install("lerobot-train", {"command": {"train": "train_pkg.cli:app"}}, "app = 'the app'")
    assert registry.command("train") == "the app"
    with pytest.raises(PluginError, match="pip install lerobot-storage-v3"):
        registry.command("dataset")


def test_a_verb_without_its_app(install, registry):
    install("lerobot-train", {"command": {"train": "train_pkg.cli:app"}}, "other = 1")
    with pytest.raises(PluginError, match=r"command 'train' \(lerobot-train 0.1.0\) .* no app"):
        registry.command("train")


def test_an_unknown_kind(registry):
    with pytest.raises(UsageError, match="no kind of plugin 'robots'"):
        registry.spec("robots", "acme")


def test_the_default_registry_is_one():
    assert default_registry() is default_registry()
