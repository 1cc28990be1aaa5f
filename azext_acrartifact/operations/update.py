"""update: locks of repositories, tags and manifests; and which of them stands in the way.

A lock on a tag does not lock its manifest, nor the other way round
(https://learn.microsoft.com/azure/container-registry/container-registry-image-lock).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import ArtifactError, InvalidInputError, LockedError, NotFoundError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, METADATA_WRITE, PULL, Scope

WRITE = "writeEnabled"
BLOCKING = (WRITE, "deleteEnabled", "readEnabled")
_OPTIONS = {WRITE: "--write-enabled", "deleteEnabled": "--delete-enabled", "readEnabled": "--read-enabled"}


def update(registry: Registry, reference: Reference, attributes: Mapping[str, bool]) -> dict[str, Any]:
    """Set *attributes* of what *reference* names: a tag, a manifest by its digest, or a repository; its properties.

    Raises `NotFoundError` when it does not exist, `InvalidInputError` when nothing is to be set.
    """
    if not attributes:
        raise InvalidInputError("Nothing to change", hint="Give --write-enabled false, or another of the attributes.")
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ, METADATA_WRITE))
    return registry.metadata.change(repository, reference.version, attributes)


def lock(registry: Registry, repository: str, tags: Sequence[str], digest: Digest) -> None:
    """Forbid to write or delete the manifest and each of *tags*."""
    for version in (digest, *tags):
        registry.metadata.change(repository, version, {WRITE: False})


@contextmanager
def naming_locks(registry: Registry, places: Sequence[Reference]) -> Iterator[None]:
    """Make a `LockedError` of the block say which of *places*, or their repository, is locked, and how to lift it."""
    try:
        yield
    except LockedError as error:
        raise _explained(registry, places, error) from error


def require_writable(registry: Registry, places: Sequence[Reference]) -> None:
    """Raise the `LockedError` that a write to *places* would meet. An identity that may not read locks, and a registry
    that has none, find nothing."""
    try:
        held = [(place, [name for name in locks if name == WRITE]) for place, locks in _held(registry, places)]
    except ArtifactError:
        return
    if any(locks for _, locks in held):
        raise naming(LockedError("A lock forbids the push", where=str(places[0])), held)


def _explained(registry: Registry, places: Sequence[Reference], error: LockedError) -> LockedError:
    if "/blobs/" in error.where:
        # Blobs have no locks of their own. Nor may anything be asked here: the other transfers are being stopped.
        return naming(error, [(_whole(places), [WRITE])])
    try:
        return naming(error, _held(registry, places))
    except ArtifactError:
        return error


def _held(registry: Registry, places: Sequence[Reference]) -> list[tuple[Reference, list[str]]]:
    """The locks of the repository and of each of *places*, which lie in it."""
    return [(place, _locks(registry, place)) for place in dict.fromkeys([_whole(places), *places])]


def _whole(places: Sequence[Reference]) -> Reference:
    return Reference(places[0].server, places[0].repository)


def naming(error: LockedError, held: Sequence[tuple[Reference, Sequence[str]]], otherwise: str = "") -> LockedError:
    """*error* with the locks of *held* named, and the command that lifts them; *otherwise* is another way to go on."""
    found = [(place, locks) for place, locks in held if locks]
    if not found:
        return error
    return LockedError(
        error.what,
        where=error.where,
        why="; ".join(f"{place} has {', '.join(f'{name}=false' for name in locks)}" for place, locks in found),
        hint="To lift the lock: " + "; ".join(_remedy(place, locks) for place, locks in found) + otherwise,
        status=error.status,
        code=error.code,
        correlation_id=error.correlation_id,
    )


def _locks(registry: Registry, place: Reference) -> list[str]:
    metadata = registry.metadata
    try:
        if place.digest:
            properties = metadata.manifest(place.repository, place.digest)
        elif place.tag:
            properties = metadata.tag(place.repository, place.tag)
        else:
            properties = metadata.repository(place.repository)
    except NotFoundError:
        return []
    attributes = properties.get("changeableAttributes")
    return [name for name in BLOCKING if isinstance(attributes, dict) and attributes.get(name) is False]


def _remedy(place: Reference, locks: Sequence[str]) -> str:
    name = str(place) if place.version else f"--name {place.server} --repository {place.repository}"
    return f"az acr artifact update {name} " + " ".join(f"{_OPTIONS[lock]} true" for lock in locks)
