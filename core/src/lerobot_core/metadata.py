"""Which plugins are installed, read from metadata folders with one `os.scandir` per path entry and nothing imported.

`importlib.metadata` would cost 38 ms of imports and, with 1000 distributions, 97 ms to name them; this reads
`entry_points.txt` in the same folders. It sees every folder that pip, uv and editable installs write; it does not look
inside zip archives.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .kinds import KINDS

CORE = "lerobot-core"
_PREFIX = "lerobot."
_SUFFIXES = (".dist-info", ".egg-info")


class Entry(NamedTuple):
    """One name that a distribution offers.

    Attributes:
        kind: a row of `KINDS`.
        name: what is typed.
        value: the module that answers for it (`pkg.plugin`); for a command `module:app`.
        distribution: its normalised name (`lerobot-robot-so100`).
        version: the distribution's.
        folder: its metadata folder.
    """

    kind: str
    name: str
    value: str
    distribution: str
    version: str
    folder: str

    @property
    def label(self) -> str:
        """Distribution and version, as messages name them."""
        return f"{self.distribution} {self.version}"

    @property
    def origin(self) -> str:
        """The folder it is installed in; of an editable install, its source folder."""
        return _source(self.folder) or os.path.abspath(os.path.dirname(self.folder))

    @property
    def summary(self) -> str:
        """The distribution's one-line description, "" without one."""
        return "".join(_headers(self.folder, "Summary")[:1])

    @property
    def requires(self) -> list[str]:
        """The distribution's requirements as PEP 508 lines; an old egg folder keeps them in a file of their own."""
        return _headers(self.folder, "Requires-Dist") or _egg_requires(self.folder)


class Broken(NamedTuple):
    """Metadata that was skipped: which folder, and why."""

    folder: str
    why: str

    def __str__(self) -> str:
        return f"skipped {self.folder}: {self.why}"


class Scan(NamedTuple):
    """What one look at the path found."""

    entries: tuple[Entry, ...]
    broken: tuple[Broken, ...]


def normalise(name: str) -> str:
    """PEP 503: `Lerobot_Robot.X` -> `lerobot-robot-x`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def scan(paths: Iterable[str] | None = None) -> Scan:
    """Reads every metadata folder on `paths` (default `sys.path`). Never raises.

    The first distribution of a name wins, as it does for `import`, so a folder reached twice (`lib64 -> lib`) and an
    editable install that left two records count once.
    """
    seen: set[str] = set()
    entries: dict[Entry, None] = {}
    broken: list[Broken] = []
    for folder in _folders(sys.path if paths is None else paths):
        name = _stem(folder)[0]
        if name in seen:
            continue
        try:
            entries.update(dict.fromkeys(_read(folder, name)))
            seen.add(name)
        except (OSError, ValueError) as error:
            broken.append(Broken(folder, _reason(error)))
    known = tuple(entry for entry in entries if entry.kind in KINDS)
    strange = {(entry.folder, entry.kind) for entry in entries if entry.kind not in KINDS}
    broken += [Broken(folder, f"the group {_PREFIX}{kind} is no kind of plugin") for folder, kind in sorted(strange)]
    return Scan(known, tuple(broken))


def _folders(paths: Iterable[str]) -> Iterator[str]:
    places: dict[str, str] = {}
    for path in paths:
        places.setdefault(os.path.realpath(path or "."), path or ".")
    for path in places.values():
        try:
            with os.scandir(path) as items:
                names = [item.name for item in items if item.name.endswith(_SUFFIXES)]
        except OSError:
            continue  # not there, an archive, or not ours to read
        for name in sorted(names):
            yield os.path.join(path, name)


def _stem(folder: str) -> tuple[str, str]:
    """Name and version out of `name-1.2.dist-info`; an egg folder may say neither version nor more than that."""
    name, _, version = os.path.basename(folder).rpartition(".")[0].partition("-")
    return normalise(name), version.partition("-")[0]


def _read(folder: str, name: str) -> list[Entry]:
    """What the distribution offers; ValueError or OSError when its folder is broken."""
    text = _entry_points(folder)
    if text.strip() and text.lstrip()[0] not in "[#;":
        raise ValueError("its entry_points.txt is malformed")
    ours = f"[{_PREFIX}" in text
    # Only folders that offer something of ours or bear our name cost a look at a second file.
    if (ours or name.startswith("lerobot")) and not os.path.isfile(_metadata_file(folder)):
        raise ValueError(f"it has no {os.path.basename(_metadata_file(folder))}")
    if not ours:
        return []
    if name.startswith("~"):
        raise ValueError("an interrupted uninstall left it behind")
    version = _stem(folder)[1] or "".join(_headers(folder, "Version")[:1]) or "0"
    return [Entry(kind, key, value, name, version, folder) for kind, key, value in _parse(text)]


def _entry_points(folder: str) -> str:
    try:
        with open(os.path.join(folder, "entry_points.txt"), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""  # most distributions have none; an egg may be a single file


def _parse(text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, name, value) of every line in a group of ours, the kind perhaps unknown."""
    group = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not (group and name and equals and value):
            raise ValueError(f"its entry_points.txt is malformed at line {number}")
        if group.startswith(_PREFIX):
            yield group.removeprefix(_PREFIX), name, value


def _metadata_file(folder: str) -> str:
    if folder.endswith(".dist-info"):
        return os.path.join(folder, "METADATA")
    return os.path.join(folder, "PKG-INFO") if os.path.isdir(folder) else folder


def _headers(folder: str, key: str) -> list[str]:
    """The values of one header, [] when there is none or the file cannot be read."""
    try:
        with open(_metadata_file(folder), encoding="utf-8", errors="replace") as file:
            lines = list(itertools.takewhile(str.strip, file))  # the description follows an empty line
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.startswith(f"{key}:")]


def _egg_requires(folder: str) -> list[str]:
    try:
        with open(os.path.join(folder, "requires.txt"), encoding="utf-8", errors="replace") as file:
            unconditional = ("\n" + file.read()).partition("\n[")[0]  # every section is an extra or a marker
    except OSError:
        return []
    return [line.strip() for line in unconditional.splitlines() if line.strip()]


def _source(folder: str) -> str:
    """The source folder of an editable install, from its `direct_url.json` (PEP 610), else ""."""
    import json
    from urllib.parse import unquote, urlsplit

    try:
        with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
            record = json.load(file)
        return unquote(urlsplit(record["url"]).path) if record["dir_info"].get("editable") else ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "its entry_points.txt is not text"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return str(error)
