"""Locks of repositories, tags and manifests, and the error that names them.

A lock on a tag does not lock its manifest, nor the other way round
(https://learn.microsoft.com/azure/container-registry/container-registry-image-lock).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..errors import ArtifactError, LockedError, NotFoundError, restated
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry

WRITE = "writeEnabled"
DELETE_LOCKS = ("deleteEnabled", WRITE)
"""Attributes each of which forbids to delete when it is false."""
_OPTIONS = {WRITE: "--write-enabled", "deleteEnabled": "--delete-enabled", "readEnabled": "--read-enabled"}


def locks_in(properties: Mapping[str, Any], attributes: Sequence[str] = DELETE_LOCKS) -> list[str]:
    """Return those of *attributes* that are false in *properties*; by default, the ones that forbid to delete."""
    values = properties.get("changeableAttributes")
    return [name for name in attributes if isinstance(values, Mapping) and values.get(name) is False]


def lock(registry: Registry, repository: str, tags: Sequence[str], digest: Digest, done: list[str]) -> None:
    """Forbid to write or delete the manifest and each of *tags*; add each lock to *done*."""
    for version in (digest, *tags):
        registry.metadata.change(repository, version, {WRITE: False})
        done.append(f"{version} was locked")


@contextmanager
def naming_locks(registry: Registry, references: Sequence[Reference]) -> Iterator[None]:
    """Make a `LockedError` of the block name the locks on *references* and their repository, and how to lift them."""
    try:
        yield
    except LockedError as error:
        raise _explained(registry, references, error) from error


def require_writable(registry: Registry, references: Sequence[Reference], *, repository: bool = False) -> None:
    """Raise the `LockedError` that a write to *references* would meet, if *repository* also one of their repository:
    that one the registry refuses before it takes a byte. Passes where locks cannot be read: the identity may not, or
    the registry has none."""
    if not references:
        return
    try:
        locked = _read(registry, references, [WRITE], repository=repository)
    except ArtifactError:
        return
    if any(locks for _, locks in locked):
        raise with_locks(LockedError("A lock forbids the push", where=str(references[0])), locked)


def require_movable(registry: Registry, repository: Reference, tag: str) -> None:
    """Raise the `LockedError` that a write to *tag* in *repository* would meet; see `require_writable`."""
    require_writable(registry, [replace(repository, tag=tag, digest=None)])


def with_locks(
    error: LockedError, locked: Sequence[tuple[Reference, Sequence[str]]], alternative: str = ""
) -> LockedError:
    """Return *error* with the locks of *locked* and the commands that lift them; *alternative* follows these."""
    found = [(reference, locks) for reference, locks in locked if locks]
    if not found:
        return error
    return restated(
        error,
        why="; ".join(f"{reference} has {', '.join(f'{name}=false' for name in locks)}" for reference, locks in found),
        hint="To lift the lock: " + "; ".join(_remedy(reference, locks) for reference, locks in found) + alternative,
    )


def _explained(registry: Registry, references: Sequence[Reference], error: LockedError) -> LockedError:
    if "/blobs/" in error.where:
        # Blobs have no locks of their own. No request can be sent here either: the other transfers are being stopped.
        return with_locks(error, [(replace(references[0], tag=None, digest=None), [WRITE])])
    try:
        return with_locks(error, _read(registry, references))
    except ArtifactError:
        return error


def _read(
    registry: Registry,
    references: Sequence[Reference],
    attributes: Sequence[str] = tuple(_OPTIONS),
    *,
    repository: bool = True,
) -> list[tuple[Reference, list[str]]]:
    """Read the locks of each of *references*, and of their *repository*."""
    above = [replace(references[0], tag=None, digest=None)] if repository else []
    unique = dict.fromkeys([*above, *references])
    return [(reference, locks_in(_properties(registry, reference), attributes)) for reference in unique]


def _properties(registry: Registry, reference: Reference) -> Mapping[str, Any]:
    metadata, repository = registry.metadata, reference.repository
    try:
        if reference.digest:
            return metadata.manifest(repository, reference.digest)
        return metadata.tag(repository, reference.tag) if reference.tag else metadata.repository(repository)
    except NotFoundError:
        return {}


def _remedy(reference: Reference, locks: Sequence[str]) -> str:
    name = str(reference) if reference.version else f"--name {reference.server} --repository {reference.repository}"
    return f"az acr artifact update {name} " + " ".join(f"{_OPTIONS[lock]} true" for lock in locks)
