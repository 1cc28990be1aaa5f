"""Files that another user, or an earlier command, left where a pull writes; free space and permissions (R2, R19)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import REFUSES, Case, Right, either
from tests.hostile.site import OLDER, Site, digest_of, manifest, site, titled, variant

LARGE = b"0123456789abcdef" * (17 << 16)
"""17 MiB: large enough for a resumable file."""
RANGE = 2 << 20
"""The length of a range in a note of ours: another one would not be believed, and the case would test nothing."""
STEM = ".acrartifact-" + hashlib.sha256(b"large.bin").hexdigest()[:16]
WHOLE = Right({"large.bin": LARGE})


def large() -> Site:
    """Return an artifact of one large file."""
    return site({"large.bin": LARGE})


def planted(action: Callable[[Path, Path], None]) -> Callable[[Path], None]:
    """Return a preparation that does *action* with the destination and the folder outside."""
    return lambda folder: action(folder / "work" / "out", folder / "outside")


def linked(name: str, target: str) -> Callable[[Path, Path], None]:
    """Return an action that makes *name* in the destination a link to *target*."""
    return lambda out, outside: (out / name).symlink_to(target)


_note_link = linked(f"{STEM}.note", "../../outside/secret.txt")


def _note(out: Path) -> None:
    head = {"digest": digest_of(LARGE), "size": len(LARGE), "segment": RANGE}
    ranges = range(-(-len(LARGE) // RANGE))
    (out / f"{STEM}.note").write_text(json.dumps(head) + "\n" + "".join(f"{number}\n" for number in ranges))


def _unfinished_link(out: Path, outside: Path) -> None:
    (out / f"{STEM}.kept").symlink_to("../../outside/secret.txt")
    _note(out)


def _unfinished_hard(out: Path, outside: Path) -> None:
    os.link(outside / "secret.txt", out / f"{STEM}.kept")
    _note(out)


def _unfinished_fifo(out: Path, outside: Path) -> None:
    os.mkfifo(out / f"{STEM}.kept")


def _unfinished_wrong(out: Path, outside: Path) -> None:
    (out / f"{STEM}.kept").write_bytes(b"e" * len(LARGE))
    _note(out)


def _unfinished_others(out: Path, outside: Path) -> None:
    _unfinished_wrong(out, outside)
    os.chown(out / f"{STEM}.kept", 65534, 65534)
    (out / f"{STEM}.kept").chmod(0o666)


def _note_link_beside(out: Path, outside: Path) -> None:
    (out / f"{STEM}.kept").write_bytes(b"e" * len(LARGE))
    _note_link(out, outside)


def _note_evil(out: Path, outside: Path) -> None:
    (out / f"{STEM}.kept").write_bytes(b"")
    (out / f"{STEM}.note").write_bytes(b"[" * 100_000 + b"\n" + b"9" * 5000 + b"\n-1\n")


def _no_folder(folder: Path) -> None:
    (folder / "work" / "out" / "a.txt").unlink()
    (folder / "work" / "out" / "keep.txt").unlink()
    (folder / "work" / "out").rmdir()
    (folder / "work" / "out").write_bytes(OLDER)


PLANTED: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "kept-link": ("the unfinished file of an earlier pull is a link out", _unfinished_link),
    "kept-hard-link": ("the unfinished file is a hard link to another file", _unfinished_hard),
    "kept-fifo": ("the unfinished file is a FIFO", _unfinished_fifo),
    "kept-wrong": ("the unfinished file has other bytes, and a note that it is complete", _unfinished_wrong),
    "kept-others": ("the unfinished file belongs to another user", _unfinished_others),
    "note-link": ("the note about it is a link out", _note_link),
    "note-link-kept": ("the file is there, and the note about it is a link out", _note_link_beside),
    "note-evil": ("the note about it is nonsense", _note_evil),
}


@variant
def _huge(made: Site, count: int) -> None:
    layers = [{**made.add(b"x"), "size": 1 << 45, **titled(f"{number}.bin")} for number in range(count)]
    made.put(manifest(layers))


CASES = [
    *(Case(f"disk-{name}", "R2", does, large, either(**{"large.bin": LARGE}), before=planted(plant)) for name, (does, plant) in PLANTED.items()),
    Case("disk-part-link", "R2", "a temporary file of an earlier pull is a link out", site, either(), before=planted(linked(".acrartifact-0123456789abcdef.part", "../../outside"))),
    Case("disk-proc", "R2", "a parent folder is a link to /proc", lambda: site({"d/fd/1": b"x"}), REFUSES, before=planted(linked("d", "/proc/self"))),
    Case("disk-destination-is-file", "R19", "the destination is a file", site, REFUSES, before=_no_folder),
    Case("disk-full", "R19", "files of 32 TiB each", _huge(3), REFUSES),
    Case("disk-full-sum", "R19", "2^63 bytes in all", _huge(1 << 14), REFUSES),
    Case("ok-large", "R2", "a large file", large, WHOLE),
]  # fmt: skip
