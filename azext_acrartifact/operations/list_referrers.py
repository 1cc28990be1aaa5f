"""list-referrers: what is attached to an artifact, and to what is attached to that."""

from __future__ import annotations

import functools
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
from .parallel import run_all
from .repository_inventory import Inventory
from .versions import no_such, require_version

DEEPEST = 10
MOST = 10_000
IN_FLIGHT = 2
"""ACR takes 250 lists of referrers a minute from one identity on its lower tiers
(https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""


@dataclass
class Referrer:
    """One manifest that refers to another, and those that refer to it. *artifact_type* None is a type that neither
    the list nor the manifest tells."""

    descriptor: Descriptor
    subject: Digest
    referrers: list[Referrer] = field(default_factory=list)

    @property
    def artifact_type(self) -> str | None:
        """The type as listed, or as its manifest says."""
        return self.descriptor.artifact_type


@dataclass(frozen=True)
class ReferrerTree:
    """A *subject* and what refers to it."""

    reference: Reference
    subject: Descriptor
    referrers: Sequence[Referrer]


def list_referrers(
    registry: Registry, reference: Reference, artifact_type: str | None = None, recursive: bool = False
) -> ReferrerTree:
    """What refers to *reference*: one request for a hundred of them, and with *recursive* at least one for each.

    With *artifact_type* only branches that lead to one of that type. Raises `RefusedError` rather than list in part.
    """
    repository, version = reference.repository, require_version(reference)
    subject = registry.manifests.resolve(repository, version)
    if subject is None:
        raise no_such(reference)
    found = walk_referrers(registry, repository, [subject.digest], DEEPEST if recursive else 1)[subject.digest]
    return ReferrerTree(reference.at(subject.digest), subject, _leading_to(found, artifact_type))


def walk_referrers(
    registry: Registry, repository: str, subjects: Iterable[Digest], deepest: int, whole: Inventory | None = None
) -> dict[Digest, list[Referrer]]:
    """The referrers of each of *subjects*, level by level, at most *deepest* levels, each manifest once.

    A hash cannot refer to itself, but a registry can say so: what was seen is not followed again. *whole* is the list
    of the repository's manifests, where that was read: below the first level the walk ends when all of it is known,
    since a manifest has one subject, and what is left of it is read instead when that is less than to ask about each.
    """
    tops: dict[Digest, list[Referrer]] = {digest: [] for digest in subjects}
    level = dict(tops)
    seen = set(tops)
    for depth in range(deepest if deepest < DEEPEST else DEEPEST + 1):
        if depth == 0 or not _known_by(whole, level, seen):
            _list_level(registry, repository, level, MOST - len(seen))
        new = {item.descriptor.digest: item.referrers for found in level.values() for item in found}
        level = {digest: found for digest, found in new.items() if digest not in seen}
        seen |= set(level)
        if len(seen) > MOST:
            raise RefusedError("There are too many referrers", where=repository, why=f"more than {MOST}")
        if not level:
            break
    if level and deepest >= DEEPEST:
        raise RefusedError("The referrers go too deep", where=repository, why=f"more than {DEEPEST} levels")
    return tops


def newest_referrer(registry: Registry, subject: Reference, artifact_type: str) -> Manifest:
    """The manifest of the newest referrer of *artifact_type*, by the registry's time of creation; where it tells
    none, by the annotation, and at last by the list's order. Raises `NotFoundError` when there is none."""
    repository, digest = subject.repository, subject.digest
    assert digest is not None
    listed = walk_referrers(registry, repository, [digest], 1)[digest]
    found = [item.descriptor for item in listed if item.artifact_type == artifact_type]
    if not found:
        types = sorted({item.artifact_type or "unknown" for item in listed})
        raise NotFoundError(
            f"Nothing of type {artifact_type} is attached",
            where=str(subject),
            why=f"what is attached is of {', '.join(types[:5])}" if types else "nothing is attached",
            hint=f"See: az acr artifact list-referrers {subject}",
        )
    newest = found[0] if len(found) == 1 else _newest(registry, repository, found)
    manifest = registry.manifests.get(repository, newest.digest)
    if not refers_to(manifest, digest):
        raise InvalidManifestError("What the registry lists as attached is not", where=str(subject.at(newest.digest)))
    return manifest


def refers_to(manifest: Manifest, subject: Digest) -> bool:
    """Whether *manifest* itself says that *subject* is its subject; a registry's list proves nothing."""
    return manifest.subject is not None and manifest.subject.digest == subject


def _known_by(whole: Inventory | None, level: dict[Digest, list[Referrer]], seen: set[Digest]) -> bool:
    """Fill the lists of one level from *whole*, if fewer manifests of it are left to read than there are lists."""
    if whole is None:
        return False
    left = whole.unread() - seen
    if len(left) >= len(level):
        return False
    whole.read(left)
    for relation in whole.relations.values():
        if relation.subject in level and relation.described:
            level[relation.subject].append(Referrer(relation.described, relation.subject))
    return True


def _list_level(registry: Registry, repository: str, level: dict[Digest, list[Referrer]], room: int) -> None:
    """Fill the lists of one level, two requests at a time, with at most *room* entries in all."""

    counted = itertools.count(1)

    def fetch(digest: Digest) -> None:
        for child in registry.referrers.of(repository, digest):
            level[digest].append(Referrer(child, digest))
            if next(counted) > room:
                raise RefusedError("There are too many referrers", where=repository, why=f"more than {MOST}")

    false: set[int] = set()

    def complete(item: Referrer) -> None:
        manifest = registry.manifests.find(repository, item.descriptor.digest)
        if manifest is None:
            return
        if not refers_to(manifest, item.subject):
            false.add(id(item))
        item.descriptor = replace(item.descriptor, artifact_type=manifest.artifact_type)

    run_all(Concurrency(registry.http, IN_FLIGHT), [functools.partial(fetch, digest) for digest in level])
    # Not every list tells the type (https://github.com/Azure/acr/issues/784): then the manifest does.
    unknown = [item for holder in level.values() for item in holder if item.artifact_type is None]
    run_all(Concurrency(registry.http, IN_FLIGHT), [functools.partial(complete, item) for item in unknown])
    for holder in level.values():
        holder[:] = [item for item in holder if id(item) not in false]


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
    """*referrers* and all that refer to them, each before its own."""
    for item in referrers:
        yield item
        yield from flattened(item.referrers)
