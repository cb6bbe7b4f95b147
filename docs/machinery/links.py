"""Links from a page to a file of the repository: checked, and turned into links to a page that shows the file.

In Markdown they are ordinary relative links, so they also work where the repository is browsed:
`[the filter](../core/src/lerobot_core/safety.py#SafetyFilter)`. The part after `#` is a function or a class of the file;
a build fails when the file or the name is not there.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
MIRROR = "source"
"""Below it the site shows files of the repository under their own paths."""

_LINK = re.compile(r"(!?\[[^\]\n]*(?:\n[^\]\n]+)?\]\()([^)\s]+)(\))")
_CODE = re.compile(r"^(```|~~~)[\s\S]*?^\1[ \t]*$|^(?: {4}|\t)[^\n]*$|`[^`\n]+`", re.MULTILINE)
_LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".sh": "bash"}


class BrokenLink(Exception):
    """What a page says and the repository does not have."""


@dataclass
class Mirror:
    """The files that pages link to, and the names in each.

    Attributes:
        names: path -> functions and classes that have a heading of their own.
    """

    names: dict[str, set[str]] = field(default_factory=dict)

    def collect(self, text: str, folder: str) -> list[str]:
        """Note every link of `text`, a file in `folder`, that leaves docs/. Returns the files not seen before.

        Raises:
            BrokenLink: for the first one that leads nowhere.
        """
        new = []
        for target in _targets(text):
            path, name = _inside(target, folder)
            if path is None or path.startswith(f"{DOCS}/"):
                continue
            _require(path, name, target)
            new += [path] if path not in self.names else []
            self.names.setdefault(path, set()).update({name} if name and path.endswith(".py") else ())
        return new

    def rewrite(self, text: str, folder: str, page: str) -> str:
        """`text` with its links to files turned into links to their pages.

        Args:
            folder: where the file that `text` came from lies, relative to the root.
            page: its page on the site, relative to docs/.
        """
        return _outside_code(text, lambda prose: _LINK.sub(lambda found: _moved(found, folder, page), prose))

    def page(self, path: str) -> str:
        """The page that shows one file: Markdown as it is, code in pieces that begin where somebody points."""
        text = (ROOT / path).read_text(encoding="utf-8")
        if path.endswith(".md"):
            return self.rewrite(text, posixpath.dirname(path), page_of(path))
        language = _LANGUAGES.get(Path(path).suffix, "text")
        pieces = _pieces(text, self.names[path]) if language == "python" else [("", 1, text)]
        return f"# {Path(path).name}\n\n`{path}`\n\n" + "\n".join(_block(*piece, language) for piece in pieces)


def page_of(path: str) -> str:
    """Where the site shows a file of the repository, relative to docs/."""
    if path.startswith(f"{DOCS}/"):
        return path[len(DOCS) + 1 :]
    return f"{MIRROR}/{path}" if is_picture(path) or path.endswith(".md") else f"{MIRROR}/{path}.md"


def is_picture(path: str) -> bool:
    """Copied instead of shown."""
    return Path(path).suffix in (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp", ".mp4")


def _targets(text: str) -> Iterator[str]:
    found: list[str] = []
    _outside_code(text, lambda prose: found.extend(match[2] for match in _LINK.finditer(prose)) or prose)
    return iter(found)


def _outside_code(text: str, change: object) -> str:
    pieces, at = [], 0
    for code in _CODE.finditer(text):
        pieces += [change(text[at : code.start()]), code.group()]  # type: ignore[operator]
        at = code.end()
    return "".join([*pieces, change(text[at:])])  # type: ignore[operator]


def _inside(target: str, folder: str) -> tuple[str | None, str]:
    """(path relative to the root, name after #) of a link to a file; (None, "") of any other."""
    if re.match(r"[a-z]+:|#|/", target):
        return None, ""
    path, _, name = target.partition("#")
    whole = posixpath.normpath(posixpath.join(folder, path))
    if (ROOT / whole).is_dir():
        whole = posixpath.join(whole, "README.md")
    return whole, name


def _moved(found: re.Match[str], folder: str, page: str) -> str:
    path, name = _inside(found[2], folder)
    if path is None:
        return found.group()
    to = posixpath.relpath(page_of(path), posixpath.dirname(page) or ".")
    return f"{found[1]}{to}{'#' + name if name else ''}{found[3]}"


def _require(path: str, name: str, target: str) -> None:
    if not (ROOT / path).is_file():
        raise BrokenLink(f"{target}: there is no {path}")
    if name and path.endswith(".py") and name not in _definitions((ROOT / path).read_text(encoding="utf-8")):
        raise BrokenLink(f"{target}: {path} has no {name}")


def _definitions(text: str) -> dict[str, int]:
    """Functions, methods and classes with the line that each begins at, decorators included."""
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    tree = ast.parse(text)
    return {
        node.name: min([node.lineno, *(each.lineno for each in node.decorator_list)])
        for node in ast.walk(tree)
        if isinstance(node, nodes)
    }


def _pieces(text: str, names: set[str]) -> list[tuple[str, int, str]]:
    """(heading, first line, text), cut where a name begins."""
    lines = text.splitlines(keepends=True)
    starts = sorted((line, name) for name, line in _definitions(text).items() if name in names)
    edges = [(1, ""), *starts, (len(lines) + 1, "")]
    cut = [
        (edges[i][1], edges[i][0], "".join(lines[edges[i][0] - 1 : edges[i + 1][0] - 1])) for i in range(len(edges) - 1)
    ]
    return [piece for piece in cut if piece[2].strip()]


def _block(heading: str, line: int, text: str, language: str) -> str:
    title = f"## {heading} {{ #{heading} }}\n\n" if heading else ""
    return f'{title}``````{{ .{language} linenums="{line}" }}\n{text.rstrip()}\n``````\n'
