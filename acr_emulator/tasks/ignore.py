"""`.dockerignore`: the files of the context that the builder must not see.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

IGNORE_FILE = ".dockerignore"
_TOKEN = re.compile(r"\*\*/?|\*|\?|\[[^]]*\]|.")


def apply(context: Path, dockerfile: str) -> None:
    """Remove the files that `.dockerignore` excludes, but never the Dockerfile and the ignore file."""
    file = context / IGNORE_FILE
    if not file.is_file():
        return
    rules = _rules(file.read_text("utf-8", "replace"))
    for path in sorted(context.rglob("*"), key=lambda item: len(item.parts), reverse=True):
        name = path.relative_to(context).as_posix()
        if name in (IGNORE_FILE, posixpath.normpath(dockerfile)) or not _excluded(name, rules):
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                shutil.rmtree(path)
        else:
            path.unlink()


def _rules(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps = pattern.startswith("!")
        clean = posixpath.normpath("/" + pattern.removeprefix("!").strip()).strip("/")
        found.append((keeps, re.compile(_regex(clean))))
    return found


def _excluded(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    # The last rule that matches the path or one of its parents decides.
    parts = name.split("/")
    candidates = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    excluded = False
    for keeps, pattern in rules:
        if any(pattern.fullmatch(candidate) for candidate in candidates):
            excluded = not keeps
    return excluded


def _regex(pattern: str) -> str:
    return "".join(_token_regex(token) for token in _TOKEN.findall(pattern))


def _token_regex(token: str) -> str:
    if token.startswith("**"):
        return "(?:.*/)?" if token.endswith("/") else ".*"
    if token in ("*", "?"):
        return "[^/]*" if token == "*" else "[^/]"
    return token if len(token) > 1 else re.escape(token)
