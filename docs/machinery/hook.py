"""What MkDocs does not know: pages that `lr` writes itself, and files of the repository that pages point to."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import kind_pages
import verb_pages
from asking import NoAnswer, log
from links import DOCS, MIRROR, ROOT, BrokenLink, Mirror, is_picture, page_of
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_KIND = re.compile(r"^<!-- kind: (\w+) -->$", re.MULTILINE)
_ALWAYS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""Shown whether a page points to them or not."""
_mirror = Mirror()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the navigation that are lists of what there is."""
    config.nav = _listed(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each verb and for each file that a page points to."""
    _mirror.names.clear()
    for missing in kind_pages.missing_pages(Path(config.docs_dir)):
        log.warning("kind %s has no page docs/kinds/%s.md", missing, missing)
    for path, text in _verbs().items():
        files.append(File.generated(config, path, content=text))
    todo = _first_links(files)
    while todo:
        path = todo.pop()
        if path.endswith(".md"):
            todo += _collect((ROOT / path).read_text(encoding="utf-8"), path)
    for path in sorted(_mirror.names):
        files.append(_file(config, path))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write what the code says where a page asks for it, and point links to the pages made above."""
    uri = page.file.src_uri
    if uri.startswith(f"{MIRROR}/"):
        return markdown
    filled = _KIND.sub(lambda found: kind_pages.fill(found[1]), markdown)
    return _mirror.rewrite(filled, posixpath.dirname(f"{DOCS}/{uri}"), uri)


def _verbs() -> dict[str, str]:
    try:
        return verb_pages.pages()
    except NoAnswer as answer:
        log.warning("%s", answer)
        return {}


def _first_links(files: Files) -> list[str]:
    shown = [*_ALWAYS, *_distributions()]
    todo = [path for entry in shown for path in _collect(f"[]({entry})", "")]
    for file in files.documentation_pages():
        if file.generated_by is None:
            text = _KIND.sub(lambda found: kind_pages.fill(found[1]), file.content_string)
            todo += _collect(text, f"{DOCS}/{file.src_uri}")
    return todo


def _collect(text: str, path: str) -> list[str]:
    try:
        return _mirror.collect(text, posixpath.dirname(path))
    except BrokenLink as broken:
        log.warning("%s: %s", path, broken)
        return []


def _file(config: MkDocsConfig, path: str) -> File:
    if is_picture(path):
        return File.generated(config, page_of(path), abs_src_path=str(ROOT / path))
    return File.generated(config, page_of(path), content=_mirror.page(path))


def _distributions() -> list[str]:
    """READMEs, core's first."""
    folders = [folder for pattern in ("core", "lerobot_*", "plugins/*") for folder in sorted(ROOT.glob(pattern))]
    return [f"{each.relative_to(ROOT).as_posix()}/README.md" for each in folders if (each / "pyproject.toml").is_file()]


def _listed(nav: Any) -> Any:
    """`VERBS` and `DISTRIBUTIONS` become lists of pages."""
    if nav == "VERBS":
        return [{f"lr {name}": f"{verb_pages.FOLDER}/{name}.md"} for name in verb_pages.names()]
    if nav == "DISTRIBUTIONS":
        return [{path.split("/")[-2].replace("_", "-"): page_of(path)} for path in _distributions()]
    if isinstance(nav, dict):
        return {title: _listed(entry) for title, entry in nav.items()}
    return [_listed(entry) for entry in nav] if isinstance(nav, list) else nav
