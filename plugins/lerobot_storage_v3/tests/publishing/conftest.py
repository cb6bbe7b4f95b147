"""A Hub on this machine: the part of its interface that pushing and pulling a dataset needs, kept in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import pytest

TOKEN = "hf_good"
GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "pusht"
Tree = dict[str, bytes]


@dataclass
class Repo:
    """One repository: trees by commit, and what points at them."""

    private: bool
    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, tree: Tree) -> str:
        sha = hashlib.sha1(repr(sorted((name, len(data)) for name, data in tree.items())).encode()).hexdigest()
        self.commits[sha] = tree
        self.branches["main"] = sha
        return sha

    def find(self, revision: str) -> str | None:
        sha = self.branches.get(revision) or self.tags.get(revision) or revision
        return sha if sha in self.commits else None


@dataclass
class Hub:
    """What is stored, and what to do wrong.

    Attributes:
        uploads: sizes of the objects that were sent.
        downloads: the files that were fetched.
        withheld: files that are not given out.
        die_after: refuse uploads after so many objects.
    """

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: list[int] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    withheld: set[str] = field(default_factory=set)
    die_after: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tree(self, repo: str, revision: str = "main") -> Tree:
        found = self.repos[repo]
        sha = found.find(revision)
        assert sha is not None
        return found.commits[sha]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._route(
            (r"/api/datasets/([^/]+/[^/]+)/refs", self._refs),
            (r"/api/datasets/([^/]+/[^/]+)/revision/([^/]+)", self._revision),
            (r"/api/datasets/([^/]+/[^/]+)()", self._revision),
            (r"/api/datasets/([^/]+/[^/]+)/tree/([^/]+)/?", self._tree),
            (r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._file),
        )

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._route(
            (r"/api/repos/create", self._create),
            (r"/api/validate-yaml", self._card),
            (r"/api/datasets/([^/]+/[^/]+)/preupload/main", self._preupload),
            (r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch", self._batch),
            (r"/api/datasets/([^/]+/[^/]+)/commit/main", self._commit),
            (r"/api/datasets/([^/]+/[^/]+)/tag/([^/]+)", self._tag),
        )

    def do_PUT(self) -> None:
        self._body = self.rfile.read(int(self.headers["Content-Length"]))
        self._route((r"/lfs/([0-9a-f]+)", self._put))

    def do_DELETE(self) -> None:
        self._route((r"/api/datasets/([^/]+/[^/]+)/tag/([^/]+)", self._untag))

    def _route(self, *routes: tuple[str, Callable[..., None]]) -> None:
        path = urlsplit(self.path).path
        for pattern, act in routes:
            match = re.fullmatch(pattern, path)
            if match:
                act(*(unquote(group) for group in match.groups()))
                return
        self._error(404, "EntryNotFound")

    def _send(self, status: int, value: Any = None, headers: dict[str, str] | None = None, data: bytes = b"") -> None:
        data = json.dumps(value).encode() if value is not None else data
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _error(self, status: int, code: str) -> None:
        self._send(status, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

    def _allowed(self, repo: str | None, writing: bool = False) -> Repo | None:
        """The repository; None when the request was answered with a refusal."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        found = self.hub.repos.get(repo or "")
        if token not in ("", TOKEN):
            self._send(401, {"error": "Invalid username or password."})
        elif writing and token != TOKEN:
            self._send(403, {"error": "Forbidden"})
        elif found is None or (found.private and token != TOKEN):
            self._error(401 if not token else 404, "RepoNotFound")
        else:
            return found
        return None

    def _create(self) -> None:
        wanted = json.loads(self._body)
        repo = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        if self.hub.repos.get(repo) is None:
            self.hub.repos[repo] = Repo(bool(wanted.get("private") or wanted.get("visibility") == "private"))
            self.hub.repos[repo].commit({".gitattributes": b""})
        if self._allowed(repo, writing=True):
            self._send(200, {"url": f"{self.hub.url}/datasets/{repo}", "name": repo})

    def _card(self) -> None:
        header = json.loads(self._body)["content"].split("---")
        good = len(header) < 3 or "license:" in header[1]
        self._send(200 if good else 400, {"errors": [], "warnings": []})

    def _preupload(self, repo: str) -> None:
        if self._allowed(repo, writing=True):
            files = json.loads(self._body)["files"]
            large = (".parquet", ".mp4")
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(large) else "regular",
                    "shouldIgnore": False,
                }
                for file in files
            ]
            self._send(200, {"files": modes})

    def _batch(self, repo: str) -> None:
        if self._allowed(repo, writing=True) is None:
            return
        answers: list[dict[str, Any]] = []
        for wanted in json.loads(self._body)["objects"]:
            answer: dict[str, Any] = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:
                answer["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}", "header": {}}}
            answers.append(answer)
        self._send(200, {"transfer": "basic", "objects": answers})

    def _put(self, oid: str) -> None:
        assert hashlib.sha256(self._body).hexdigest() == oid
        with self.hub.lock:  # the client sends several at once
            full = self.hub.die_after is not None and len(self.hub.uploads) >= self.hub.die_after
            if not full:
                self.hub.objects[oid] = self._body
                self.hub.uploads.append(len(self._body))
        self._send(400 if full else 200, {"error": "no more"} if full else {})

    def _commit(self, repo: str) -> None:
        found = self._allowed(repo, writing=True)
        if found is None:
            return
        tree = dict(self.hub.tree(repo))
        for line in self._body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                tree[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                tree[value["path"]] = self.hub.objects[value["oid"]]
            elif operation["key"] == "deletedFile":
                del tree[value["path"]]
        sha = found.commit(tree)
        self._send(200, {"commitUrl": f"{self.hub.url}/datasets/{repo}/commit/{sha}", "commitOid": sha})

    def _tag(self, repo: str, revision: str) -> None:
        found = self._allowed(repo, writing=True)
        if found is None:
            return
        name, sha = json.loads(self._body)["tag"], found.find(revision)
        if name in found.tags or sha is None:
            self._error(409, "TagExists")
            return
        found.tags[name] = sha
        self._send(201, {})

    def _untag(self, repo: str, name: str) -> None:
        found = self._allowed(repo, writing=True)
        if found is not None:
            gone = found.tags.pop(name, None)
            self._send(200, {}) if gone else self._error(404, "RevisionNotFound")

    def _refs(self, repo: str) -> None:
        found = self._allowed(repo)
        if found is not None:
            kinds = {"branches": found.branches, "tags": found.tags}
            answer = {
                kind: [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha} for name, sha in refs.items()]
                for kind, refs in kinds.items()
            }
            self._send(200, answer | {"converts": []})

    def _revision(self, repo: str, revision: str) -> None:
        found = self._allowed(repo)
        sha = found and found.find(revision or "main")
        if sha:
            files = [{"rfilename": name} for name in self.hub.tree(repo, sha)]
            self._send(200, {"id": repo, "sha": sha, "private": False, "siblings": files, "tags": [], "downloads": 0})
        elif found:
            self._error(404, "RevisionNotFound")

    def _tree(self, repo: str, revision: str) -> None:
        if self._allowed(repo):
            tree = self.hub.tree(repo, revision)
            rows = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in tree.items()
            ]
            self._send(200, rows)

    def _file(self, repo: str, revision: str, name: str) -> None:
        found = self._allowed(repo)
        sha = found and found.find(revision)
        if not sha or name not in self.hub.tree(repo, sha):
            if found:
                self._error(404, "EntryNotFound")
            return
        data = self.hub.tree(repo, sha)[name]
        headers = {"X-Repo-Commit": sha, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        if self.command == "GET":
            if name in self.hub.withheld:
                self._send(400, {"error": "not now"})
                return
            self.hub.downloads.append(name)
        self._send(200, headers=headers, data=data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A Hub to talk to, logged in; nothing of this machine's own account is seen."""
    state = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": state}))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", state.url)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    # Its own store of chunks is another service; this is the road that works with any server.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset to publish, without the file that is only for tests."""
    import shutil

    root = tmp_path / "pusht"
    shutil.copytree(GOLDEN, root)
    (root / "expected_peer_read.json").unlink()
    return root
