"""Every verb as a new user types it: wrong, half, upside down. Each answer says what, why and what to type next.

In this process, so that the whole table takes seconds; the few that need a process of their own are at the end.
"""

from __future__ import annotations

import io
import json
import shlex
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from commands import start, verify

pytest.importorskip("lerobot_sim")
pytest.importorskip("lerobot_storage_v3")
pytest.importorskip("lerobot_train")
pytest.importorskip("lerobot_server")
pytest.importorskip("lerobot_policy_act")
pytest.importorskip("lerobot_robot_koch")
pytest.importorskip("lerobot_inference_remote")

from lerobot_core.cli.main import main

GOLDEN = Path(__file__).parents[1] / "golden" / "pusht"
MOST_LINES = 8

# What is typed | the exit code | what the answer says | what it says to do about it
TABLE = """
lr frobnicate | 2 | no verb 'frobnicate' | lr --help
lr rolout | 2 | no verb 'rolout' | did you mean 'rollout'
lr --robot fake | 2 | options come after the verb | lr --help
lr help nothing | 2 | no verb 'nothing' | lr --help

lr rollout | 2 | needs a robot | add --robot NAME; installed:
lr rollout --robot | 2 | --robot needs a name | installed:
lr rollout --robot fake | 1 | no policy was named | --policy NAME
lr rollout --policy fake | 2 | needs a robot | --robot NAME
lr rollout fake | 2 | belongs to no option | --OPTION fake
lr rollout -r fake | 2 | no option -r | two dashes
lr rollout --robto fake | 2 | no option --robto | did you mean --robot
lr rollout --robot fkae --policy fake | 1 | no robot named 'fkae' | did you mean 'fake'
lr rollout --robot acme --policy fake | 1 | no robot named 'acme' | pip install lerobot-robot-acme
lr rollout --robot fake --policy fake --robot.nothing 1 | 2 | no option --robot.nothing | --help
lr rollout --robot.nothing 1 | 2 | no robot is named | --robot NAME
lr rollout --robot fake --policy fake --strategy sentri | 1 | no strategy named | did you mean 'sentry'
lr rollout --robot fake --policy fake --inference snc | 1 | no inference named | did you mean 'sync'
lr rollout --robot fake --policy fake --operator.x nothing | 1 | no operator named | installed:
lr rollout --robot fake --policy fake --observer.x nothing | 1 | no observer named | installed:
lr rollout --robot fake --policy fake --camera.x nothing | 1 | no camera named | installed:
lr rollout --robot fake --policy fake --strategy sentry | 1 | needs a dataset | --dataset.root FOLDER
lr rollout --robot fake --policy fake --duration | 2 | --duration needs a value | a number
lr rollout --robot fake --policy fake --duration soon | 2 | 'soon' is not a number | >= 0 s
lr rollout --robot fake --policy fake --duration -1 | 2 | out of range | >= 0 s
lr rollout --robot fake --policy fake --duration nan | 2 | not a number | --duration
lr rollout --robot fake --policy fake --fps 0 | 2 | out of range | 0.1..1000 Hz
lr rollout --robot fake --policy fake --fps 1e9 | 2 | out of range | 0.1..1000 Hz
lr rollout --robot fake --policy fake --interpolation 1.5 | 2 | not a whole number | 1..100
lr rollout --robot fake --policy fake --on-exit hodl | 2 | 'hodl' | park, hold
lr rollout --robot fake --policy fake --no-safety=maybe | 2 | --no-safety | takes no value
lr rollout --robot fake --policy fake --world.seed -1 | 2 | out of range | >= 0
lr rollout --robot fake --policy fake --task --duration 1 | 2 | --task needs a value | text
lr rollout --robot fake --policy fake --rename-map a=b | 2 | 'a=b' | {key: value}
lr rollout --robot fake --policy fake --robot.limits {oops | 2 | cannot be read | {key: value}
lr rollout --robot fake --policy fake --teleop scripted | 1 | virtual world only | --robot virtual_so100
lr rollout --robot fake --policy fake --log-file empty | 2 | empty cannot be written | directory
lr rollout --robot virtual_so100 --policy fake --camera.front.width 0 | 2 | out of range | 1..8192 px
lr rollout --robot virtual_so100 --policy fake --camera.front.width 100000 | 2 | out of range | 1..8192 px
lr rollout --robot so100 --policy fake | 2 | missing option: --robot.port | or sim
lr rollout --robot so100 --robot.port /dev/ttyNOPE --policy fake | 1 | no port /dev/ttyNOPE | lr find ports
lr rollout --robot so100 --robot.port empty --policy fake | 1 | it is a folder | lr find ports
lr rollout --robot so100 --robot.port file --policy fake | 1 | it is a file | lr find ports
lr rollout --robot koch --robot.port /dev/null --policy fake | 1 | not a serial port | lr find ports
lr rollout --robot fake --policy ac | 1 | no policy named 'ac' | did you mean 'act'
lr rollout --robot fake --policy /no/such/folder | 2 | no folder /no/such/folder | check the path
lr rollout --robot fake --policy ./nowhere | 2 | no folder ./nowhere | check the path
lr rollout --robot fake --policy file | 2 | file is a file | name the folder
lr rollout --robot fake --policy empty | 2 | no policy checkpoint | name a checkpoint's folder
lr rollout --robot fake --policy dataset | 2 | is a dataset, not a policy | --dataset.root dataset
lr rollout --robot fake --policy act | 2 | no checkpoint was named | --policy FOLDER
lr rollout --robot fake --policy replay | 2 | missing option: --policy.dataset | dataset to play
lr rollout --robot fake --policy replay --policy.dataset nowhere | 1 | no dataset at nowhere | check the path
lr rollout --robot fake --policy replay --policy.dataset dataset | 1 | names differ | --rename-map
lr rollout --robot fake --inference remote --inference.connect nonsense | 2 | no endpoint | tcp/127.0.0.1:7447
lr rollout --robot fake --inference remote --inference.connect tcp/a:99999 | 2 | up to 65535 | tcp/127.0.0.1:7447
lr rollout --robot fake --policy fake --config nowhere.toml | 2 | no such file | looked in
lr rollout --robot fake --policy fake --config bad.toml | 2 | not well-formed TOML | Invalid value
lr rollout --robot fake --policy fake --config bad.yaml | 2 | not well-formed YAML | line
lr rollout --robot fake --policy fake --config bad.json | 2 | not well-formed JSON | line
lr rollout --robot fake --policy fake --config bytes.yaml | 2 | not UTF-8 text | bytes.yaml
lr rollout --robot fake --policy fake --config list.json | 2 | holds no options | expected sections
lr rollout --robot fake --policy fake --config file | 2 | unknown kind of file | .toml, .yaml
lr rollout --config unknown.yaml --policy fake | 2 | no option robt in config unknown.yaml | did you mean --robot
lr rollout --rig nowhere.toml --policy fake | 2 | no such file | looked in
lr rollout --config | 2 | needs a file | --config FILE

lr teleoperate --robot fake | 1 | needs a teleoperator | --teleop NAME
lr teleoperate --robot fake --teleop fake --dataset.root x | 2 | no option --dataset.root here | another verb
lr record --robot fake | 1 | needs a teleoperator | --dataset.root FOLDER
lr record --robot fake --teleop fake | 1 | needs a dataset | --dataset.root FOLDER
lr record --robot fake --teleop fake --policy fake | 2 | no option --policy here | another verb
lr record --robot fake --teleop fake --dataset.root x --dataset.num-episodes 0 | 2 | out of range | >= 1
lr record --robot fake --teleop fake --dataset.root x --dataset.codec mpeg9 | 1 | no codec 'mpeg9' | auto|h264
lr record --robot fake --teleop fake --dataset.root file | 1 | no folder | another --dataset.root
lr record --robot fake --teleop fake --dataset.root dataset | 1 | exists and is not empty | --resume
lr record --robot fake --teleop fake --dataset.root dataset --resume | 1 | recorded with pusht | another --dataset.root
lr record --robot fake --teleop fake --dataset.root nowhere --resume | 1 | no dataset at nowhere | check the path
lr record --robot fake --teleop fake --dataset.root /proc/x | 1 | no dataset can be made | another --dataset.root
lr record --robot fake --teleop fake --dataset.root x --dataset.push-to-hub | 2 | never publishes | lr dataset push
lr record --robot fake --teleop so100_leader --dataset.root x | 2 | missing option: --teleop.port | or sim
lr replay --robot fake | 1 | nothing to replay | --dataset FOLDER
lr replay --robot fake --dataset nowhere | 1 | no dataset at nowhere | check the path
lr replay --robot fake --dataset dataset | 1 | actions are not this robot's | x, y
lr replay --robot fake --dataset dataset --episode 99 | 1 | no episode 99 | --episode 3

lr calibrate | 2 | wants a device | --robot NAME
lr calibrate --robot fake | 1 | a person is needed | in a terminal
lr calibrate --robot so100 --robot.port /dev/ttyNOPE | 1 | no port /dev/ttyNOPE | lr find ports
lr calibrate --robot so100 --robot.port sim --robot.calibration-dir /proc/x --yes | 1 | cannot be saved | --robot.calibration-dir
lr calibrate --robot so100 --robot.port sim --robot.calibration-dir file --yes | 1 | cannot be saved | --robot.calibration-dir
lr calibrate --robot so100 --robot.port sim --robot.id ../x --yes | 1 | no id of a robot | a plain word
lr calibrate --robot virtual_so100 --yes | 2 | virtual_so100 is calibrated | --robot.calibration-dir
lr calibrate --teleop scripted | 2 | nothing to calibrate | leave lr calibrate out
lr calibrate --robot fake --teleop fake | 2 | one device at a time | --teleop NAME
lr setup-motors | 2 | wants a device | --robot NAME
lr setup-motors --robot fake | 2 | no motors | leave lr setup-motors out
lr setup-motors --robot so100 --robot.port sim | 1 | a person is needed | in a terminal
lr find nothing | 2 | cannot look for 'nothing' | lr find cameras
lr find teleops | 2 | cannot look for 'teleops' | did you mean 'teleoperators'
lr find joint-limits | 2 | wants an arm | --robot NAME
lr import-lerobot --home nowhere | 1 | nothing of LeRobot's | --home DIR
lr doctor extra | 2 | belongs to no option | --OPTION extra
lr doctor --robot nothing | 1 | no robot named | installed:
lr doctor --rig nowhere.toml | 2 | no such file | looked in
lr completion | 2 | bash, zsh, fish | lr completion bash
lr completion bsh | 2 | bash, zsh, fish | did you mean 'bash'

lr plugins lst | 2 | No such command 'lst' | Did you mean 'list'
lr plugins list robots | 2 | no kind of plugin 'robots' | did you mean 'robot'
lr plugins show robot nothing | 1 | no robot named | pip install lerobot-robot-nothing
lr plugins show | 2 | Missing argument | --help
lr plugins check | 2 | Missing argument | --help
lr plugins check robot | 2 | wants the name of a robot | lr plugins check robot NAME
lr plugins check fkae | 2 | no plugin of any kind | did you mean 'fake'
lr plugins check robot a b | 2 | one plugin at a time | lr plugins check robot a
lr plugins new robt acme | 2 | no kind to make | did you mean 'robot'
lr plugins new robot Acme-1 | 2 | no plugin name | lr plugins new robot acme
lr plugins new robot acme --dir file | 2 | already there | --dir
lr plugins new robot acme --dir /proc/x | 2 | cannot be written | --dir

lr train | 2 | needs an output dir | --output-dir FOLDER
lr train --policy act --dataset nowhere --output-dir t | 1 | no dataset at nowhere | check the path
lr train --policy act --dataset empty --output-dir t | 1 | not a dataset | meta/
lr train --policy fkae --dataset dataset --output-dir t | 1 | no policy named | did you mean 'fake'
lr train --policy dataset --dataset dataset --output-dir t | 2 | is a dataset, not a policy | --dataset.root
lr train --policy replay --policy.dataset dataset --dataset dataset --output-dir t | 1 | no network | --policy act
lr train --policy act --dataset dataset --output-dir file | 2 | cannot be written | another --output-dir
lr train --policy act --dataset dataset --output-dir /proc/x | 2 | cannot be written | another --output-dir
lr train --policy act --dataset dataset --output-dir dataset | 2 | dataset is a dataset | another --output-dir
lr train --policy act --dataset dataset --output-dir t --steps 0 | 2 | out of range | >= 1
lr train --policy act --dataset dataset --output-dir t --batch-size lots | 2 | not a whole number | >= 1
lr train --policy act --dataset dataset --output-dir t --optimizer.type adamm | 2 | 'adamm' | adamw, adam, sgd
lr train --policy act --dataset dataset --output-dir t --dataset.episodes 0,99 | 2 | no episode 99 | 0 to 3
lr train --policy act --dataset dataset --output-dir t --dataset.resize big | 2 | no size | 120x160
lr train --policy act --dataset dataset --output-dir t --policy.device tpu | 2 | no device 'tpu' | cpu, cuda
lr train --policy act --dataset dataset --output-dir t --policy.n-action-steps 200 | 2 | a chunk has 100 | at most 100
lr train --resume | 2 | resume what | --output-dir FOLDER
lr train --resume --output-dir empty | 2 | nothing to resume in empty | another --output-dir
lr eval --policy fake | 2 | an env or a robot | --env NAME
lr eval --env fake | 2 | needs a policy | --policy NAME
lr eval --policy fake --env fake --robot fake | 2 | both | --env NAME
lr eval --policy fake --env fkae | 1 | no env named | did you mean 'fake'
lr eval --policy fake --env fake --episodes 0 | 2 | out of range | >= 1
lr eval --policy fake --env fake --output-dir file | 2 | cannot be written | another --output-dir
lr eval --policy fake --robot fake --output-dir /proc/x | 2 | cannot be written | another --output-dir

lr serve | 2 | no policy was named | --policy NAME
lr serve --policy fkae | 1 | no policy named | did you mean 'fake'
lr serve --policy fake --listen nonsense | 2 | no endpoint | tcp/127.0.0.1:7447
lr serve --policy fake --listen tcp/127.0.0.1:99999 | 2 | up to 65535 | tcp/127.0.0.1:7447
lr serve --policy fake --listen tcp/0.0.0.0:7447 | 2 | leaves this machine without TLS | lr serve --init-tls
lr serve --policy fake --listen tls/0.0.0.0:7447 | 2 | needs certificates | --tls FOLDER
lr serve --policy fake --listen tls/0.0.0.0:7447 --tls empty | 2 | no certificates | lr serve --init-tls
lr serve --policy fake --audit-log /proc/x | 2 | cannot be written | --audit-log
lr serve --policy fake --max-robots 0 | 2 | out of range | >= 1
lr serve --init-tls file | 2 | cannot be used | another folder
lr serve status --health-port 1 | 1 | no server answers | --health-port
lr serve fake | 2 | belongs to no option | --OPTION fake
lr router --listen none | 2 | has to listen | --listen
lr router --listen tcp/0.0.0.0:7447 | 2 | leaves this machine without TLS | --insecure
lr router --policy fake | 2 | no option --policy | --help

lr dataset infoo dataset | 2 | No such command | Did you mean 'info'
lr dataset info | 2 | Missing argument 'DATASET' | --help
lr dataset info nowhere | 1 | no dataset at nowhere | lr dataset pull
lr dataset info file | 1 | file is not a dataset | meta/
lr dataset info dataset --jsn | 2 | No such option: --jsn | --json
lr dataset show dataset --episode 99 | 2 | no episode 99 | 0 to 3
lr dataset show dataset --html /proc/x.html | 1 | /proc/x.html cannot be used | check the path
lr dataset show dataset --html empty | 1 | empty cannot be used | check the path
lr dataset repair empty | 1 | empty is not a dataset | meta/
lr dataset stats dataset --feature x | 2 | no statistics on 'x' | action
lr dataset push dataset | 2 | push where | --repo-id ORG/NAME
lr dataset push dataset --repo-id nonsense | 2 | no repository id | ORG/NAME
lr dataset pull nonsense | 2 | no repository id | ORG/NAME
lr dataset delete dataset | 2 | Missing option '--episodes' | --help
lr dataset delete dataset --episodes 0-3 --to x | 1 | no episode would be left | delete the folder
lr dataset delete dataset --episodes a --to x | 2 | 'a' is no episode | 3,7-9
lr dataset delete dataset --episodes 0 --to full | 1 | full exists | another folder
lr dataset delete dataset --episodes 0 --to /proc/x | 1 | cannot be used | check the path
lr dataset split dataset --into train | 2 | 'train' is no part | train=0.8
lr dataset split dataset --into a=0.8 --into b=0.8 | 2 | add up to 1.6 | at most 1
lr dataset merge x dataset | 2 | nothing to merge | lr dataset merge x A B
lr dataset add-feature dataset x | 2 | which values | --values and --constant
lr dataset add-feature dataset x --values file --to x | 2 | cannot read values from file | np.save
lr dataset add-feature dataset x --constant 1 --dtype float99 --to x | 2 | no dtype 'float99' | --dtype float32
lr dataset remove-feature dataset nothing --to x | 2 | no feature 'nothing' | 'nothing'
lr dataset modify-tasks dataset --replace a --to x | 2 | no replacement | OLD=NEW
lr dataset reencode dataset --codec mpeg9 --to x | 1 | no codec 'mpeg9' | auto|h264
lr dataset reencode dataset --crf -5 --to x | 2 | --crf | 0<=x<=63
lr dataset reencode dataset --gop 0 --to x | 2 | --gop | x>=1
lr dataset images-to-video dataset --to x | 2 | keeps no pictures | nothing to convert
lr dataset convert dataset | 1 | v3.0 | only v2.0 and v2.1
"""


def rows() -> list[Any]:
    """The table as parameters; the words of a cell may hold a bar where no space is around it."""
    found = []
    for line in filter(None, map(str.strip, TABLE.splitlines())):
        typed, code, what, fix = (cell.strip() for cell in line.split(" | "))
        found.append(pytest.param(typed, int(code), what, fix, id=typed))
    return found


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real one that a command gone wrong may spoil."""
    return Path(shutil.copytree(GOLDEN, tmp_path_factory.mktemp("pusht") / "dataset"))


@pytest.fixture(autouse=True)
def bench(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything that can be confused, a home of one's own, nobody at the keyboard."""
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "dataset").symlink_to(dataset)
    (tmp_path / "bad.toml").write_text("robot =")
    (tmp_path / "bad.yaml").write_text("robot: [unclosed")
    (tmp_path / "bad.json").write_text('{"robot": ')
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "unknown.yaml").write_text("robt: fake")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("HF_HOME", "HF_LEROBOT_HOME", "HF_LEROBOT_CALIBRATION", "XDG_CACHE_HOME", "LEROBOT_RIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path


@pytest.mark.parametrize(("typed", "code", "what", "fix"), rows())
def test_a_wrong_command(typed: str, code: int, what: str, fix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(typed)[1:]) == code
    shown = capsys.readouterr()
    assert what in shown.err
    assert fix in shown.err
    assert "Traceback" not in shown.err
    assert "unexpectedly" not in shown.err
    assert len(shown.err.splitlines()) <= MOST_LINES
    assert shown.out in ("", "failed before the first step: the robot was sent nothing\n")


@pytest.mark.parametrize(
    "typed",
    [
        "lr rollout --robot fkae --policy fake --json",
        "lr rollout --robot fake --policy fake --fps 0 --json",
        "lr record --robot so100 --robot.port /dev/ttyNOPE --teleop fake --dataset.root x --json",
        "lr train --policy act --dataset nowhere --output-dir t --json",
        "lr eval --policy fake --env fake --output-dir file --json",
        "lr serve --policy fake --listen nonsense --json",
        "lr calibrate --teleop scripted --json",
        "lr dataset info nowhere --json",
        "lr dataset delete dataset --episodes 0 --to /proc/x --json",
    ],
)
def test_an_error_is_an_object_too(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(typed)[1:]) in (1, 2)
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["outcome"], told["verb"]) == ("failed", typed.split()[1])
    assert told["reason"]


@pytest.mark.parametrize("verb", ["plugins", "dataset"])
def test_a_verb_of_verbs_lists_them(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_help_says_what_each_verb_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out.splitlines()
    listed = shown[shown.index("verbs") + 1 :]
    told = [line[len("  calibrate") :].strip() for line in listed[: listed.index("")]]
    assert len(set(told)) == len(told)
    assert max(map(len, shown)) <= 80


def test_what_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEROBOT_PLUGINS", "lerobot-core")
    assert main(["train", "--policy", "act"]) == 1
    assert "pip install lerobot-train" in capsys.readouterr().err
    assert main([]) == 0
    assert "pip install lerobot-storage-v3" in capsys.readouterr().out


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOME", "/proc/nowhere")
    assert main(["rollout", "--robot", "fake", "--policy", "fake", "--duration", "0.2"]) == 0
    assert "run.json could not be written" in capsys.readouterr().err
    assert main(["calibrate", "--robot", "so100", "--robot.port", "sim", "--yes"]) == 1
    assert "cannot be saved" in capsys.readouterr().err


def test_the_last_episode_of_a_run_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--dataset.root", "x", "--task", "x", "--duration", "0.5"]
    assert main(["record", "--robot", "fake", "--teleop", "fake", *where]) == 0
    assert "episode 1 saved\n" in capsys.readouterr().err


# --- processes ---------------------------------------------------------------------------------------------------------


def test_whoever_reads_the_first_line_only() -> None:
    process = start("plugins", "list")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=60) in (0, 1)


def test_ctrl_c_keeps_what_was_recorded(bench: Path) -> None:
    process = start("record", "--robot", "fake", "--teleop", "fake", "--dataset.root", "x", "--task", "x", "--json")
    try:
        assert process.stderr is not None
        while "recording" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    summary = json.loads(out.splitlines()[-1])
    assert (process.returncode, summary["outcome"], summary["reason"]) == (0, "stopped", "SIGINT"), err
    assert summary["dataset"]["frames"] > 0
    assert "Traceback" not in err
    verify(bench / "x")
