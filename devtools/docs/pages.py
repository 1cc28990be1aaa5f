"""Stage the pages of the site: the documents of the checkout, with links among them, and the reference.

No page is written twice: the README is the overview, and every document keeps the place where the code names it.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from devtools import steps
from devtools.docs import reference

ELSEWHERE = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "HISTORY.rst": "history.md",
    "acr_emulator/README.md": "emulator.md",
    "bench/results.md": "measurements.md",
    "docs/decisions/": "decisions/index.md",
}
"""Documents that are not in docs/, with the names of their pages."""

INNER = (
    "decisions/", "architecture.md", "contributing.md", "emulator.md", "history.md", "measurements.md", "mutation.md",
    "promises.md", "security-cases.md",
)  # fmt: skip
"""Pages for those who change or judge the extension: a search shows them after those for its users."""

_LATER = "---\nsearch:\n  boost: 0.3\n---\n\n"
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s#]+)((?:#[^)]*)?\))|`([\w./-]+(?:\.(?:md|rst)|/))`(?!\])")
_CODE = re.compile(r"``([^`]+)``")
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def documents() -> dict[str, str]:
    """Return the path of each document in the checkout with the name of its page."""
    below = {path.relative_to(steps.ROOT).as_posix() for path in (steps.ROOT / "docs").rglob("*.md")}
    return {**{path: path.removeprefix("docs/") for path in sorted(below)}, **ELSEWHERE}


def stage(folder: Path, commands: list[dict[str, Any]]) -> None:
    """Write all pages into *folder*: the documents, a list of decisions, and a page for each of *commands*."""
    known = documents()
    for path, page in known.items():
        if not path.endswith("/"):
            text = (steps.ROOT / path).read_text(encoding="utf-8")
            text = linked(_from_rst(text) if path.endswith(".rst") else text, path, known)
            _write(folder / page, (_LATER if page.startswith(INNER) else "") + text)
    for image in (steps.ROOT / "docs").rglob("*.svg"):
        shutil.copy(image, folder / image.relative_to(steps.ROOT / "docs"))
    for name in ("style.css", "iframe-worker.js", "accessible.js"):
        shutil.copy(Path(__file__).parent / name, folder / name)
    _write(folder / ELSEWHERE["docs/decisions/"], "\n".join(["# Decisions", "", *_decisions(folder), ""]))
    for name, text in reference.pages(commands):
        _write(folder / "commands" / f"{name}.md", linked(text, f"docs/commands/{name}.md", known))


def linked(text: str, path: str, known: dict[str, str]) -> str:
    """Return the *text* of the document *path* with links from its page to the pages of *known* documents.

    The name of a document in code becomes a link. Code blocks stay as they are.
    """
    here = posixpath.dirname(known.get(path, path.removeprefix("docs/")))

    def target(name: str) -> str:
        candidates = (posixpath.normpath(posixpath.join(posixpath.dirname(path), name)), posixpath.normpath(name))
        slash = "/" if name.endswith("/") else ""
        found = next((known[one + slash] for one in candidates if one + slash in known), "")
        if not found and name.endswith(".svg"):
            found = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)).removeprefix("docs/")
        return posixpath.relpath(found, here or ".") if found else ""

    def replaced(match: re.Match[str]) -> str:
        start, link, end, code = match.groups()
        to = target(link or code)
        if not to:
            return match.group()
        return f"{start}{to}{end}" if link else f"[`{code}`]({to})"

    return _outside_code(text, lambda part: _LINK.sub(replaced, part))


def navigation(nav: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Return *nav* with the pages of each folder that it names, its index first."""

    def expanded(entry: dict[str, Any]) -> dict[str, Any]:
        [(title, value)] = entry.items()
        if isinstance(value, list):
            return {title: [expanded(child) for child in value]}
        if not value.endswith("/"):
            return entry
        pages = sorted(path.name for path in (folder / value).glob("*.md") if path.name != "index.md")
        return {title: [value + name for name in ("index.md", *pages)]}

    return [expanded(entry) for entry in nav]


def configuration(folder: Path) -> str:
    """Return mkdocs.yml for the pages in *folder*, with absolute paths and the whole navigation."""
    config = yaml.safe_load((steps.ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    paths = {name: str(steps.ROOT / config[name]) for name in ("docs_dir", "site_dir")}
    whole = {**config, **paths, "nav": navigation(config["nav"], folder)}
    return str(yaml.safe_dump(whole, sort_keys=False))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts, position = [], 0
    for fence in _FENCE.finditer(text):
        parts += [change(text[position : fence.start()]), fence.group()]
        position = fence.end()
    return "".join([*parts, change(text[position:])])


def _decisions(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "decisions").glob("[0-9]*.md")):
        heading = _HEADING.search(path.read_text(encoding="utf-8"))
        yield f"- [{path.name[:4]}: {heading[1] if heading else path.stem}]({path.name})"


def _from_rst(text: str) -> str:
    """Return the history as Markdown: it has headings, bullets and code alone."""
    lines = [line for line in text.splitlines() if not line.startswith(".. ")]
    for number, line in enumerate(lines):
        if line and set(line) <= {"="}:
            lines[number - 1 : number + 1] = [f"# {lines[number - 1]}", ""]
        elif line and set(line) <= {"+"}:
            lines[number - 1 : number + 1] = [f"## {lines[number - 1]}", ""]
    return _CODE.sub(r"`\1`", "\n".join(lines)) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
