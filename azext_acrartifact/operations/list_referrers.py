"""list-referrers: the tree of the artifacts that are attached to an artifact."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..errors import InvalidManifestError, NotFoundError, ProtocolError, RefusedError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.mediatypes import CREATED
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transport.authorization import METADATA_READ, PULL, Scope
from .artifact_reference import not_found, require_version
from .parallel import run_all
from .repository_inventory import Inventory

DEEPEST = 10
MOST = 10_000
IN_FLIGHT = 2
"""ACR takes 250 lists of referrers a minute from one identity on its lower tiers
(https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""


@dataclass
class Referrer:
    """One manifest that refers to *subject*, and its own *referrers*. Its *artifact_type* is None if neither the list
    nor the manifest name it."""

    descriptor: Descriptor
    subject: Digest
    referrers: list[Referrer] = field(default_factory=list)

    @property
    def artifact_type(self) -> str | None:
        """The type from the list, or otherwise from the manifest."""
        return self.descriptor.artifact_type


@dataclass(frozen=True)
class ReferrerTree:
    """A *subject* and its *referrers*. Without *has_api* they are from a list under a tag, which any identity that may
    push can write."""

    reference: Reference
    subject: Descriptor
    referrers: Sequence[Referrer]
    has_api: bool


def list_referrers(
    registry: Registry, reference: Reference, artifact_type: str | None = None, recursive: bool = False
) -> ReferrerTree:
    """List the referrers of *reference*: one request per hundred, and if *recursive* at least one more for each.

    With *artifact_type*, only branches that lead to that type. Raises `RefusedError` rather than return a part.
    """
    repository, version = reference.repository, require_version(reference)
    subject = registry.manifests.resolve(repository, version)
    if subject is None:
        raise not_found(reference)
    found = walk_referrers(registry, repository, [subject.digest], DEEPEST if recursive else 1)[subject.digest]
    has_api = not registry.referrers.uses_tag_schema(repository)
    return ReferrerTree(reference.at(subject.digest), subject, _leading_to(found, artifact_type), has_api)


def walk_referrers(
    registry: Registry,
    repository: str,
    subjects: Iterable[Digest],
    deepest: int,
    inventory: Inventory | None = None,
    most: int = MOST,
    *,
    verify: bool = False,
) -> dict[Digest, list[Referrer]]:
    """Return the referrers of each of *subjects*, at most *deepest* levels and *most* manifests.

    Each manifest is followed once: a digest cannot refer to itself, but a registry may say that it does. An
    *inventory* with the list of manifests saves requests below the first level: once fewer manifests are unread than
    lists are needed, the manifests are read instead, since each of them names its only subject.

    With *verify*, lists under a tag are not believed, since any identity that may push can write them: only manifests
    that name their subject themselves are returned, at one request for each.
    """
    tops: dict[Digest, list[Referrer]] = {digest: [] for digest in subjects}
    level = dict(tops)
    seen = set(tops)
    for depth in range(deepest if deepest < DEEPEST else DEEPEST + 1):
        if depth == 0 or not _fill_from(inventory, level, seen):
            _list_level(registry, repository, level, len(seen), most, verify)
        new = {item.descriptor.digest: item.referrers for found in level.values() for item in found}
        level = {digest: found for digest, found in new.items() if digest not in seen}
        seen |= set(level)
        if len(seen) > most:
            raise _too_many(repository, most)
        if not level:
            break
    if level and deepest >= DEEPEST:
        raise RefusedError("The referrers are nested too deep", where=repository, why=f"more than {DEEPEST} levels")
    return tops


def newest_referrer(registry: Registry, subject: Reference, artifact_type: str) -> Manifest:
    """Return the manifest of the newest referrer of *artifact_type* by the registry's creation time, otherwise by the
    annotation, otherwise by the order of the list. Raises `NotFoundError` if there is none."""
    repository, digest = subject.repository, subject.digest
    assert digest is not None
    listed = walk_referrers(registry, repository, [digest], 1)[digest]
    found = [item.descriptor for item in listed if item.artifact_type == artifact_type]
    if not found:
        types = sorted({item.artifact_type or "unknown" for item in listed})
        raise NotFoundError(
            f"Nothing of type {artifact_type} is attached",
            where=str(subject),
            why=f"the attached types are {', '.join(types[:5])}" if types else "nothing is attached",
            hint=f"See: az acr artifact list-referrers {subject}",
        )
    newest = found[0] if len(found) == 1 else _newest(registry, repository, found)
    manifest = registry.manifests.get(repository, newest.digest)
    if not refers_to(manifest, digest):
        raise InvalidManifestError("The listed referrer has another subject", where=str(subject.at(newest.digest)))
    return manifest


def refers_to(manifest: Manifest, subject: Digest) -> bool:
    """Return whether *manifest* itself names *subject*; a registry's list of referrers proves nothing."""
    return manifest.subject is not None and manifest.subject.digest == subject


def _fill_from(inventory: Inventory | None, level: dict[Digest, list[Referrer]], seen: set[Digest]) -> bool:
    """Fill the lists of *level* from *inventory* if that takes fewer requests; return whether it did."""
    if inventory is None:
        return False
    unread = inventory.unread() - seen
    if len(unread) >= len(level):
        return False
    inventory.read(unread)
    for relation in inventory.relations.values():
        if relation.subject in level and relation.described:
            level[relation.subject].append(Referrer(relation.described, relation.subject))
    return True


def _list_level(
    registry: Registry, repository: str, level: dict[Digest, list[Referrer]], seen: int, most: int, verify: bool
) -> None:
    """Request the lists of *level*, two at a time, and count their entries on from *seen*, up to *most*."""
    counted = itertools.count(seen + 1)

    def fetch(digest: Digest) -> None:
        for child in registry.referrers.of(repository, digest):
            level[digest].append(Referrer(child, digest))
            if next(counted) > most:
                raise _too_many(repository, most)

    wrong: set[int] = set()

    def complete(item: Referrer) -> None:
        manifest = registry.manifests.find(repository, item.descriptor.digest)
        if manifest is None:
            if doubts:
                wrong.add(id(item))
            return
        if not refers_to(manifest, item.subject):
            wrong.add(id(item))
        item.descriptor = replace(item.descriptor, artifact_type=manifest.artifact_type)

    run_all(Concurrency(registry.http, IN_FLIGHT), fetch, list(level))
    # Some lists omit the type (https://github.com/Azure/acr/issues/784); read it from the manifest then.
    doubts = verify and registry.referrers.uses_tag_schema(repository)
    unknown = [item for found in level.values() for item in found if item.artifact_type is None or doubts]
    run_all(Concurrency(registry.http, IN_FLIGHT), complete, unknown)
    for found in level.values():
        found[:] = [item for item in found if id(item) not in wrong]


def _too_many(repository: str, most: int) -> RefusedError:
    return RefusedError("There are too many referrers", where=repository, why=f"more than {most}")


def _leading_to(found: Sequence[Referrer], artifact_type: str | None) -> list[Referrer]:
    if artifact_type is None:
        return list(found)
    pruned = [replace(item, referrers=_leading_to(item.referrers, artifact_type)) for item in found]
    return [item for item in pruned if item.artifact_type == artifact_type or item.referrers]


def _newest(registry: Registry, repository: str, found: Sequence[Descriptor]) -> Descriptor:
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ))
    try:
        times = [str(registry.metadata.manifest(repository, item.digest).get("createdTime")) for item in found]
    except ProtocolError:
        times = [item.annotations.get(CREATED, "") for item in found]
    return max(enumerate(found), key=lambda pair: (times[pair[0]], pair[0]))[1]


def flattened(referrers: Iterable[Referrer]) -> Iterator[Referrer]:
    """Yield *referrers* and, after each, its own referrers."""
    for item in referrers:
        yield item
        yield from flattened(item.referrers)
