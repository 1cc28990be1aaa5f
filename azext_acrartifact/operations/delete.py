"""delete: deletes an artifact with all its tags and referrers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InvalidInputError, LockedError, ProtocolError, RefusedError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.referrers import is_referrers_tag, owned_tags, owner_of, referrers_tag
from ..oci.registry import Registry
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope
from .artifact_reference import not_found, require_version
from .list_referrers import DEEPEST, Referrer, flattened, walk_referrers
from .locks import locks_in, naming_locks, with_locks
from .parallel import naming_what_was_done
from .repository_inventory import Inventory, names_of_tags, tags_in


@dataclass(frozen=True)
class BrokenIndex:
    """An index with *tags* that lists the artifact to delete, directly or through another index."""

    digest: Digest
    tags: Sequence[str]


@dataclass(frozen=True)
class LockedTag:
    """A tag with *locks*, such as `writeEnabled`. They do not protect its manifest: the service deletes a manifest with
    its locked tags."""

    name: str
    locks: Sequence[str]


@dataclass(frozen=True)
class Deletion:
    """A planned deletion: the manifest with all *tags*, also *locked* ones, and its *referrers*, each before its own.
    The *indexes* would miss it. If *uses_tag_schema*, the registry uses the referrers tag schema and does not delete
    referrers itself, nor their *lists*, which are mapped from the manifest that they are for. *signatures* are the
    manifests that belong to these by their only tag, as cosign's do: no registry knows of that."""

    reference: Reference
    digest: Digest
    tags: Sequence[str]
    referrers: Sequence[Referrer]
    indexes: Sequence[BrokenIndex]
    uses_tag_schema: bool = False
    locked: Sequence[LockedTag] = ()
    lists: Mapping[Digest, Digest] = field(default_factory=dict)
    signatures: Mapping[str, Digest] = field(default_factory=dict)


def plan_delete(registry: Registry, reference: Reference, *, confirmed: bool = False, forced: bool = False) -> Deletion:
    """Find all that deleting *reference* deletes with it. Raises `NotFoundError` if it does not exist.

    Of a *confirmed* deletion, only direct referrers are listed if the registry deletes the others itself. If it is
    *forced* as well, it needs no list of manifests, and also works where no tags can be listed. Otherwise this
    takes one request for every hundred of its tags and of the repository's manifests, one for each tagged index and
    the indexes in it, one for the referrers and, unless all manifests are known, one for each of them.
    """
    registry_name = reference.server.partition(".")[0]
    hint = (
        f"Write {reference}:TAG. To delete all of the repository: az acr repository delete --name {registry_name} "
        f"--repository {reference.repository}"
    )
    version, repository = require_version(reference, hint), reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, DELETE, METADATA_READ))
    found = registry.manifests.resolve(repository, version)
    if found is None:
        raise not_found(reference)
    inventory = Inventory(registry, repository)
    if not (confirmed and forced):
        inventory.list_manifests()
    tags: Sequence[Mapping[str, Any]] = ()
    try:
        tags = registry.metadata.tags_of(repository, found.digest)
    except ProtocolError:
        if not (confirmed and forced):
            raise
    indexes = _broken(inventory, found.digest)
    referrers: Sequence[Referrer] = ()
    if confirmed:
        # A registry with a referrers API deletes those of referrers itself: listing them would take a request for each.
        with contextlib.suppress(RefusedError):
            referrers = _referrers(inventory, found.digest, 1)
    if not confirmed or registry.referrers.uses_tag_schema(repository):
        referrers = _referrers(inventory, found.digest)
    uses_tag_schema = registry.referrers.uses_tag_schema(repository)
    return Deletion(
        reference,
        found.digest,
        [str(tag["name"]) for tag in tags],
        referrers,
        indexes,
        uses_tag_schema,
        [LockedTag(str(tag["name"]), locks) for tag in tags if (locks := locks_in(tag))],
        _lists(registry, repository, found.digest, referrers) if uses_tag_schema else {},
        _signatures(inventory, found.digest, referrers),
    )


def require_unprotected(deletion: Deletion) -> None:
    """Raise `LockedError` if a tag of the artifact is locked, `InvalidInputError` if a tagged index lists it."""
    if deletion.locked:
        locked = [(replace(deletion.reference, tag=tag.name, digest=None), tag.locks) for tag in deletion.locked]
        error = LockedError("A tag of the artifact is locked", where=str(deletion.reference))
        raise with_locks(error, locked, "; or give --force")
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
    """Delete what *deletion* names, signatures last; a manifest that is already gone counts as deleted."""
    _delete_manifests(registry, deletion)
    done = [f"{deletion.digest} was deleted"]
    with naming_what_was_done(done):
        for tag, digest in deletion.signatures.items():
            registry.manifests.delete(deletion.reference.repository, digest)
            done.append(f"{tag} was deleted")


def _delete_manifests(registry: Registry, deletion: Deletion) -> None:
    repository, digest = deletion.reference.repository, deletion.digest
    if not deletion.uses_tag_schema:
        try:
            registry.manifests.delete(repository, digest)
        except LockedError:
            with naming_locks(registry, _locked(registry, deletion)):
                raise
        return
    with naming_locks(registry, _references(deletion, [item.descriptor.digest for item in deletion.referrers])):
        manifest = registry.manifests.find(repository, digest)
        for doomed in (*(item.descriptor.digest for item in reversed(deletion.referrers)), digest):
            registry.manifests.delete(repository, doomed)
            if doomed in deletion.lists:
                registry.manifests.delete(repository, deletion.lists[doomed])
        if manifest and manifest.subject:
            registry.referrers.forget(repository, manifest.subject.digest, [digest])


def _signatures(inventory: Inventory, digest: Digest, referrers: Sequence[Referrer]) -> dict[str, Digest]:
    """Return the manifests that belong to *digest* and *referrers* by their only tag, unlocked. Any identity that may
    push can put such a tag on any manifest, so one with another tag stays. If the manifests are not listed, each
    possible tag of *digest* is looked up; those of referrers would take a request each."""
    registry, repository = inventory.registry, inventory.repository
    owners = {digest, *(item.descriptor.digest for item in referrers)}
    if inventory.manifests:
        found = {tag: digest for digest, tags in inventory.tagged().items() for tag in tags if owner_of(tag) in owners}
    else:
        resolved = {tag: registry.manifests.resolve(repository, tag) for tag in owned_tags(digest)}
        found = {tag: one.digest for tag, one in resolved.items() if one}
    return {
        tag: digest
        for tag, digest in sorted(found.items())
        if not is_referrers_tag(tag) and digest not in owners and _is_alone(registry, repository, digest)
    }


def _is_alone(registry: Registry, repository: str, digest: Digest) -> bool:
    """Return whether *digest* has one tag, and neither is locked."""
    try:
        tags = registry.metadata.tags_of(repository, digest)
        return len(tags) == 1 and not locks_in(tags[0]) and not locks_in(registry.metadata.manifest(repository, digest))
    except ProtocolError:
        return False


def _lists(registry: Registry, repository: str, digest: Digest, referrers: Sequence[Referrer]) -> dict[Digest, Digest]:
    """Return the lists of referrers of *digest* and of *referrers*, each an index under a tag.

    Any identity that may push can put such a tag on any manifest. It counts only on an index that has no other tag, and
    whose children are all among the *referrers* of that subject.
    """
    of_subject: dict[Digest, set[Digest]] = {digest: set()}
    for item in referrers:
        of_subject.setdefault(item.descriptor.digest, set())
        of_subject.setdefault(item.subject, set()).add(item.descriptor.digest)
    found = {}
    for subject, attached in of_subject.items():
        index = registry.manifests.find(repository, referrers_tag(subject))
        if index is None or not index.is_index or index.subject or index.digest in of_subject:
            continue
        if {child.digest for child in index.manifests} <= attached and _has_one_tag(registry, repository, index.digest):
            found[subject] = index.digest
    return found


def _has_one_tag(registry: Registry, repository: str, digest: Digest) -> bool:
    """Return whether *digest* has one tag. A registry without ACR's list of tags does not say, so it does not count."""
    try:
        return len(names_of_tags(registry, repository, digest)) == 1
    except ProtocolError:
        return False


def _references(deletion: Deletion, others: Sequence[Digest]) -> list[Reference]:
    return [deletion.reference.at(digest) for digest in (deletion.digest, *others)]


def _locked(registry: Registry, deletion: Deletion) -> list[Reference]:
    """Return the artifact and its locked referrers. Called only after the registry refused the deletion."""
    inventory = Inventory(registry, deletion.reference.repository)
    inventory.list_manifests()
    below = [item.descriptor.digest for item in _referrers(inventory, deletion.digest)]
    return _references(deletion, [one for one in below if locks_in(inventory.manifests.get(one, {}))])


def _referrers(inventory: Inventory, digest: Digest, deepest: int = DEEPEST) -> list[Referrer]:
    """Return the referrers of *digest* and theirs, at most *deepest* levels, each before its own."""
    listed, registry, repository = inventory if inventory.manifests else None, inventory.registry, inventory.repository
    return list(flattened(walk_referrers(registry, repository, [digest], deepest, listed, verify=True)[digest]))


def _broken(inventory: Inventory, digest: Digest) -> list[BrokenIndex]:
    """Return the tagged indexes above *digest*, except lists of referrers. Reads from the tagged indexes downwards, so
    that indexes below no tag, whose loss breaks nothing, cost no request."""
    tags = {
        found: [tag for tag in tags_in(inventory.manifests[found]) if not is_referrers_tag(tag)]
        for found in inventory.indexes()
    }
    level = {found for found, names in tags.items() if names and found != digest}
    read: set[Digest] = set()
    while level:
        inventory.read(level, strictly=False)
        read |= level
        below = {child for found in level for child in inventory.relations[found].children}
        level = (below & tags.keys()) - read - {digest}
    above = {digest}
    while more := {found for found in read if inventory.relations[found].children & above} - above:
        above |= more
    return [BrokenIndex(found, tags[found]) for found in sorted(above - {digest}) if tags[found]]
