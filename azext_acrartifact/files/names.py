"""Check titles and names of archive members before they reach the file system, by one rule for every system.

A name that one system refuses is refused on all of them, so that what is pushed here can be pulled anywhere. Names
that only some systems take for one are refused where the disk does.
Sources: learn.microsoft.com "Naming Files, Paths, and Namespaces" (device names, reserved
characters, trailing dot and space); Unicode Standard Annex 44, table 12 (general categories); GHSA-8xwf-rjm4-xvhv and
CVE-2021-21272 (traversal through titles and members).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UnsafeContentError
from .archive.tar_format import ENTRY_LIMIT

TITLE_LIMIT = 1024
"""Most characters of a name."""
COMPONENT_LIMIT = 255
"""Most bytes of a component in UTF-8: NAME_MAX of common file systems."""
MOST_COMPONENTS = 64
"""Most components of a name: each but the last is a folder to make, and memory to plan it."""
TEMPORARY_PREFIX = ".acrartifact-"
"""How our temporary files begin, and no other file may."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {port + digit for port in ("COM", "LPT") for digit in "0123456789\N{SUPERSCRIPT ONE}²³"}
)


@dataclass(frozen=True, order=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
    if path.count("/") >= MOST_COMPONENTS:
        return f"it has more than {MOST_COMPONENTS} components"
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
    return relative_name(path)


def relative_name(path: str) -> RelativeName:
    """Return the name of a checked *path*. Names with the same components share their memory."""
    return RelativeName(tuple(map(sys.intern, path.split("/"))))


def safe_folder(title: str) -> RelativeName:
    """Check a folder's *title*. As `safe_name`, but `.` is the destination itself, and one trailing `/` is dropped.

    `oras push REF .` writes the first, regctl the second. Raises UnsafeContentError.
    """
    if title in (".", "./"):
        return RelativeName(())
    return safe_name(title.removesuffix("/"))


def composed(name: str) -> str:
    """Return *name* in the Unicode form in which most systems type and store it, NFC. HFS+ of macOS lists NFD."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def collision_key(component: str) -> str:
    """Return a key that is equal for components that some file system treats as the same (case, Unicode form)."""
    if component.isascii():
        return component.lower()
    return composed(composed(component).casefold())


def check_collisions(names: Iterable[RelativeName], limit: int = ENTRY_LIMIT) -> Sequence[Twins]:
    """Check, before anything is written, that all *names* of an artifact can exist side by side. Return the names that
    cannot on file systems that ignore case or Unicode forms.

    Raises UnsafeContentError for two that are equal, for one that is a folder of the other, and for more than *limit*
    files and folders.
    """
    tree = NameTree(limit)
    for name in names:
        if found := tree.add(name):
            raise UnsafeContentError(
                f"Two files of the artifact {found.why}",
                where=f"{found.first}, {found.second}",
                hint="Pull them one at a time with --include, if you trust the artifact.",
            )
    return tree.twins


@dataclass(frozen=True, slots=True)
class Twins:
    """Two names in the folder *parent* that some file systems take for one, such as `a.txt` and `A.txt`."""

    parent: RelativeName
    first: str
    second: str


def twin_key(component: str) -> str:
    """Return a key for a *component* whose `collision_key` belongs to another one; no `collision_key` is like it."""
    return f"\0{component}"


class NameTree:
    """The files of an artifact and the folders above them, at most *limit* in total."""

    def __init__(self, limit: int = ENTRY_LIMIT) -> None:
        self._limit = limit
        self._entries = 0
        self._root: dict[str, Any] = {}
        # Most names are their own key: the others are noted apart, as a plan must not take much memory.
        self._spelled: dict[tuple[int, str], str] = {}
        self._twins: dict[RelativeName, Twins] = {}

    @property
    def twins(self) -> Sequence[Twins]:
        """Names that some file systems take for one: of each folder, the first two."""
        return tuple(self._twins.values())

    def add(self, name: RelativeName) -> Collision | None:
        """Add *name*, or return why it cannot be written beside the others. Raises UnsafeContentError when there are
        more entries than the limit."""
        folder = self._root
        *above, last = ("", *name.parts)  # the destination itself may be the name
        for depth, part in enumerate(above):
            key = self._key(folder, part, name, depth)
            below = folder.get(key)
            if isinstance(below, RelativeName):
                return Collision(below, name, "need the same name as a file and as a folder")
            folder = self._added(folder, key, {}) if below is None else below
        key = self._key(folder, last, name, len(above))
        found = folder.get(key)
        if isinstance(found, RelativeName):
            return Collision(found, name, "have the same name")
        while found:
            found = next(iter(found.values()))
            if isinstance(found, RelativeName):
                return Collision(found, name, "need the same name as a file and as a folder")
        self._added(folder, key, name)
        return None

    def _key(self, folder: dict[str, Any], part: str, name: RelativeName, depth: int) -> str:
        """Return the key of *part*, the component of *name* at *depth* below a root without a name."""
        key = collision_key(part)
        known = self._spelled.get((id(folder), key), key) if key in folder else part
        if known == part:
            if part != key:
                self._spelled[id(folder), key] = part
            return key
        parent = RelativeName(name.parts[: depth - 1])
        self._twins.setdefault(parent, Twins(parent, known, part))
        return twin_key(part)

    def _added(self, folder: dict[str, Any], key: str, entry: Any) -> Any:
        self._entries += 1
        if self._entries > self._limit:
            raise UnsafeContentError(
                "The artifact has too many files and folders",
                why=f"more than {self._limit:,}",
                hint="Its author must push a folder as one layer instead of its files one by one.",
            )
        folder[key] = entry
        return entry
