"""List a folder's content in the order in which it is packed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import LocalFileError
from ..links import why_unsafe_link
from ..local_file import Fingerprint, fingerprint, start_of
from ..modes import portable_mode
from ..names import MOST_COMPONENTS, TITLE_LIMIT, collision_key, why_unsafe
from ..os_errors import naming
from ..system_path import plain_path, system_path
from .exclusion import Exclusion, FolderExclusion
from .tar_format import ENTRY_LIMIT

_HINT = "Rename or remove it, or leave it out with --exclude."


@dataclass(frozen=True)
class Entry:
    """A file, a folder or a symbolic link below the folder that is packed."""

    path: str
    """Below the folder, with `/`; empty for the folder itself."""
    source: str
    """Path on this machine."""
    kind: int
    """stat.S_IFREG, S_IFDIR or S_IFLNK."""
    mode: int
    """Permission bits without setuid, setgid, sticky and write for group and others."""
    size: int = 0
    link: str = ""
    fingerprint: Fingerprint = (0, 0, 0)
    """Fingerprint of a file at the time of the walk."""


def walk(path: str, title: str, exclusion: Exclusion | None = None, limit: int = ENTRY_LIMIT) -> tuple[Entry, ...]:
    """Return the folder *path* and everything below it, folders before their content, sorted as ORAS does.

    *title* is the folder's name in the artifact; it counts towards the length of names. Without *exclusion*, nothing is
    left out. Raises LocalFileError for more than *limit* entries, and for one that cannot be packed or could not be
    unpacked safely on every system.
    """
    with naming("Cannot read the folder", path):
        status = os.stat(system_path(path))
        if not stat.S_ISDIR(status.st_mode):
            raise LocalFileError("Cannot read the folder", where=path, why="it is not a folder", hint="Name a folder.")
    entries = [Entry("", path, stat.S_IFDIR, portable_mode(status, bytes))]
    depth = 0 if title == "." else title.count("/") + 1
    rules = exclusion.of_folder(path, title) if exclusion else None
    for entry in _below(path, "", (TITLE_LIMIT - len(title) - 1, MOST_COMPONENTS - depth), rules, False):
        entries.append(entry)
        if len(entries) > limit:
            raise LocalFileError(
                "The folder holds too many files",
                where=path,
                why=f"a pull unpacks at most {limit:,}",
                hint="Push its subfolders one by one, or leave some out with --exclude.",
            )
    return tuple(entries)


def _below(
    folder: str, prefix: str, room: tuple[int, int], rules: FolderExclusion | None, left_out: bool
) -> Iterator[Entry]:
    """Yield the entries of *folder*, which is *prefix* below the top; a name may have *room* characters and
    components. Of a folder that is *left_out*, only what the *rules* take back."""
    seen: dict[str, str] = {}
    for item in _sorted_items(folder):
        path = prefix + item.name
        is_folder = item.is_dir(follow_symlinks=False)
        out = rules.leaves_out(path, is_folder, left_out) if rules else False
        if out and not (is_folder and rules and rules.may_take_back_below(path)):
            continue
        source = os.path.join(folder, item.name)
        below = _below(source, path + "/", room, rules, out) if is_folder else iter(())
        first = next(below, None) if out else None
        if out and first is None:
            continue
        _require_portable(source, path, room)
        _note_twins(item.name, seen, rules)
        with naming("Cannot read the file", source):
            yield _entry(source, path)
        if first is not None:
            yield first
        yield from below


def _sorted_items(folder: str) -> list[os.DirEntry[str]]:
    with naming("Cannot read the folder", folder), os.scandir(system_path(folder)) as items:
        return sorted(items, key=lambda item: item.name)


def _require_portable(source: str, path: str, room: tuple[int, int]) -> None:
    reason = why_unsafe(os.path.basename(source))
    characters, components = room
    if reason is None and len(path) > characters:
        reason = f"its name in the artifact is longer than {TITLE_LIMIT} characters"
    if reason is None and path.count("/") >= components:
        reason = f"its name in the artifact has more than {MOST_COMPONENTS} components"
    if reason:
        raise LocalFileError("Cannot pack a file of this name", where=source, why=reason, hint=_HINT)


def _note_twins(name: str, seen: dict[str, str], rules: FolderExclusion | None) -> None:
    """Note if some file systems take *name* for one of those *seen* in its folder."""
    other = seen.setdefault(collision_key(name), name)
    if other != name and rules:
        rules.note_twins(other, name)


def _entry(source: str, path: str) -> Entry:
    # Not the status of os.scandir, which has no inode on Windows.
    status = os.lstat(system_path(source))
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        return Entry(path, source, kind, portable_mode(status, bytes))
    if kind == stat.S_IFLNK:
        return Entry(path, source, kind, 0o777, link=_link_target(source, path))
    if kind != stat.S_IFREG:
        raise LocalFileError("Cannot pack the file", where=source, why="it is a device, FIFO or socket", hint=_HINT)
    if not os.access(system_path(source), os.R_OK):
        raise LocalFileError(
            "Cannot read the file", where=source, why="permission denied", hint="Check its permissions."
        )
    mode = portable_mode(status, lambda: start_of(source))
    return Entry(path, source, kind, mode, status.st_size, fingerprint=fingerprint(status))


def _link_target(source: str, path: str) -> str:
    target = plain_path(os.readlink(system_path(source))).replace(os.sep, "/")
    reason = why_unsafe_link(target, path.count("/"))
    if reason:
        raise LocalFileError("Cannot pack the symbolic link", where=source, why=reason, hint=_HINT)
    return target
