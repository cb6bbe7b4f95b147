"""Listing: from metadata folders, whatever state they are in, importing nothing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core import metadata
from lerobot_core.errors import UsageError
from lerobot_core.kinds import KINDS
from lerobot_core.registry import Registry


def names(registry: Registry, kind: str | None = None) -> list[tuple[str, str]]:
    return [(entry.kind, entry.name) for entry in registry.entries(kind)]


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('no')", "import time; time.sleep(5)", "raise SystemExit(3)", "boom("]
)
def test_a_bad_plugin_is_listed_and_not_imported(install, registry, code):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, code)
    install("lerobot-robot-good", {"robot": {"good": "good_pkg.plugin"}}, "")
    assert names(registry) == [("robot", "bad"), ("robot", "good")]
    assert "bad_pkg" not in sys.modules


def test_an_entry_says_where_it_comes_from(install, registry, site):
    folder = install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, version="1.2.3")
    (entry,) = registry.entries("robot")
    assert entry == metadata.Entry("robot", "acme", "acme.plugin", "lerobot-robot-acme", "1.2.3", str(folder))
    assert (entry.origin, entry.summary) == (str(site), "what lerobot-robot-acme does")
    assert entry.requires == ["lerobot-core>=0.1,<0.2"]


def test_the_origin_of_an_editable_install_is_its_source(install, registry):
    folder = install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}})
    record = {"url": "file:///home/me/my%20arm", "dir_info": {"editable": True}}
    (folder / "direct_url.json").write_text(json.dumps(record))
    assert registry.entries()[0].origin == "/home/me/my arm"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 3, "dir_info": {"editable": true}}', '{"dir_info": null}'])
def test_a_strange_direct_url_is_ignored(install, registry, site, text):
    folder = install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}})
    (folder / "direct_url.json").write_text(text)
    assert registry.entries()[0].origin == str(site)


def test_entries_are_ordered_by_kind_and_name(install, registry):
    install("lerobot-z", {"camera": {"a": "z.plugin"}, "robot": {"c": "z.plugin", "b": "z.plugin"}})
    assert names(registry) == [("robot", "b"), ("robot", "c"), ("camera", "a")]
    assert names(registry, "camera") == [("camera", "a")]


def test_an_unknown_kind_is_a_usage_error(registry):
    with pytest.raises(UsageError, match="did you mean 'robot'"):
        registry.entries("robto")


def test_a_path_reached_twice_counts_once(install, site, tmp_path):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}})
    broken_folder(install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}), "no METADATA")
    (tmp_path / "lib64").symlink_to(site)
    registry = Registry([str(site), str(tmp_path / "lib64"), str(site)], {})
    assert (len(registry.entries()), len(registry.broken())) == (1, 1)
    assert registry.entries()[0].origin == str(site)


def test_the_first_of_two_copies_of_a_distribution_wins(install, site, tmp_path):
    later = tmp_path / "later"
    later.mkdir()
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, version="2.0", folder=later)
    install("Lerobot_Robot.Acme", {"robot": {"acme": "acme.plugin"}}, version="1.0")
    (entry,) = Registry([str(site), str(later)], {}).entries()
    assert entry.version == "1.0"


def test_an_editable_install_that_left_two_records_counts_once(install, registry, site, tmp_path):
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}})
    egg = tmp_path / "src" / "lerobot_robot_acme.egg-info"
    egg.mkdir(parents=True)
    (egg / "PKG-INFO").write_text("Name: lerobot-robot-acme\nVersion: 0.1.0\n")
    (egg / "entry_points.txt").write_text("[lerobot.robot]\nacme = acme.plugin\n")
    assert len(Registry([str(site), str(egg.parent)], {}).entries()) == 1


def test_an_egg_folder_says_version_and_requirements_inside(site, registry):
    egg = site / "lerobot_robot_old.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: lerobot-robot-old\nVersion: 0.7\nSummary: old\n")
    (egg / "entry_points.txt").write_text("[lerobot.robot]\nold = old.plugin\n")
    (egg / "requires.txt").write_text("lerobot-core>=0.1\nnumpy\n\n[test]\npytest\n")
    (entry,) = registry.entries()
    assert (entry.version, entry.summary, entry.requires) == ("0.7", "old", ["lerobot-core>=0.1", "numpy"])


def test_an_egg_that_is_one_file_is_passed_over(site, registry):
    (site / "distutils_thing-1.0.egg-info").write_text("Name: distutils-thing\nVersion: 1.0\n")
    assert (registry.entries(), registry.broken()) == ([], ())


def broken_folder(folder: Path, how: str) -> None:
    """Spoils a good metadata folder in one way."""
    table = folder / "entry_points.txt"
    if how == "no METADATA":
        (folder / "METADATA").unlink()
    elif how == "not text":
        table.write_bytes(b"[lerobot.robot]\nx = \xff\xfe\n")
    elif how == "malformed at line 3":
        table.write_text("[lerobot.robot]\nx = y.plugin\nno equals sign here\n")
    elif how == "malformed":
        table.write_text("x = y.plugin\n[lerobot.robot]\n")
    elif how == "cannot be read":
        table.unlink()
        table.mkdir()
    elif how == "interrupted uninstall":
        folder.rename(folder.with_name("~" + folder.name[1:]))


@pytest.mark.parametrize(
    "how", ["no METADATA", "not text", "malformed at line 3", "malformed", "cannot be read", "interrupted uninstall"]
)
def test_a_broken_metadata_folder_costs_one_line(install, registry, how):
    install("lerobot-robot-good", {"robot": {"good": "good_pkg.plugin"}})
    broken_folder(install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}), how)
    assert names(registry) == [("robot", "good")]
    (line,) = registry.broken()
    assert how in str(line)
    assert "_robot_bad-0.1.0.dist-info" in line.folder


def test_an_empty_metadata_folder_of_ours_is_broken_and_of_others_is_not_our_business(site, registry):
    (site / "lerobot_robot_bad-0.1.dist-info").mkdir()
    (site / "stranger-0.1.dist-info").mkdir()
    assert [Path(broken.folder).name for broken in registry.broken()] == ["lerobot_robot_bad-0.1.dist-info"]


def test_a_broken_copy_does_not_hide_a_good_one(install, site, tmp_path):
    later = tmp_path / "later"
    later.mkdir()
    broken_folder(install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}), "no METADATA")
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, folder=later)
    assert names(Registry([str(site), str(later)], {})) == [("robot", "acme")]


def test_a_group_that_is_no_kind_costs_one_line_and_not_its_neighbours(install, registry):
    install("lerobot-new", {"robot": {"acme": "acme.plugin"}, "gizmo": {"a": "acme.plugin", "b": "acme.plugin"}})
    assert names(registry) == [("robot", "acme")]
    assert [broken.why for broken in registry.broken()] == ["the group lerobot.gizmo is no kind of plugin"]


@given(st.binary(max_size=200) | st.text(alphabet="[]lerobt.=#;: \n\r", max_size=80).map(str.encode))
def test_no_entry_points_file_can_break_the_listing(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("any") / "lerobot_any-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: lerobot-any\n")
    (folder / "entry_points.txt").write_bytes(b"[lerobot.robot]\n" + content)
    found = metadata.scan([str(folder.parent)])
    assert all(entry.kind in KINDS for entry in found.entries)


def test_paths_that_are_not_folders_are_passed_over(tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    assert metadata.scan([str(tmp_path / "archive.zip"), str(tmp_path / "nowhere")]) == ((), ())


def test_the_listing_agrees_with_importlib_metadata():
    theirs = {
        (kind, point.name, point.value)
        for kind in KINDS
        for point in importlib.metadata.entry_points(group=f"lerobot.{kind}")
    }
    assert {(entry.kind, entry.name, entry.value) for entry in metadata.scan().entries} == theirs


def test_lerobot_plugins_leaves_core_and_the_named_distributions(install, site):
    install("lerobot-core", {"robot": {"fake": "fake.plugin"}})
    install("lerobot-a", {"robot": {"a": "a.plugin"}})
    install("lerobot-b", {"robot": {"b": "b.plugin"}})
    assert names(Registry([str(site)], {"LEROBOT_PLUGINS": "Lerobot_A, none"})) == [("robot", "a"), ("robot", "fake")]
    assert names(Registry([str(site)], {"LEROBOT_PLUGINS": ""})) == [("robot", "fake")]


def test_listing_imports_neither_plugins_nor_machinery(install, site):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}, "command": {"x": "bad_pkg.cli:app"}}, "1/0")
    code = (
        "import sys; before = set(sys.modules); from lerobot_core.registry import Registry; r = Registry();"
        "assert {e.name for e in r.entries()} >= {'bad', 'x'}; assert r.entries('command')[-1].summary;"
        "print(*sorted(set(sys.modules) - before))"
    )
    env = {**os.environ, "PYTHONPATH": str(site)}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    imported = set(out.split())
    heavy = {"importlib.metadata", "pluggy", "packaging", "logging", "json", "dataclasses", "typer", "numpy", "bad_pkg"}
    assert not imported & heavy
    assert {name for name in imported if name.startswith("lerobot_core")} == {
        f"lerobot_core{suffix}" for suffix in ("", ".errors", ".kinds", ".known", ".metadata", ".registry")
    }
