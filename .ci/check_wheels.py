"""What a built distribution must hold: `python check_wheels.py FOLDER` looks at every wheel and sdist in it.

Prints a line for each; ends with 1 when one lacks its licence, says too little of itself, or brings what nobody asked for.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

from distributions import ROOT, Distribution, discover, name_of, normalise

LICENCE = (ROOT / "LICENSE").read_bytes()
LARGEST = 1_000_000
"""Bytes of code; weights (`.safetensors`) do not count."""
JUNK = ("__pycache__", ".pyc", ".ipynb", ".DS_Store", ".so", ".log")
TESTS = ("/tests/", "/test_", "/conftest")
"""Welcome in an sdist only."""


class Built:
    """One archive.

    Attributes:
        path: the file.
        files: name -> size.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wheel = path.suffix == ".whl"
        self.files = self._list()

    def _list(self) -> dict[str, int]:
        if self.wheel:
            with zipfile.ZipFile(self.path) as archive:
                return {each.filename: each.file_size for each in archive.infolist()}
        with tarfile.open(self.path) as archive:
            return {each.name.partition("/")[2]: each.size for each in archive.getmembers() if each.isfile()}

    def read(self, ending: str) -> bytes | None:
        """The first file whose name ends so."""
        if self.wheel:
            with zipfile.ZipFile(self.path) as archive:
                return next((archive.read(name) for name in self.files if name.endswith(ending)), None)
        with tarfile.open(self.path) as archive:
            for each in archive.getmembers():
                if each.isfile() and each.name.partition("/")[2].endswith(ending):
                    file = archive.extractfile(each)
                    return file.read() if file else None
        return None

    @property
    def metadata(self) -> Message:
        """Of the wheel or of the sdist."""
        text = self.read("METADATA" if self.wheel else "PKG-INFO") or b""
        return Parser().parsestr(text.decode())


def problems(built: Built, ours: Distribution) -> Iterator[str]:
    """What is wrong with one archive of the distribution `ours`."""
    said = built.metadata
    if built.read("licenses/LICENSE" if built.wheel else "LICENSE") != LICENCE:
        yield f"the licence is missing or another one: cp LICENSE {ours.folder}/"
    if said["License-Expression"] != "Apache-2.0":
        yield f"License-Expression is {said['License-Expression']}"
    yield from (
        f"{key} is missing" for key in ("Summary", "Requires-Python", "Description-Content-Type") if not said[key]
    )
    if built.read("/py.typed") is None:
        yield "py.typed is missing: type checkers would not look at its annotations"
    if len(said.get_payload() or "") < 200:
        yield "its README says next to nothing"
    wanted = {normalise(name_of(each)) for each in ours.requirements}
    got = {normalise(name_of(each)) for each in said.get_all("Requires-Dist", []) if "extra ==" not in each}
    if wanted != got:
        yield f"requirements differ from pyproject.toml: {sorted(wanted ^ got)}"
    yield from _contents(built, ours)


def _contents(built: Built, ours: Distribution) -> Iterator[str]:
    package = ours.source.name
    homes = (f"{package}/", f"{package}-") if built.wheel else (f"src/{package}/",)
    if not any(name.startswith(homes[0]) for name in built.files):
        yield f"the package {package} is not in it"
    strays = [name for name in built.files if built.wheel and not name.startswith(homes)]
    if strays:
        yield f"files outside the package: {strays}"
    unwanted = (*JUNK, *TESTS) if built.wheel else JUNK
    junk = [name for name in built.files if any(each in f"/{name}" for each in unwanted) and "/template/" not in name]
    if junk:
        yield f"files that nobody wants: {junk}"
    if built.wheel:
        missing = _source_files(ours) - {*built.files}
        if missing:
            yield f"files of the source are missing: {sorted(missing)}"
    code = sum(size for name, size in built.files.items() if not name.endswith(".safetensors"))
    if code > LARGEST:
        yield f"{code / 1e6:.1f} MB besides weights"


def _source_files(ours: Distribution) -> set[str]:
    return {
        path.relative_to(ours.source.parent).as_posix()
        for path in ours.source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main(folder: Path) -> int:
    """Look at everything; the exit code."""
    known, wrong = discover(), 0
    archives = [Built(path) for path in sorted(folder.iterdir()) if path.name.endswith((".whl", ".tar.gz"))]
    for built in archives:
        name = normalise(built.path.name.split("-")[0])
        found = list(problems(built, known[name]))
        print(
            f"{'wrong' if found else 'good '} {built.path.name} {built.path.stat().st_size / 1000:.0f} kB",
            *found,
            sep="\n  ",
        )
        wrong += bool(found)
    lacking = {*known} - {normalise(built.path.name.split("-")[0]) for built in archives}
    if lacking:
        print(f"not built: {sorted(lacking)}")
    return 1 if wrong or lacking else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
