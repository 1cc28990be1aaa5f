"""COPY: files of the build context as an image layer, a reproducible tar+gzip.

https://docs.docker.com/reference/dockerfile/#copy; layer format: OCI image specification, layer.md
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import os
import posixpath
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from acr_emulator.tasks.dockerfile import DockerfileError

LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Layer:
    """A finished layer. *diff_id* is the digest of the uncompressed tar."""

    file: Path
    digest: str
    diff_id: str
    size: int
    media_type: str = LAYER_TYPE


@dataclass(frozen=True)
class Ownership:
    """The values of `--chown` and `--chmod`; with None, files keep the context's mode."""

    uid: int = 0
    gid: int = 0
    mode: int | None = None


class _HashingWriter:
    """A file object that hashes the bytes that it writes to *sink*."""

    def __init__(self, sink: IO[bytes] | gzip.GzipFile) -> None:
        self._sink = sink
        self._checksum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._checksum.update(data)
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        self._sink.flush()

    def digest(self) -> str:
        return f"sha256:{self._checksum.hexdigest()}"


def copy_layer(context: Path, sources: list[str], destination: str, ownership: Ownership, file: Path) -> Layer:
    """Write the layer of `COPY sources destination` to *file*; *destination* is absolute, with a trailing slash for a
    folder. Raise `DockerfileError`."""
    entries = _entries(context, sources, destination)
    with file.open("wb") as raw:
        compressed = _HashingWriter(raw)
        with gzip.GzipFile(filename="", mode="wb", fileobj=compressed, mtime=0) as zipped:
            plain = _HashingWriter(zipped)
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
                _write(archive, entries, ownership)
    return Layer(file, compressed.digest(), plain.digest(), file.stat().st_size)


def _entries(context: Path, sources: list[str], destination: str) -> dict[str, Path]:
    """Return the file in the context for each name in the image."""
    found = [path for source in sources for path in _matches(context, source)]
    if not found:
        raise DockerfileError("COPY failed: no source files were specified")
    into_folder = destination.endswith("/")
    if len(found) > 1 and not into_folder:
        raise DockerfileError(
            "When using COPY with more than one source file, the destination must be a directory and end with a /"
        )
    base = destination.strip("/")
    entries: dict[str, Path] = {}
    for path in found:
        if path.is_dir():
            entries.update({posixpath.join(base, name): item for name, item in _tree(path)})
        else:
            entries[posixpath.join(base, path.name) if into_folder else base] = path
    return entries


def _matches(context: Path, source: str) -> list[Path]:
    clean = posixpath.normpath("/" + source)[1:]
    if ".." in source.split("/") and posixpath.normpath(source).startswith(".."):
        raise DockerfileError(f"COPY failed: forbidden path outside the build context: {source} ()")
    if not any(character in clean for character in "*?["):
        path = context / clean
        if not path.exists() or not _within(context, path):
            raise DockerfileError(
                "COPY failed: file not found in build context or excluded by .dockerignore: "
                f"stat {clean}: file does not exist"
            )
        return [path]
    paths = [context]
    for part in clean.split("/"):
        paths = [child for path in paths if path.is_dir() for child in _children(path) if _glob(child.name, part)]
    return [path for path in paths if _within(context, path)]


def _glob(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: path.name)


def _tree(folder: Path) -> Iterator[tuple[str, Path]]:
    for child in _children(folder):
        yield child.name, child
        if child.is_dir() and not child.is_symlink():
            yield from ((f"{child.name}/{name}", item) for name, item in _tree(child))


def _within(context: Path, path: Path) -> bool:
    root = os.path.realpath(context)
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def _write(archive: tarfile.TarFile, entries: dict[str, Path], ownership: Ownership) -> None:
    written: set[str] = set()
    for name in sorted(entries):
        for parent in _parents(name):
            if parent not in written and parent not in entries:
                archive.addfile(_header(parent, tarfile.DIRTYPE, 0o755, Ownership()))
                written.add(parent)
        _add(archive, name, entries[name], ownership)


def _add(archive: tarfile.TarFile, name: str, path: Path, ownership: Ownership) -> None:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode) if ownership.mode is None else ownership.mode
    if stat.S_ISLNK(status.st_mode):
        header = _header(name, tarfile.SYMTYPE, 0o777, ownership)
        header.linkname = os.readlink(path)
        archive.addfile(header)
    elif stat.S_ISDIR(status.st_mode):
        archive.addfile(_header(name, tarfile.DIRTYPE, mode, ownership))
    else:
        header = _header(name, tarfile.REGTYPE, mode, ownership)
        header.size = status.st_size
        with path.open("rb") as source:
            archive.addfile(header, source)


def _header(name: str, kind: bytes, mode: int, ownership: Ownership) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name + "/" if kind == tarfile.DIRTYPE else name)
    header.type, header.mode, header.mtime = kind, mode, 0
    header.uid, header.gid = ownership.uid, ownership.gid
    return header


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]
