"""`lr` as a process: what is printed, the exit code, and what was imported on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lerobot_core.cli import verbs
from lerobot_core.cli.group import VerbGroup
from lerobot_core.cli.main import help_text, main
from lerobot_core.config.run import VERBS
from lerobot_core.errors import UserError
from lerobot_core.registry import Registry

HEAVY = {"rich", "numpy", "msgspec", "yaml", "importlib.metadata", "importlib_metadata", "pluggy", "typer"}


def lr(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environ},
        timeout=60,
        check=False,
    )


def imported_by(*argv: str, **environ: str) -> set[str]:
    """The modules of a process that ran `lr ARGV`."""
    code = (
        "import sys, json; from lerobot_core.__main__ import main; code = main(sys.argv[1:]); "
        "sys.stderr.write(json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, env={**os.environ, **environ}, check=True
    )
    exit_code, modules = json.loads(done.stderr)
    assert exit_code == 0, done.stdout
    return {*modules}


def distribution(folder: Path, name: str, entry_points: str, summary: str = "A verb.", requires: bool = True) -> None:
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    need = "Requires-Dist: lerobot-core>=0.1,<0.2\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nSummary: {summary}\n{need}")
    (info / "entry_points.txt").write_text(entry_points)


# --- help -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def core_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "")


@pytest.mark.usefixtures("core_only")
@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_verbs_and_says_what_is_not_installed(
    argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "  rollout           run a policy on a robot\n" in shown.out
    assert "  train             pip install lerobot-train\n" in shown.out
    assert "_complete" not in shown.out


def test_python_m_is_lr() -> None:
    done = lr("rolout")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no verb 'rolout'\n  did you mean 'rollout'?\n"


def test_help_imports_nothing_heavy() -> None:
    modules = imported_by("--help")
    assert not HEAVY & modules
    assert not [
        name for name in modules if name.startswith(("lerobot_core.config", "lerobot_core.run", "lerobot_core.arm"))
    ]
    assert len(modules) < 80, f"{len(modules)} modules"


def test_help_of_a_run_imports_neither_numpy_nor_rich_nor_typer() -> None:
    assert not {"rich", "numpy", "typer", "yaml"} & imported_by("rollout", "--help")


def test_completion_imports_nothing_heavy() -> None:
    assert not HEAVY & imported_by("_complete", "rollout", "--robot", "")


def test_core_verbs_say_the_same_everywhere() -> None:
    rows = {name: row.help for name, row in verbs.VERBS.items()}
    assert {name: rows[name] for name in VERBS} == {name: verb.summary for name, verb in VERBS.items()}


@pytest.mark.parametrize("name", [name for name, row in verbs.VERBS.items()])
def test_every_row_of_the_table_leads_somewhere(name: str) -> None:
    assert callable(verbs.target(verbs.VERBS[name]))


def test_the_typer_group_prints_the_same_help(capsys: pytest.CaptureFixture[str]) -> None:
    registry = Registry(environ={})
    assert VerbGroup(registry).main(["--help"], prog_name="lr", standalone_mode=False) == 0
    assert capsys.readouterr().out == help_text(registry) + "\n"


def test_the_typer_group_passes_a_raw_command_line_through(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(verbs, "target", lambda row: lambda verb, argv: seen.append((verb, [*argv])) or 7)
    words = ["--robot.id=x", "--", "-x", "y", "--no-z"]
    assert VerbGroup(Registry(environ={})).main(["record", *words], prog_name="lr", standalone_mode=False) == 7
    assert seen == [("record", words)]


def test_help_of_a_verb_either_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "record"]) == 0
    first = capsys.readouterr().out
    assert main(["record", "--help"]) == 0
    assert first == capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lerobot-core ")


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "lines"),
    [
        (["rolout"], 2, ["error: there is no verb 'rolout'", "  did you mean 'rollout'?"]),
        (["xyzzy"], 2, ["error: there is no verb 'xyzzy'", "  lr --help lists them"]),
        (["trian"], 2, ["error: there is no verb 'trian'", "  did you mean 'train'?"]),
        (["train", "--steps", "1"], 1, ["error: the verb 'train' is not installed", "  pip install lerobot-train"]),
        (["dataset"], 1, ["error: the verb 'dataset' is not installed", "  pip install lerobot-storage-v3"]),
        (
            ["--robot"],
            2,
            ["error: no verb before --robot", "  options come after the verb", "  lr --help lists the verbs"],
        ),
        (["completion", "csh"], 2, ["error: lr completion wants one of bash, zsh, fish", "  did you mean 'zsh'?"]),
    ],
)
@pytest.mark.usefixtures("core_only")
def test_what_cannot_be_run_is_said_in_a_few_lines(
    argv: list[str], code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()) == ("", lines)


@pytest.mark.parametrize(
    ("argv", "code"), [(["plugins", "lst"], 2), (["plugins", "list", "--jsn"], 2), (["plugins"], 2)]
)
def test_typer_verbs_use_the_same_exit_codes(argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == code
    assert capsys.readouterr().out == ""


# --- verbs of other distributions -----------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Path:
    distribution(
        tmp_path, "acme-verbs", "[lerobot.command]\nacme = acme_verbs:app\nbad = acme_verbs:number\n", "Acme things."
    )
    (tmp_path / "acme_verbs.py").write_text(
        "import typer\napp = typer.Typer()\nnumber = 3\n"
        "@app.command()\ndef go(code: int = 0, crash: bool = False) -> int:\n"
        "    print('went')\n    if crash:\n        raise ZeroDivisionError('by\\nzero')\n    return code\n"
    )
    return tmp_path


def test_a_plugin_verb_is_listed_by_its_summary_without_import(site: Path) -> None:
    assert "  acme              Acme things.\n" in lr("--help", PYTHONPATH=str(site)).stdout
    assert "acme_verbs" not in imported_by("--help", PYTHONPATH=str(site))


def test_a_plugin_verb_runs_and_its_number_is_the_exit_code(site: Path) -> None:
    done = lr("acme", "--code", "5", PYTHONPATH=str(site))
    assert (done.returncode, done.stdout) == (5, "went\n")
    assert lr("acme", PYTHONPATH=str(site)).returncode == 0
    assert lr("acme", "--code", "x", PYTHONPATH=str(site)).returncode == 2
    assert "install-completion" not in lr("acme", "--help", PYTHONPATH=str(site)).stdout


def test_an_entry_that_is_no_typer_app_says_whose_it_is(site: Path) -> None:
    done = lr("bad", PYTHONPATH=str(site))
    assert (done.returncode, done.stderr) == (
        1,
        "error: the verb 'bad' (acme-verbs 1.2) is no Typer app\n  it is a int\n",
    )


def test_a_verb_offered_twice_is_listed_once_and_refused_when_named(site: Path) -> None:
    distribution(site, "other-verbs", "[lerobot.command]\nacme = other:app\nrollout = other:app\n")
    listed = lr("--help", PYTHONPATH=str(site)).stdout
    assert "  acme              offered by acme-verbs and other-verbs: uninstall one\n" in listed
    assert listed.count("  rollout ") == 1, "core's own verbs cannot be replaced"
    done = lr("acme", PYTHONPATH=str(site))
    assert done.returncode == 1
    assert "acme-verbs 1.2 and other-verbs 1.2" in done.stderr


def test_an_unexpected_failure_is_three_lines_and_a_file(site: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = lr("acme", "--crash", PYTHONPATH=str(site), TMPDIR=str(temporary))
    first, second, third = done.stderr.splitlines()
    assert done.returncode == 1
    assert first == "error: lr acme failed unexpectedly: ZeroDivisionError: by zero"
    assert second.startswith("  in ")
    assert "acme_verbs.py:8" in second
    written = Path(third.removeprefix("  the full traceback is in "))
    assert written.parent == temporary
    assert "Traceback (most recent call last)" in written.read_text()


def test_debugging_shows_the_traceback(site: Path) -> None:
    done = lr("acme", "--crash", PYTHONPATH=str(site), LEROBOT_DEBUG="1")
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("error: lr acme failed unexpectedly: ZeroDivisionError: by zero\n")


# --- around it ------------------------------------------------------------------------------------------------------


def test_a_closed_pipe_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (UserError("what", "why", "fix"), 1, "error: what\n  why\n  fix\n"),
        (BrokenPipeError(), 1, ""),
        (
            FileNotFoundError(2, "No such file or directory", "/proc/x"),
            1,
            "error: /proc/x cannot be used\n  No such file or directory\n  check the path\n",
        ),
        (
            OSError(28, "No space left on device", "x"),
            1,
            "error: x cannot be used\n  No space left on device\n  free some space\n",
        ),
    ],
)
def test_what_a_verb_raises_becomes_an_exit_code(
    raised: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(verb: str, argv: list[str]) -> int:
        raise raised

    monkeypatch.setattr(verbs, "target", lambda row: fail)
    assert main(["doctor"]) == code
    assert capfd.readouterr().err == told


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (UserError("what", "why", "fix"), {"reason": "what", "why": "why", "fix": "fix"}),
        (RuntimeError("bug"), {"reason": "RuntimeError: bug", "why": "", "fix": ""}),
    ],
)
def test_a_failure_is_an_object_where_a_program_reads(
    raised: Exception, told: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(verb: str, argv: list[str]) -> int:
        raise raised

    monkeypatch.setattr(verbs, "target", lambda row: fail)
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "verb": "doctor", "outcome": "failed", **told}


def test_a_verb_that_has_reported_is_not_reported_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(verb: str, argv: list[str]) -> int:
        print("{}")
        error = UserError("what")
        error.reported = True
        raise error

    monkeypatch.setattr(verbs, "target", lambda row: fail)
    assert main(["doctor", "--json"]) == 1
    assert capsys.readouterr().out == "{}\n"


# --- completion -----------------------------------------------------------------------------------------------------


def complete(*words: str, site: Path | None = None) -> list[str]:
    from lerobot_core.cli.completion import candidates

    return candidates(
        words, Registry(paths=[str(site), *sys.path] if site else None, environ={"LEROBOT_PLUGINS": "acme-verbs"})
    )


def test_completion_of_verbs_options_and_names(site: Path) -> None:
    assert complete("re") == ["record", "replay"]
    assert complete("ac", site=site) == ["acme"]
    assert complete("rollout", "--rob") == ["--robot"]
    assert complete("rollout", "--camera") == ["--camera."]
    assert "--dataset" not in complete("teleoperate", "--")
    assert complete("rollout", "--robot", "fake") == ["fake", "fake_rig"]
    assert complete("rollout", "--robot.type", "fake_") == ["fake_rig"]
    assert complete("rollout", "--camera.front", "") == ["fake"]
    assert complete("rollout", "--camera.front.type", "") == ["fake"]
    assert complete("rollout", "--camera", "") == ["fake"]
    assert complete("rollout", "--on-exit", "") == ["hold", "park"]
    assert complete("rollout", "--robot=fake_") == ["--robot=fake_rig"]
    assert complete("rollout", "--robot", "=", "fake_") == ["fake_rig"]
    assert complete("rollout", "--robot", "=") == ["fake", "fake_rig"]
    assert complete("plugins", "show", "bu") == ["bus"]
    assert complete("plugins", "show", "bus", "") == ["fake"]
    assert complete("completion", "") == ["bash", "fish", "zsh"]
    assert complete("rollout", "--nonsense", "") == complete("acme", "", site=site) == []


def test_bash_completes_through_the_script() -> None:
    script = """
        eval "$(lr completion bash)"
        COMP_WORDS=(lr rollout --robot = fake_) COMP_CWORD=4; _lr; echo "${COMPREPLY[@]}"
        COMP_WORDS=(lr rep) COMP_CWORD=1; _lr; echo "${COMPREPLY[@]}"
        COMP_WORDS=(lr plugins "") COMP_CWORD=2; _lr; echo "${COMPREPLY[@]}"
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env={**os.environ, "PATH": path}, check=True
    )
    assert done.stdout.splitlines() == ["fake_rig", "replay", "check list new show"]
