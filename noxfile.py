"""How this tree is tested. `nox` runs what CI runs; `nox -l` lists the rest.

Every distribution is installed from its folder here together with all of ours that it stands on, in one command, so that
no name of ours is ever looked up on an index.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / ".ci"))

from distributions import Distribution, closure, discover

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "alone", "docs", "together"]

TORCH = "torch==2.13.0"
KNOWN = discover()
LIGHT = [name for name in KNOWN if not closure(name, KNOWN).torch]
HEAVY = [name for name in KNOWN if name not in LIGHT]
TOGETHER = [name for name in KNOWN if not KNOWN[name].alone]
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
SITE = ("mkdocs==1.6.1", "mkdocs-material==9.8.2")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff on everything, mypy --strict on core and what stands on it without torch."""
    _install(session, [KNOWN[name] for name in LIGHT], "ruff==0.17.5", "mypy==2.4.1", "types-PyYAML", tests=True)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", *(str(KNOWN[name].source) for name in LIGHT))


@nox.session
@nox.parametrize("name", LIGHT, ids=LIGHT)
def alone(session: nox.Session, name: str) -> None:
    """One distribution without torch, with what it stands on and nothing else."""
    _alone(session, name)


@nox.session(default=False)
@nox.parametrize("name", HEAVY, ids=HEAVY)
def alone_torch(session: nox.Session, name: str) -> None:
    """One distribution that needs torch, truly alone: a gigabyte each."""
    _alone(session, name, TORCH)


@nox.session
def together(session: nox.Session) -> None:
    """Everything in one environment, as a developer has it; torch is installed first.

    What `alone` has run is left out, but for core: it must not mind who else is installed.
    """
    if set(HEAVY) & set(TOGETHER):
        session.install(TORCH, env=_index())
    _install(session, [KNOWN[name] for name in TOGETHER], editable=True)
    again = [name for name in TOGETHER if name in HEAVY or name == "lerobot-core"]
    _pytest(session, "tests", *(str(KNOWN[name].tests) for name in again))


@nox.session(default=False)
def story(session: nox.Session) -> None:
    """The whole story as commands, in order, on real components; minutes."""
    session.install(TORCH, env=_index())
    _install(session, [KNOWN[name] for name in TOGETHER], editable=True)
    session.run("pytest", "--timeout=300", "-m", "slow", str(Path("tests", "end_to_end", "test_story.py")))


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """A minute of the main job: a trained policy, a virtual arm, everything recorded in the folder `out`."""
    wanted = ("lerobot-policy-demo", "lerobot-sim", "lerobot-strategy-sentry", "lerobot-storage-v3")
    session.install(TORCH, env=_index())
    ours = {each.name: each for name in wanted for each in closure(name, KNOWN).ours}
    session.install(*(str(each.folder) for each in ours.values()), env=_index())
    words = ["--strategy", "sentry", "--robot", "virtual_so100", "--policy", "demo", "--inference", "chunked"]
    where = ["--dataset.root", "out", "--resume"] if Path("out", "meta").exists() else ["--dataset.root", "out"]
    session.run("lr", "rollout", *words, "--task", "put the cube in the bin", "--duration", "60", *where)
    session.run("lr", "dataset", "info", "out")
    session.log("look at it: %s dataset show out", Path(session.bin, "lr"))


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, strictly: links, verbs and contracts as they are, commands as `lr` reads them.

    Nothing but core has its requirements here: help and options of a plugin may not need them.
    """
    _install(session, [KNOWN["lerobot-core"]], *SITE, "hatchling", "editables")
    others = [f"-e{KNOWN[name].folder}" for name in KNOWN if name != "lerobot-core"]
    session.install("--no-deps", "--no-build-isolation", *others, env=_index())  # isolated, each build takes seconds
    session.run("mkdocs", "build", "--strict", "--quiet", env={"NO_MKDOCS_2_WARNING": "1"})
    _pytest(session, str(Path("tests", "docs")))


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """What would be published: built, looked into, installed from the built files, tried. `-- heavy`: torch as well."""
    folder = Path(session.create_tmp(), "dist").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    session.install("uv", "twine==7.0.0", "hatchling", *TOOLS, env=_index())
    build = ["uv", "build", "--quiet", "--no-build-isolation", "--python", session.virtualenv.location]
    for each in KNOWN.values():
        session.run(*build, "--out-dir", str(folder), str(each.folder), env=_index())
    session.run("python", str(Path(".ci", "check_wheels.py")), str(folder))
    session.run("twine", "check", "--strict", *sorted(map(str, folder.glob("lerobot*"))))
    names = [name for name in (KNOWN if "heavy" in session.posargs else LIGHT) if not KNOWN[name].alone]
    if {*names} & {*HEAVY}:
        session.install(TORCH, env=_index())
    built = [str(next(folder.glob(f"{name.replace('-', '_')}-*.whl"))) for name in names]
    again = [f"--reinstall-package={name}" for name in names]
    session.install(*again, *built, env=_index())  # ours are files in one command, so no index is asked for them
    origins = str(Path("tests", "architecture", "test_where_ours_came_from.py"))
    session.run("pytest", origins, env={"LEROBOT_BUILT": str(folder)})
    _tried(session)


def _tried(session: nox.Session) -> None:
    """A recording on the virtual arm, looked at, by what was installed from files."""
    out = str(Path(session.create_tmp(), "out").absolute())
    shutil.rmtree(out, ignore_errors=True)
    words = ["--robot", "virtual_so100", "--teleop", "scripted", "--task", "t", "--dataset.root", out]
    times = ["--dataset.num-episodes", "1", "--dataset.episode-time-s", "3", "--dataset.reset-time-s", "0"]
    session.chdir(session.create_tmp())
    session.run("lr", "record", *words, *times, "--json")
    session.run("lr", "dataset", "verify", out)


@nox.session(default=False)
def kill(session: nox.Session) -> None:
    """Kill -9 at 200 points of recording, saving and compacting; ten of them are in the default run."""
    _install(session, closure("lerobot-storage-v3", KNOWN).ours)
    session.run("pytest", "--timeout=600", "-m", "slow", "-k", "kill", str(KNOWN["lerobot-storage-v3"].tests))


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """A million malformed messages at both ends of the wire; 20,000 of them are in the default run."""
    _install(session, closure("lerobot-server", KNOWN).ours, tests_of="lerobot-server")
    tests = KNOWN["lerobot-server"].tests / "test_hostile_bytes.py"
    session.run("pytest", "--timeout=3000", str(tests), env={"LEROBOT_FUZZ": "1000000"})


@nox.session(default=False)
def peer(session: nox.Session) -> None:
    """Against lerobot 0.6.1 itself: its drivers on our virtual buses, its datasets in our reader and ours in its.

    LEROBOT_PEER_PYTHON names a Python that has it; without that it is installed first, about 6 GB.
    """
    python = os.environ.get("LEROBOT_PEER_PYTHON") or _install_peer(session)
    owners = [each for each in KNOWN.values() if (each.tests / "peer").exists() and not each.alone]
    if any(each.name in HEAVY for each in owners):
        session.install(TORCH, env=_index())
    wanted = {*LIGHT, *(ours.name for each in owners for ours in closure(each.name, KNOWN).ours)}
    _install(session, [KNOWN[name] for name in KNOWN if name in wanted and not KNOWN[name].alone])
    folders = [str(each.tests / "peer") for each in owners]
    session.run("pytest", "--timeout=600", "-m", "slow or not slow", *folders, env={"LEROBOT_PEER_PYTHON": python})


def _install_peer(session: nox.Session) -> str:
    folder = Path(session.create_tmp(), "peer")
    session.run("uv", "venv", "--python", "3.12", str(folder), external=True)
    wanted = "lerobot[dataset,training,feetech,dynamixel,pusht,pi]==0.6.1"
    session.run("uv", "pip", "install", "--python", str(folder / "bin" / "python"), wanted, external=True)
    return str(folder / "bin" / "python")


@nox.session(default=False)
def minimums(session: nox.Session) -> None:
    """The oldest versions that core and what stands on it without torch say they work with (needs uv)."""
    ours = [KNOWN[name] for name in LIGHT if not KNOWN[name].alone]
    _install(session, ours, resolution="lowest-direct")
    session.install("--upgrade", *TOOLS, env=_index())  # the oldest pytest is nobody's promise
    _pytest(session, *(str(each.tests) for each in ours))


@nox.session(default=False)
def startup(session: nox.Session) -> None:
    """How long `lr --help` and friends take with every distribution without torch installed; figures, not verdicts."""
    _install(session, [KNOWN[name] for name in LIGHT if not KNOWN[name].alone])
    for name in ("startup.py", "listing.py"):
        session.run("python", str(Path("core", "benchmarks", name)), *session.posargs)


@nox.session(default=False)
def template(session: nox.Session) -> None:
    """`lr plugins new` for every kind that has a template, all of them installed, each judged by its kit."""
    _install(session, [KNOWN["lerobot-core"]])
    kinds = "from lerobot_core.template_maker import BODIES; print(*BODIES)"
    made = []
    shutil.rmtree(session.create_tmp())
    for kind in session.run("python", "-c", kinds, silent=True).split():  # type: ignore[union-attr]
        folder = Path(session.create_tmp(), f"lerobot_{kind}_acme")
        session.run("lr", "plugins", "new", kind, "acme", "--dir", str(folder))
        made.append((kind, str(folder)))
    session.install(*(folder for _, folder in made), str(KNOWN["lerobot-core"].folder), env=_index())
    for kind, _ in made:
        session.run("lr", "plugins", "check", kind, "acme")


def _alone(session: nox.Session, name: str, *first: str) -> None:
    if first:
        session.install(*first, env=_index())
    _install(session, closure(name, KNOWN).ours, tests_of=name)
    origin = str(Path("tests", "architecture", "test_where_ours_came_from.py"))
    _pytest(session, origin, str(KNOWN[name].tests))


def _install(
    session: nox.Session,
    ours: Iterable[Distribution],
    *others: str,
    editable: bool = False,
    tests: bool = True,
    tests_of: str = "",
    resolution: str = "",
) -> None:
    """Install these folders in one command; without `editable` what is tested is the built wheel."""
    arguments: list[str] = []
    for each in ours:
        wanted = each.with_tests if (tests_of in ("", each.name) and tests) else str(each.folder)
        arguments += ["-e", wanted] if editable else [wanted]
        if session.venv_backend == "uv":  # uv keeps wheels of folders, and looks only at their pyproject.toml
            arguments += ["--reinstall-package", each.name]
    if resolution:
        arguments += ["--resolution", resolution]
    session.install(*arguments, *TOOLS, *others, env=_index())


def _pytest(session: nox.Session, *paths: str) -> None:
    tests = [path for path in paths if Path(path).exists()]
    session.run("pytest", "--timeout=180", *(session.posargs or tests), env=_uv(), success_codes=[0, 5])


@functools.cache
def _index() -> dict[str, str]:
    """uv looks for wheels where pip was told to look; told nothing, it takes torch without CUDA (0.2 GB, not 3)."""
    if "UV_FIND_LINKS" in os.environ:
        return {}
    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\.find-links='(.+)'", settings)
    return {"UV_FIND_LINKS": found.group(1)} if found else {"UV_TORCH_BACKEND": "cpu"}


def _uv() -> dict[str, str]:
    """Tests that make environments use the same uv; it is beside nox and not on the session's path."""
    beside = Path(sys.executable).with_name("uv")
    return {"UV": str(beside)} if beside.exists() else {}


if __name__ == "__main__":
    nox.main()
