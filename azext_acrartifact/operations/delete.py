"""delete: an artifact goes, with all its tags and everything attached to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError, NotFoundError
from ..oci.digest import Digest
from ..oci.mediatypes import INDEXES
from ..oci.reference import Reference
from ..oci.referrers import is_list_tag, tag_of
from ..oci.registry import Registry
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope
from .locks import naming_locks
from .referrers import DEEPEST, Referrer, flattened, walk_referrers


@dataclass(frozen=True)
class BrokenIndex:
    """An index with *tags* that lists, perhaps by another index, what is to be deleted."""

    digest: Digest
    tags: Sequence[str]


@dataclass(frozen=True)
class Deletion:
    """What would go: the manifest, every tag of it, and the *referrers*, each before what refers to it in turn;
    and the *indexes* that would be left without it. *kept_by_tag*: the registry deletes no referrers itself."""

    reference: Reference
    digest: Digest
    tags: Sequence[str]
    referrers: Sequence[Referrer]
    indexes: Sequence[BrokenIndex]
    kept_by_tag: bool = False


def plan_delete(registry: Registry, reference: Reference) -> Deletion:
    """Find out what deleting *reference* takes along: a request for every hundred manifests of the repository, one
    for each index there, one for each referrer. Raises `NotFoundError` when it does not exist."""
    if reference.version is None:
        raise InvalidInputError(
            "No tag and no digest",
            where=str(reference),
            hint=f"Write {reference}:TAG. To delete a repository: az acr repository delete --repository",
        )
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, DELETE, METADATA_READ))
    found = registry.manifests.resolve(repository, reference.version)
    if found is None:
        raise NotFoundError(
            "The artifact does not exist", where=str(reference), hint="Check the name, the tag and the registry."
        )
    tags = registry.metadata.tags_of(repository, found.digest)
    referrers = list(flattened(walk_referrers(registry, repository, [found.digest], DEEPEST)[found.digest]))
    indexes = _broken(registry, repository, found.digest)
    return Deletion(reference, found.digest, tags, referrers, indexes, registry.referrers.kept_by_tag)


def require_unbroken(deletion: Deletion) -> None:
    """Raise `InvalidInputError` when a tagged index would be left without a part of it."""
    if deletion.indexes:
        index = deletion.indexes[0]
        raise InvalidInputError(
            "A tagged index would be broken",
            where=str(deletion.reference),
            why=f"{deletion.reference.repository}:{index.tags[0]} ({index.digest}) lists {deletion.digest}"
            + (f", and {len(deletion.indexes) - 1} more do" if len(deletion.indexes) > 1 else ""),
            hint="Delete the index first, or give --force.",
        )


def delete(registry: Registry, deletion: Deletion) -> None:
    """Delete what was planned; a manifest that is gone already counts as deleted."""
    repository, digest = deletion.reference.repository, deletion.digest
    with naming_locks(registry, _places(deletion)):
        if not deletion.kept_by_tag:
            registry.manifests.delete(repository, digest)
            return
        manifest = registry.manifests.find(repository, digest)
        for doomed in (*(item.descriptor.digest for item in reversed(deletion.referrers)), digest):
            _delete_with_list(registry, repository, doomed)
        if manifest and manifest.subject:
            registry.referrers.forget(repository, manifest.subject.digest, [digest])


def _delete_with_list(registry: Registry, repository: str, digest: Digest) -> None:
    """Delete a manifest and the list, under its tag, of those that referred to it."""
    registry.manifests.delete(repository, digest)
    kept = registry.manifests.resolve(repository, tag_of(digest))
    if kept is not None:
        registry.manifests.delete(repository, kept.digest)


def _places(deletion: Deletion) -> list[Reference]:
    """What may be locked."""
    held = deletion.reference.at(deletion.digest)
    return [held, *(held.at(item.descriptor.digest) for item in deletion.referrers)]


def _broken(registry: Registry, repository: str, digest: Digest) -> list[BrokenIndex]:
    """The tagged indexes above *digest*, but for lists of referrers, which are no content."""
    tags = {
        Digest(item["digest"]): [str(tag) for tag in item.get("tags") or [] if not is_list_tag(str(tag))]
        for item in registry.metadata.manifests(repository)
        if item.get("mediaType") in INDEXES and item["digest"] != digest
    }
    indexes = {found: registry.manifests.find(repository, found) for found in tags}
    children = {found: {child.digest for child in index.manifests} for found, index in indexes.items() if index}
    above = {digest}
    while more := {found for found, below in children.items() if below & above} - above:
        above |= more
    return [BrokenIndex(found, tags[found]) for found in sorted(above - {digest}) if tags[found]]
