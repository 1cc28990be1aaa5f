"""The cost of a pull's checks: the same work by the extension's modules, and by the standard library without checks.

Both run interleaved in this process. The result is the median of processor time, of all threads together.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder, safe_name
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.files.writing.destination import Destination
from azext_acrartifact.oci.digest import Digest, Verifier
from azext_acrartifact.oci.manifest import parse_manifest
from azext_acrartifact.operations.pull_plan import plan_pull

MIB = 1 << 20
_TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for *what*, with our checks and without."""

    what: str
    checked: float
    unchecked: float


@dataclass(frozen=True)
class _Work:
    what: str
    checked: Callable[[Path], object]
    unchecked: Callable[[Path], object]


def measure(scratch: Path, rounds: int) -> list[Cost]:
    """Measure each check in *scratch*, every round in a new folder."""
    costs = []
    for work in (_manifest(2000), _files(2000), _folder(5000), _blob(256)):
        pairs = [(_timed(work.checked, scratch), _timed(work.unchecked, scratch)) for _ in range(rounds)]
        checked, unchecked = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
        costs.append(Cost(work.what, checked, unchecked))
    return costs


def _timed(run: Callable[[Path], object], scratch: Path) -> float:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        start = time.process_time()
        run(Path(folder))
        return time.process_time() - start


def _manifest(count: int) -> _Work:
    layers = [
        {
            "mediaType": "application/octet-stream",
            "digest": f"sha256:{number:064x}",
            "size": 4096,
            "annotations": {"org.opencontainers.image.title": f"folder/file-{number:04}.bin"},
        }
        for number in range(count)
    ]
    raw = json.dumps({"schemaVersion": 2, "mediaType": _TYPE, "config": layers[0], "layers": layers}).encode()
    return _Work(
        f"read a manifest of {count:,} files and check every name, type and size",
        lambda _: plan_pull(parse_manifest(raw, _TYPE, "bench"), Selection(), "bench"),
        lambda _: json.loads(raw),
    )


def _files(count: int) -> _Work:
    names = [f"folder/file-{number:04}.bin" for number in range(count)]
    content = random.Random(1).randbytes(4096)

    def checked(folder: Path) -> None:
        with Destination.open(str(folder)) as destination:
            wanted = [safe_name(name) for name in names]
            destination.require_writable(wanted)
            for name in wanted:
                with destination.open_temporary(name) as part:
                    part.write(content)
                    part.commit()

    def unchecked(folder: Path) -> None:
        (folder / "folder").mkdir()
        for name in names:
            (folder / name).write_bytes(content)

    return _Work(f"write {count:,} files of 4 KiB: temporary file, sync, rename, no link followed", checked, unchecked)


def _folder(count: int) -> _Work:
    content = random.Random(2).randbytes(100 * 1024)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for number in range(count):
            entry = tarfile.TarInfo(f"d/{number // 100}/file-{number:04}.bin")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    raw = made.getvalue()

    def checked(folder: Path) -> None:
        with Destination.open(str(folder)) as destination:
            with Extraction(destination, safe_folder("d"), max_size=len(raw)) as extraction:
                extraction.read(io.BytesIO(raw).read)
                extraction.commit()

    def unchecked(folder: Path) -> None:
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            archive.extractall(folder)  # made above

    what = f"extract a tar of {count:,} files, {len(raw) // MIB} MiB, and hash it uncompressed"
    return _Work(what, checked, unchecked)


def _blob(size: int) -> _Work:
    blocks: Sequence[memoryview] = [memoryview(random.Random(3).randbytes(MIB))] * size
    state = hashlib.sha256()
    for block in blocks:
        state.update(block)
    digest = Digest(f"sha256:{state.hexdigest()}")

    def checked(folder: Path) -> None:
        verifier = Verifier(digest, size * MIB)
        with Destination.open(str(folder)) as destination, destination.open_temporary(safe_name("blob")) as part:
            for block in blocks:
                verifier.update(block)
                part.write(block)
            verifier.finish()
            part.commit()

    def unchecked(folder: Path) -> None:
        state = hashlib.sha256()
        with (folder / "blob").open("wb", buffering=0) as file:
            for block in blocks:
                state.update(block)
                file.write(block)
            os.fsync(file.fileno())

    return _Work(f"hash and write a blob of {size} MiB; any client hashes it", checked, unchecked)
