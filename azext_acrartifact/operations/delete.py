"""delete: an artifact goes, with all its tags and everything attached to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InvalidInputError, LockedError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.referrers import is_list_tag, tag_of
from ..oci.registry import Registry
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope
from .list_referrers import DEEPEST, Referrer, flattened, walk_referrers
from .repository_inventory import Inventory, locks_in, tags_in
from .update import naming, naming_locks
from .versions import no_such


@dataclass(frozen=True)
class BrokenIndex:
    """An index with *tags* that lists, perhaps by another index, what is to be deleted."""

    digest: Digest
    tags: Sequence[str]


@dataclass(frozen=True)
class LockedTag:
    """A tag whose *locks*, such as `writeEnabled`, are set to keep it. They don't keep its manifest: the service lets
    that go, and the tag with it."""

    name: str
    locks: Sequence[str]


@dataclass(frozen=True)
class Deletion:
    """What would go: the manifest, every tag of it, those that are *locked* too, and the *referrers*, each before what
    refers to it in turn; and the *indexes* that would be left without it. *kept_by_tag*: the registry deletes no
    referrers itself."""

    reference: Reference
    digest: Digest
    tags: Sequence[str]
    referrers: Sequence[Referrer]
    indexes: Sequence[BrokenIndex]
    kept_by_tag: bool = False
    locked: Sequence[LockedTag] = ()


def plan_delete(registry: Registry, reference: Reference, asked: bool = True, forced: bool = False) -> Deletion:
    """Find out what deleting *reference* takes along. Raises `NotFoundError` when it does not exist.

    If nobody is *asked*, referrers need no names; if it is *forced* as well, nor do tags and indexes. Otherwise that is
    a request for every hundred tags of it and every hundred manifests of the repository, one for each tagged index and
    those in it, one for the referrers and, unless the list of manifests leaves none, one for each of these.
    """
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
        raise no_such(reference)
    whole = Inventory(registry, repository)
    tags: Sequence[Mapping[str, Any]] = ()
    if asked or not forced:
        whole.list_manifests()
        tags = registry.metadata.tags_of(repository, found.digest)
    indexes = _broken(whole, found.digest)
    if not asked:
        next(registry.referrers.of(repository, found.digest), None)  # tells who has to delete them
    referrers = _referrers(whole, found.digest) if asked or registry.referrers.kept_by_tag else []
    return Deletion(
        reference,
        found.digest,
        [str(tag["name"]) for tag in tags],
        referrers,
        indexes,
        registry.referrers.kept_by_tag,
        [LockedTag(str(tag["name"]), locks) for tag in tags if (locks := locks_in(tag))],
    )


def require_unprotected(deletion: Deletion) -> None:
    """Raise `LockedError` when a tag that is locked would go, `InvalidInputError` when a tagged index would be left
    without a part of it."""
    if deletion.locked:
        held = [(replace(deletion.reference, tag=tag.name, digest=None), tag.locks) for tag in deletion.locked]
        raise naming(
            LockedError("A tag of the artifact is locked", where=str(deletion.reference)), held, "; or give --force"
        )
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
    if not deletion.kept_by_tag:
        try:
            registry.manifests.delete(repository, digest)
        except LockedError:
            with naming_locks(registry, _locked(registry, deletion)):
                raise
        return
    with naming_locks(registry, _places(deletion, [item.descriptor.digest for item in deletion.referrers])):
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


def _places(deletion: Deletion, others: Sequence[Digest]) -> list[Reference]:
    """What may be locked."""
    held = deletion.reference.at(deletion.digest)
    return [held, *map(held.at, others)]


def _locked(registry: Registry, deletion: Deletion) -> list[Reference]:
    """What is locked of that which goes along; only when it did not go, this has to be known."""
    whole = Inventory(registry, deletion.reference.repository)
    whole.list_manifests()
    below = [item.descriptor.digest for item in _referrers(whole, deletion.digest)]
    return _places(deletion, [one for one in below if locks_in(whole.manifests.get(one, {}))])


def _referrers(whole: Inventory, digest: Digest) -> list[Referrer]:
    """All that goes with *digest*, each before what refers to it in turn."""
    listed = whole if whole.manifests else None
    return list(flattened(walk_referrers(whole.registry, whole.repository, [digest], DEEPEST, listed)[digest]))


def _broken(whole: Inventory, digest: Digest) -> list[BrokenIndex]:
    """The tagged indexes above *digest*, but for lists of referrers, which are no content. From the tagged ones
    downwards: what no tag leads to is no loss, and is not read."""
    tags = {
        found: [tag for tag in tags_in(whole.manifests[found]) if not is_list_tag(tag)] for found in whole.indexes()
    }
    level = {found for found, names in tags.items() if names and found != digest}
    read: set[Digest] = set()
    while level:
        whole.read(level, strictly=False)
        read |= level
        below = {child for found in level for child in whole.relations[found].children}
        level = (below & tags.keys()) - read - {digest}
    above = {digest}
    while more := {found for found in read if whole.relations[found].children & above} - above:
        above |= more
    return [BrokenIndex(found, tags[found]) for found in sorted(above - {digest}) if tags[found]]
