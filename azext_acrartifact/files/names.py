"""Check titles and names of archive members before they reach the file system, by one rule for every system.

A name that one system refuses, or takes for another file, is refused on all of them, so that what is pushed here can
be pulled anywhere. Sources: learn.microsoft.com "Naming Files, Paths, and Namespaces" (device names, reserved
characters, trailing dot and space); Unicode Standard Annex 44, table 12 (general categories); GHSA-8xwf-rjm4-xvhv and
CVE-2021-21272 (traversal through titles and members).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import UnsafeContentError

TITLE_LIMIT = 1024
"""Most characters of a name."""
COMPONENT_LIMIT = 255
"""Most bytes of a component in UTF-8: NAME_MAX of common file systems."""
TEMPORARY_PREFIX = ".acrartifact-"
"""How our temporary files begin, and no other file may."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {port + digit for port in ("COM", "LPT") for digit in "0123456789\N{SUPERSCRIPT ONE}²³"}
)


@dataclass(frozen=True, order=True)
class RelativeName:
    """A name below some folder that is safe to use. `safe_name` and `safe_folder` check it."""

    parts: tuple[str, ...]
    """Components from the top; empty for the folder itself."""

    def __str__(self) -> str:
        return "/".join(self.parts) or "."

    @property
    def parent(self) -> RelativeName:
        """Name of its folder; the top is its own parent."""
        return RelativeName(self.parts[:-1])

    @property
    def last(self) -> str:
        """The last component; empty for the top."""
        return self.parts[-1] if self.parts else ""


@dataclass(frozen=True)
class Collision:
    """Two names that cannot both be written."""

    first: RelativeName
    second: RelativeName
    why: str


def why_unsafe(component: str) -> str | None:
    """Return the reason why one component of a path is refused, or None."""
    if component in ("", ".", ".."):
        return f"the component {component!r} is not a name"
    found = _FORBIDDEN.search(component) or _forbidden_category(component)
    return f"U+{ord(found[0]):04X} is not allowed" if found else _why_reserved(component)


def _why_reserved(component: str) -> str | None:
    """Return why a name of allowed characters is reserved, by a system or by us, or None."""
    if component[-1] in ". ":
        return "it ends in a dot or a space"
    if component.split(".")[0].rstrip(" ").upper() in _DEVICES:
        return "it is the name of a device on Windows"
    if len(component.encode()) > COMPONENT_LIMIT:
        return f"a component is longer than {COMPONENT_LIMIT} bytes"
    if component.casefold().startswith(TEMPORARY_PREFIX):
        return f"names that begin with {TEMPORARY_PREFIX} are reserved for temporary files"
    return None


def _forbidden_category(component: str) -> str | None:
    if component.isascii():
        return None
    return next((c for c in component if unicodedata.category(c) in _FORBIDDEN_CATEGORIES), None)


def why_unsafe_path(path: str) -> str | None:
    """Return the reason why a path with `/` is refused, or None."""
    if len(path) > TITLE_LIMIT:
        return f"it is longer than {TITLE_LIMIT} characters"
    return next(filter(None, map(why_unsafe, path.split("/"))), None)


def safe_name(title: str) -> RelativeName:
    """Check a file's *title*, or an archive member's name. Raises UnsafeContentError.

    One leading `./` is dropped, as ORAS does; `check_collisions` finds names that become equal by that.
    """
    path = title.removeprefix("./")
    reason = why_unsafe_path(path)
    if reason:
        raise UnsafeContentError(
            "The artifact holds an unsafe file name", where=title, why=reason, hint="Do not trust this artifact."
        )
    return RelativeName(tuple(path.split("/")))


def safe_folder(title: str) -> RelativeName:
    """Check a folder's *title*. As `safe_name`, but `.` is the destination itself, and one trailing `/` is dropped.

    `oras push REF .` writes the first, regctl the second. Raises UnsafeContentError.
    """
    if title in (".", "./"):
        return RelativeName(())
    return safe_name(title.removesuffix("/"))


def collision_key(component: str) -> str:
    """Return a key that is equal for components that some file system treats as the same (case, Unicode form)."""
    if component.isascii():
        return component.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", component).casefold())


def check_collisions(names: Iterable[RelativeName]) -> None:
    """Check, before anything is written, that all *names* of an artifact can exist side by side.

    Raises UnsafeContentError for two that are equal on some file system, and for one that is a folder of the other.
    """
    for found in _collisions(names):
        raise UnsafeContentError(
            f"Two files of the artifact {found.why}",
            where=f"{found.first}, {found.second}",
            hint="Pull them one at a time with --include, if you trust the artifact.",
        )


def find_collision(names: Iterable[RelativeName]) -> Collision | None:
    """Return the first two *names* that cannot both be written, or None."""
    return next(_collisions(names), None)


def _collisions(names: Iterable[RelativeName]) -> Iterator[Collision]:
    files: dict[tuple[str, ...], RelativeName] = {}
    folders: dict[tuple[str, ...], RelativeName] = {}
    for name in names:
        key = tuple(map(collision_key, name.parts))
        above = [key[:depth] for depth in range(len(key))]
        if key in files:
            yield Collision(files[key], name, "have the same name")
        for taken in [files[k] for k in above if k in files] + [folders[k] for k in (key,) if k in folders]:
            yield Collision(taken, name, "need the same name as a file and as a folder")
        files[key] = name
        folders.update(dict.fromkeys(above, name))
