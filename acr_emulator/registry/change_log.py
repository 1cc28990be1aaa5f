"""A repository's change log on disk: one appended JSON line for each change, which costs one write and no rename.

When the emulator starts, it replays and compacts the file; it ignores a line that a crash cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acr_emulator.registry.records import Attributes, Manifest, Repository, Tag

Record = tuple[str, Any]
"""The kind of a new or changed item (`repository`, `manifest`, `tag`, `blob`) and its value, or the kind of a removed
one (`-manifest`, …) and its key."""


def append(file: Path, records: Iterable[Record]) -> None:
    """Append *records* to *file*."""
    with file.open("ab") as stream:
        stream.write(_lines(records))


def load(file: Path) -> Repository | None:
    """Replay and compact *file* and return its repository, or None if it has no complete line."""
    records = list(_read(file))
    if not records:
        file.unlink()
        return None
    repository = Repository(records[0][1]["name"], "", "")
    for kind, value in records:
        apply(repository, kind, value)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(_lines(_records(repository)))
    os.replace(fresh, file)
    return repository


def head_record(repository: Repository) -> Record:
    """Return a record of the repository's own times and locks."""
    head = {"name": repository.name, "created": repository.created, "updated": repository.updated}
    return "repository", {**head, "attributes": asdict(repository.attributes)}


def manifest_record(manifest: Manifest) -> Record:
    """Return a record of a new or changed manifest."""
    return "manifest", asdict(manifest)


def tag_record(tag: Tag) -> Record:
    """Return a record of a new or changed tag."""
    return "tag", asdict(tag)


def blob_record(digest: str, size: int) -> Record:
    """Return a record of a new blob of *size* bytes."""
    return "blob", [digest, size]


def _records(repository: Repository) -> Iterator[Record]:
    yield head_record(repository)
    yield from map(manifest_record, repository.manifests.values())
    yield from map(tag_record, repository.tags.values())
    yield from (blob_record(digest, size) for digest, size in repository.blobs.items())


def apply(repository: Repository, kind: str, value: Any) -> None:
    """Apply one record to *repository*."""
    if kind == "repository":
        repository.created, repository.updated = value["created"], value["updated"]
        repository.attributes = Attributes(**value["attributes"])
    elif kind == "manifest":
        repository.manifests[value["digest"]] = Manifest(**_with_attributes(value))
    elif kind == "tag":
        repository.tags[value["name"]] = Tag(**_with_attributes(value))
    elif kind == "blob":
        repository.blobs[value[0]] = value[1]
    else:
        items: dict[str, dict[str, Any]] = {
            "-manifest": repository.manifests, "-tag": repository.tags, "-blob": repository.blobs,
        }  # fmt: skip
        del items[kind][value]


def _with_attributes(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "attributes": Attributes(**value["attributes"])}


def _read(file: Path) -> Iterator[Record]:
    for line in file.read_bytes().split(b"\n")[:-1]:
        kind, value = json.loads(line)
        yield kind, value


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
