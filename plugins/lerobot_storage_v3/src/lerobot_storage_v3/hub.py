"""Publishing a dataset and fetching one. Only explicit verbs come here; recording never does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from lerobot_core.errors import StorageError, UsageError
from packaging.version import InvalidVersion, Version

from . import layout

DEFAULT_ENDPOINT = "https://huggingface.co"
# What a dataset consists of: anything else in a remote repository is somebody's own and stays.
_OURS = ("data/", "meta/", "videos/")
_LEFT_OUT = ("images", "damaged")
_PARTIAL = Path(".cache") / "huggingface"


def endpoint() -> str:
    """`$HF_ENDPOINT`, else the public Hub."""
    return os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT


def _api() -> HfApi:
    return HfApi(endpoint=endpoint(), library_name="lerobot-storage-v3")


def check_repo_id(repo_id: str) -> None:
    """Refuse anything but `org/name`.

    Raises:
        UsageError: saying what a name may consist of.
    """
    if not layout.is_repo_id(repo_id):
        raise UsageError(
            f"{repo_id!r} is no repository id",
            "it is ORG/NAME: letters, digits, '-', '_' and '.', each at most 95 long, no '--' or '..'",
            "for example: lr dataset push PATH --repo-id my-lab/cube-in-bin",
        )


@dataclass(frozen=True)
class Push:
    """What a push would do.

    Attributes:
        files: path in the repository -> local file.
        card: the README to add; None when the dataset has its own.
    """

    repo_id: str
    private: bool
    version: str
    files: dict[str, Path]
    card: bytes | None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files.values()) + len(self.card or b"")

    @property
    def url(self) -> str:
        """Where it will be."""
        return f"{endpoint()}/datasets/{self.repo_id}"


def plan_push(root: Path, repo_id: str, private: bool = True) -> Push:
    """Decide what would be pushed, without a network.

    Raises:
        UsageError: an invalid repository id.
        StorageError: no dataset, or one without episodes.
    """
    check_repo_id(repo_id)
    info = layout.read_info(root)
    if info.total_episodes == 0:
        raise StorageError(
            f"{root} has no episodes", "there is nothing to push", f"lr record --dataset.root {root} --resume"
        )
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if _belongs(path, root)}
    card = None if "README.md" in files else _card(repo_id, info)
    return Push(repo_id, private, info.codebase_version, files, card)


def _belongs(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return path.is_file() and parts[0] not in _LEFT_OUT and not any(part.startswith(".") for part in parts)


def _card(repo_id: str, info: layout.Info) -> bytes:
    cameras = ", ".join(info.image_keys) or "none"
    return f"""---
license: apache-2.0
task_categories:
- robotics
tags:
- LeRobot
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# {repo_id.split("/")[1]}

A robot dataset in the LeRobotDataset {info.codebase_version} format.

| | |
|---|---|
| robot | {info.robot_type or "unknown"} |
| episodes | {info.total_episodes} |
| frames | {info.total_frames} at {info.fps} a second |
| cameras | {cameras} |

Fetch it: `lr dataset pull {repo_id} --root PATH`
""".encode()


def push(root: Path, repo_id: str, private: bool = True, dry_run: bool = False) -> Push:
    """Publish a dataset, private unless told otherwise, in one commit, and move its version tag.

    Stopped half-way, nothing is visible yet; run again, what was uploaded is not sent again. Files of the remote
    dataset that are no longer part of it (after an edit or a compaction) are removed.

    Raises:
        UsageError: an invalid repository id.
        StorageError: nothing to push, no network, no permission.
    """
    plan = plan_push(root, repo_id, private)
    if dry_run:
        return plan
    api = _api()
    with _explained(repo_id, f"lr dataset push {root} --repo-id {repo_id}"):
        api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        adds = [CommitOperationAdd(name, path) for name, path in plan.files.items()]
        if plan.card is not None:
            adds.append(CommitOperationAdd("README.md", plan.card))
        there = api.list_repo_files(repo_id, repo_type="dataset")
        stale = [name for name in there if name.startswith(_OURS) and name not in plan.files]
        message = f"Upload {layout.read_info(root).total_episodes} episodes"
        operations: list[CommitOperationAdd | CommitOperationDelete] = [*adds, *map(CommitOperationDelete, stale)]
        commit = api.create_commit(repo_id, operations, commit_message=message, repo_type="dataset")
        _move_tag(api, repo_id, plan.version, commit.oid)
    return plan


def _move_tag(api: HfApi, repo_id: str, version: str, commit: str) -> None:
    try:
        api.delete_tag(repo_id, tag=version, repo_type="dataset")
    except HfHubHTTPError as error:
        if error.response.status_code != 404:
            raise
    api.create_tag(repo_id, tag=version, revision=commit, repo_type="dataset")


def pull(repo_id: str, root: Path | None = None, revision: str | None = None) -> Path:
    """Fetch a dataset into a folder; stopped half-way, the same command goes on where it was.

    Args:
        root: default `$HF_LEROBOT_HOME/{repo_id}`.
        revision: branch, tag or commit; default the newest version 3 tag, else `main`.

    Raises:
        UsageError: an invalid repository id.
        StorageError: the folder holds something else, no network, no such dataset, no permission.
    """
    check_repo_id(repo_id)
    target = root or layout.default_root(repo_id, os.environ)
    if target.is_dir() and any(target.iterdir()) and not (target / _PARTIAL).is_dir():
        raise StorageError(
            f"{target} is not empty", "nothing is overwritten", "give another --root, or delete it first"
        )
    _download(repo_id, revision, local_dir=target)
    # The peer takes this folder for an old kind of mirror and would fetch the metadata again at every start.
    shutil.rmtree(target / ".cache", ignore_errors=True)
    return target


def fetch(repo_id: str, revision: str | None = None) -> Path:
    """The dataset's folder in the cache, downloaded if needed: `$HF_LEROBOT_HOME/hub`, shared with the peer.

    Raises:
        StorageError: no network and not in the cache, no such dataset, no permission.
    """
    check_repo_id(repo_id)
    return _download(repo_id, revision, cache_dir=layout.default_root("hub", os.environ))


def _download(repo_id: str, revision: str | None, local_dir: Path | None = None, cache_dir: Path | None = None) -> Path:
    with _explained(repo_id, f"lr dataset pull {repo_id}"):
        found = snapshot_download(
            repo_id,
            repo_type="dataset",
            revision=revision or _newest(repo_id, offline_ok=cache_dir is not None),
            local_dir=local_dir,
            cache_dir=cache_dir,
            endpoint=endpoint(),
        )
    return Path(str(found))


def _newest(repo_id: str, offline_ok: bool) -> str:
    try:
        refs = _api().list_repo_refs(repo_id, repo_type="dataset")
    except Exception as error:
        if offline_ok and _unreachable(error):
            # The cache knows the tag by name; snapshot_download says so when it does not.
            return layout.VERSION
        raise
    found = {name: _version(name) for name in (ref.name for ref in (*refs.tags, *refs.branches))}
    ours = {name: version for name, version in found.items() if version is not None and version.major == 3}
    return max(ours, key=lambda name: ours[name]) if ours else "main"


def _version(name: str) -> Version | None:
    try:
        return Version(name)
    except InvalidVersion:
        return None


def _unreachable(error: BaseException) -> bool:
    # The transport library changed with the Hub client's major version; its errors share no base class.
    library = type(error).__module__.split(".")[0]
    offline = isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError | ConnectionError)
    return offline or (library in ("httpx", "httpx2", "requests", "urllib3") and not isinstance(error, HfHubHTTPError))


@contextmanager
def _explained(repo_id: str, again: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # An upload thread's error arrives wrapped.
        for cause in (error, error.__cause__):
            if explained := _explain(repo_id, cause, again):
                raise explained from error
        raise


def _explain(repo_id: str, error: BaseException | None, again: str) -> StorageError | None:
    if isinstance(error, RepositoryNotFoundError):
        why = f"{endpoint()} has none by that name, or it is private and the token may not see it"
        return StorageError(f"no dataset {repo_id}", why, "check the name, or: hf auth login")
    if isinstance(error, HfHubHTTPError):
        return _refused(repo_id, error, again)
    if error is not None and _unreachable(error):
        return StorageError(f"cannot reach {endpoint()}", _first_line(error), f"when the network is back: {again}")
    return None


def _refused(repo_id: str, error: HfHubHTTPError, again: str) -> StorageError:
    status = error.response.status_code
    if status == 401:
        return StorageError(
            "the Hub does not accept the token", "it is missing, wrong or expired", "hf auth login, or set HF_TOKEN"
        )
    if status == 403:
        why = "the token may not do this to it"
        return StorageError(f"no permission for {repo_id}", why, "use a token with write access: hf auth login")
    return StorageError(f"{endpoint()} answered {status}", _first_line(error), f"try again: {again}")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
