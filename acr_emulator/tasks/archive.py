"""Extract a context's tar archives: bounded, and never outside their folder.

Names follow oras-go's file store, whose archives have the folder's own name in front of every entry:
https://github.com/oras-project/oras-go/blob/v2.6.0/content/file/utils.go
"""

from __future__ import annotations

import gzip
import hashlib
import os
import posixpath
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from acr_emulator.messages import BLOCK

UNPACKED_LIMIT = 4 * 1024**3
ENTRY_LIMIT = 200_000


class ArchiveError(Exception):
    """An archive that is unsafe or malformed."""


def unpack(file: Path, destination: Path, prefix: str, digest: str | None) -> None:
    """Extract the gzip-compressed tar *file* into *destination*; raise `ArchiveError`.

    Entry names start with *prefix* (empty: none). *digest* is that of the uncompressed tar, or None to skip the check.
    """
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=file.parent) as plain:
        checksum = hashlib.sha256()
        try:
            with gzip.open(file, "rb") as source:
                while block := source.read(BLOCK):
                    checksum.update(block)
                    plain.write(block)
                    if plain.tell() > UNPACKED_LIMIT:
                        raise ArchiveError(f"the archive is larger than {UNPACKED_LIMIT} bytes unpacked")
        except (OSError, EOFError, zlib.error) as error:
            raise ArchiveError(f"gzip: invalid header: {error}") from error
        if digest and digest != f"sha256:{checksum.hexdigest()}":
            raise ArchiveError("content digest mismatch")
        plain.seek(0)
        try:
            with tarfile.open(fileobj=plain, mode="r:") as archive:
                _extract(archive, destination, prefix)
        except tarfile.TarError as error:
            raise ArchiveError(f"archive/tar: invalid tar header: {error}") from error


def _extract(archive: tarfile.TarFile, destination: Path, prefix: str) -> None:
    for number, member in enumerate(archive):
        if number >= ENTRY_LIMIT:
            raise ArchiveError(f"the archive has more than {ENTRY_LIMIT} entries")
        relative = _inside(member.name, prefix)
        target = destination / relative
        _check_parent(destination, target)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        elif member.isreg():
            _write(archive, member, target)
        elif member.issym() or member.islnk():
            _link(member, destination, target, relative, prefix)


def _inside(name: str, prefix: str) -> str:
    relative = posixpath.relpath(name or ".", prefix or ".") if not name.startswith("/") else ".."
    if relative == ".." or relative.startswith("../"):
        raise ArchiveError(f'"{name}" is outside of "{prefix}"')
    return relative


def _check_parent(destination: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    root = os.path.realpath(destination)
    real = os.path.realpath(target.parent)
    if target != destination and os.path.commonpath([root, real]) != root:
        raise ArchiveError(f'"{target.name}" is outside of "{destination.name}"')


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = archive.extractfile(member)
    if source is None:
        raise ArchiveError(f'"{member.name}" has no content')
    if target.is_symlink() or target.is_file():
        target.unlink()
    with target.open("wb") as sink:
        shutil.copyfileobj(source, sink, BLOCK)
    target.chmod(member.mode & 0o777 | 0o600)


def _link(member: tarfile.TarInfo, destination: Path, target: Path, relative: str, prefix: str) -> None:
    if member.islnk():
        os.link(destination / _inside(member.linkname, prefix), target)
        return
    _inside(posixpath.join(posixpath.dirname(relative), member.linkname), "")
    if target.is_symlink() or target.is_file():
        target.unlink()
    target.symlink_to(member.linkname)
