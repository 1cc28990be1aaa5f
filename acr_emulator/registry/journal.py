"""A repository's record on disk: one JSON line a change, appended, so that a change costs one write and no rename.

The file is replayed and written anew, short, when the emulator starts; a line that a crash cut off is left out.
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
"""What changed (`repository`, `manifest`, `tag`, `blob`) and its value, or what went (`-manifest`, …) and its key."""


def append(file: Path, records: Iterable[Record]) -> None:
    """Add *records* at the end of *file*."""
    with file.open("ab") as stream:
        stream.write(_lines(records))


def load(file: Path) -> Repository | None:
    """The repository that *file* tells of, which is compacted; None when it holds not one whole line."""
    records = list(_read(file))
    if not records:
        file.unlink()
        return None
    repository = Repository(records[0][1]["name"], "", "")
    for kind, value in records:
        _apply(repository, kind, value)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(_lines(_whole(repository)))
    os.replace(fresh, file)
    return repository


def head_record(repository: Repository) -> Record:
    """The repository's own times and locks."""
    head = {"name": repository.name, "created": repository.created, "updated": repository.updated}
    return "repository", {**head, "attributes": asdict(repository.attributes)}


def manifest_record(manifest: Manifest) -> Record:
    """A manifest, new or changed."""
    return "manifest", asdict(manifest)


def tag_record(tag: Tag) -> Record:
    """A tag, new or changed."""
    return "tag", asdict(tag)


def blob_record(digest: str, size: int) -> Record:
    """A blob of *size* bytes that the repository now has."""
    return "blob", [digest, size]


def _whole(repository: Repository) -> Iterator[Record]:
    yield head_record(repository)
    yield from map(manifest_record, repository.manifests.values())
    yield from map(tag_record, repository.tags.values())
    yield from (blob_record(digest, size) for digest, size in repository.blobs.items())


def _apply(repository: Repository, kind: str, value: Any) -> None:
    if kind == "repository":
        repository.created, repository.updated = value["created"], value["updated"]
        repository.attributes = Attributes(**value["attributes"])
    elif kind == "manifest":
        repository.manifests[value["digest"]] = Manifest.from_json(value)
    elif kind == "tag":
        repository.tags[value["name"]] = Tag.from_json(value)
    elif kind == "blob":
        repository.blobs[value[0]] = value[1]
    else:
        held: dict[str, dict[str, Any]] = {
            "-manifest": repository.manifests, "-tag": repository.tags, "-blob": repository.blobs,
        }  # fmt: skip
        del held[kind][value]


def _read(file: Path) -> Iterator[Record]:
    for line in file.read_bytes().split(b"\n")[:-1]:
        kind, value = json.loads(line)
        yield kind, value


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
