"""Publishing and fetching, against a Hub on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.errors import StorageError, UsageError
from lerobot_storage_v3 import hub as ours
from lerobot_storage_v3 import layout
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.reader import open_reader
from typer.testing import CliRunner

# The Hub's own client warns about itself on the road without its chunk store.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:httpx2")

VIDEO = "videos/observation.image/chunk-000/file-000.mp4"
DATA = "data/chunk-000/file-000.parquet"


def local(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_round_trip(hub: Any, dataset: Path, tmp_path: Path) -> None:
    pushed = ours.push(dataset, "lab/pusht")
    assert pushed.url == f"{hub.url}/datasets/lab/pusht"
    folder = ours.pull("lab/pusht", tmp_path / "back")
    back = local(folder)
    assert b"LeRobot" in back.pop("README.md")
    del back[".gitattributes"]
    assert back == local(dataset)
    assert open_reader(folder).fingerprint == open_reader(dataset).fingerprint


def test_it_is_private_unless_told_otherwise(hub: Any, dataset: Path) -> None:
    ours.push(dataset, "lab/one")
    ours.push(dataset, "lab/two", private=False)
    assert [hub.repos[name].private for name in ("lab/one", "lab/two")] == [True, False]


def test_a_dry_run_sends_nothing(hub: Any, dataset: Path) -> None:
    plan = ours.push(dataset, "lab/pusht", dry_run=True)
    assert VIDEO in plan.files
    assert not hub.repos
    assert not hub.uploads


def test_the_version_tag_moves_with_every_push(hub: Any, dataset: Path) -> None:
    ours.push(dataset, "lab/pusht")
    first = hub.repos["lab/pusht"].tags["v3.0"]
    layout.write_json(dataset / layout.STATS, {})
    ours.push(dataset, "lab/pusht")
    repo = hub.repos["lab/pusht"]
    assert repo.tags["v3.0"] == repo.branches["main"] != first


def test_the_card(hub: Any, dataset: Path) -> None:
    ours.push(dataset, "lab/pusht")
    card = hub.tree("lab/pusht")["README.md"].decode()
    head = card.split("---")[1]
    assert "- LeRobot" in head
    assert "data_files: data/*/*.parquet" in head
    assert "robotics" in head


def test_a_card_of_ones_own_stays(hub: Any, dataset: Path) -> None:
    (dataset / "README.md").write_text("mine")
    ours.push(dataset, "lab/pusht")
    assert hub.tree("lab/pusht")["README.md"] == b"mine"


def test_staging_and_hidden_files_stay_here(hub: Any, dataset: Path) -> None:
    for name in ("images/a/b.png", ".lr/lock", "data/chunk-000/.file.tmp"):
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        (dataset / name).write_text("x")
    ours.push(dataset, "lab/pusht")
    assert not any("images/" in name or "/." in name or ".lr" in name for name in hub.tree("lab/pusht"))


def test_files_that_are_gone_here_go_there(hub: Any, dataset: Path) -> None:
    extra = dataset / "data" / "chunk-000" / "file-001.parquet"
    extra.write_bytes((dataset / DATA).read_bytes())
    (dataset / "notes.txt").write_text("keep me")
    ours.push(dataset, "lab/pusht")
    extra.unlink()
    (dataset / "notes.txt").unlink()
    ours.push(dataset, "lab/pusht")
    tree = hub.tree("lab/pusht")
    assert "data/chunk-000/file-001.parquet" not in tree
    assert tree["notes.txt"] == b"keep me"


def test_a_push_goes_on_where_it_was_stopped(hub: Any, dataset: Path) -> None:
    hub.die_after = 2
    with pytest.raises(StorageError, match="answered 400"):
        ours.push(dataset, "lab/pusht")
    assert list(hub.tree("lab/pusht")) == [".gitattributes"]
    hub.die_after = None
    sent = len(hub.uploads)
    ours.push(dataset, "lab/pusht")
    assert len(hub.uploads) == 4
    assert sent == 2


def test_a_pull_goes_on_where_it_was_stopped(hub: Any, dataset: Path, tmp_path: Path) -> None:
    ours.push(dataset, "lab/pusht")
    hub.withheld.add(VIDEO)
    with pytest.raises(StorageError, match="answered 400") as caught:
        ours.pull("lab/pusht", tmp_path / "back")
    assert "lr dataset pull lab/pusht" in caught.value.fix
    hub.withheld.clear()
    folder = ours.pull("lab/pusht", tmp_path / "back")
    assert sorted(hub.downloads) == sorted(set(hub.downloads))
    assert open_reader(folder).frames(157)["index"] == 157


def test_the_folder_of_a_pull_holds_only_the_dataset(hub: Any, dataset: Path, tmp_path: Path) -> None:
    ours.push(dataset, "lab/pusht")
    folder = ours.pull("lab/pusht", tmp_path / "back")
    assert not (folder / ".cache").exists()


def test_a_pull_overwrites_nothing(hub: Any, dataset: Path) -> None:
    ours.push(dataset, "lab/pusht")
    with pytest.raises(StorageError, match="is not empty"):
        ours.pull("lab/pusht", dataset)


def test_reading_by_name_uses_the_cache(hub: Any, dataset: Path, tmp_path: Path) -> None:
    ours.push(dataset, "lab/pusht")
    reader = open_reader("lab/pusht")
    assert (tmp_path / "home" / "hub") in reader.root.parents
    before = len(hub.downloads)
    assert len(open_reader("lab/pusht")) == 158
    assert len(hub.downloads) == before


def test_the_newest_version_3_is_taken(hub: Any, dataset: Path) -> None:
    ours.push(dataset, "lab/pusht")
    repo = hub.repos["lab/pusht"]
    old = repo.branches["main"]
    repo.tags |= {"v2.1": old, "v4.0": old}
    repo.commit({**hub.tree("lab/pusht"), "meta/info.json": b"{}"})
    assert len(open_reader("lab/pusht")) == 158


def test_no_network(hub: Any, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StorageError) as caught:
        ours.push(dataset, "lab/pusht")
    assert "cannot reach http://127.0.0.1:9" in caught.value.what
    assert caught.value.fix.endswith(f"lr dataset push {dataset} --repo-id lab/pusht")
    with pytest.raises(StorageError, match="cannot reach"):
        open_reader("lab/pusht")


def test_without_network_the_cache_answers(hub: Any, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.push(dataset, "lab/pusht")
    open_reader("lab/pusht")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert len(open_reader("lab/pusht")) == 158


def test_a_bad_token(hub: Any, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_bad")
    with pytest.raises(StorageError) as caught:
        ours.push(dataset, "lab/pusht")
    assert "token" in caught.value.what
    assert "hf auth login" in caught.value.fix


def test_no_right_to_write(hub: Any, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.utils._headers.get_token", lambda: None)
    with pytest.raises(StorageError, match="permission"):
        ours.push(dataset, "lab/pusht")


def test_no_such_dataset(hub: Any, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no dataset lab/nothing"):
        ours.pull("lab/nothing", tmp_path / "back")


@pytest.mark.parametrize("name", ["pusht", "lab/", "../etc/passwd", "lab/a b"])
def test_an_invalid_name(hub: Any, dataset: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no repository id"):
        ours.push(dataset, name)


def test_the_commands(hub: Any, dataset: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    dry = run(app, ["push", str(dataset), "--repo-id", "lab/pusht", "--dry-run"])
    assert "would push 7 files" in dry.stdout
    pushed = json.loads(run(app, ["push", str(dataset), "--repo-id", "lab/pusht", "--json"]).stdout.splitlines()[-1])
    assert pushed["pushed"] is True
    assert pushed["private"] is True
    pulled = run(app, ["pull", "lab/pusht", "--root", str(tmp_path / "back"), "--json"])
    assert json.loads(pulled.stdout.splitlines()[-1])["root"] == str(tmp_path / "back")


def test_a_folder_is_not_taken_for_a_name(hub: Any, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dataset.parent.parent)
    result = CliRunner().invoke(app, ["push", f"{dataset.parent.name}/{dataset.name}"])
    assert isinstance(result.exception, UsageError)
    assert "--repo-id" in str(result.exception)
