"""Every template is a working plugin: rendered, put where metadata is looked for, and judged by its own kit."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from lerobot_core.errors import UsageError
from lerobot_core.kinds import KINDS
from lerobot_core.template_maker import BODIES, make, render


def _install(kind: str, name: str, folder: Path) -> Path:
    """Make a plugin and the metadata an installer would write for it; returns the path entry of both."""
    make(kind, name, folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    metadata = folder / "src" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    requires = "".join(f"Requires-Dist: {line}\n" for line in project["dependencies"])
    header = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n{requires}"
    (metadata / "METADATA").write_text(header)
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    return folder / "src"


def test_every_template_keeps_its_contract(tmp_path: Path) -> None:
    paths = [_install(kind, "my_thing", tmp_path / f"plugin_{kind}") for kind in BODIES]
    path = os.pathsep.join([*map(str, paths), *filter(None, [os.environ.get("PYTHONPATH")])])
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\nfilterwarnings = error\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(tmp_path / "pytest.ini"),
        str(tmp_path),
    ]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert done.stdout.count("test_conformance.py") == 0  # nothing failed, so no file is named


@pytest.mark.parametrize("kind", BODIES)
def test_names_are_the_plugins_own(kind: str) -> None:
    files = render(kind, "my_thing")
    text = "\n".join([*files, *files.values()])
    assert "acme" not in text.lower()
    assert f"class MyThing{kind.capitalize()}:" in text
    assert f'my_thing = "lerobot_{kind}_my_thing.plugin"' in files["pyproject.toml"]
    assert f'name = "lerobot-{kind}-my-thing"' in files["pyproject.toml"]
    assert all("$" not in line for line in text.splitlines())


@pytest.mark.parametrize("kind", [row.name for row in KINDS.values() if row.hook and row.name not in BODIES])
def test_a_kind_without_a_template_says_where_to_begin(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        make(kind, "thing", tmp_path / "new")
    example = caught.value.fix.split()[2].rstrip(",")
    import lerobot_core

    assert (Path(lerobot_core.__file__).parents[1] / example).is_file()
    assert not (tmp_path / "new").exists()
