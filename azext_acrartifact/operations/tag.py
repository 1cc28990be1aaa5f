"""tag and untag: adds tags to an artifact, and removes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, RejectedError
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, METADATA_WRITE, PULL, PUSH, Scope
from .artifact_reference import require_version
from .locks import lock, naming_locks
from .parallel import naming_what_was_done


@dataclass(frozen=True)
class TagRules:
    """Whether tags may *overwrite* those of another artifact, and whether to *lock* artifact and tags afterwards."""

    overwrite: bool = True
    lock: bool = False


@dataclass(frozen=True)
class Tagged:
    """An artifact by its digest, and its new tags."""

    reference: Reference
    manifest: Manifest
    tags: Sequence[str]


def tag(registry: Registry, reference: Reference, tags: Sequence[str], rules: TagRules) -> Tagged:
    """Add *tags* to the artifact. Raises `NotFoundError` if it does not exist, and what `put_tags` raises."""
    version, repository = require_version(reference), reference.repository
    if not tags:
        raise InvalidInputError("No tag to add", hint="Give --tags TAG.")
    registry.authorizer.authorization(Scope.of(repository, *rights(rules)))
    manifest = registry.manifests.stored(repository, version)
    with naming_locks(registry, named(reference, tags)):
        put_tags(registry, reference, manifest, tags, rules)
    return Tagged(reference.at(manifest.digest), manifest, tags)


def untag(registry: Registry, reference: Reference) -> None:
    """Remove the tag but keep the artifact. Raises `NotFoundError` if there is no such tag."""
    if reference.tag is None or reference.digest is not None:
        raise InvalidInputError("No tag to remove", where=str(reference), hint="Write SERVER/REPOSITORY:TAG.")
    registry.authorizer.authorization(Scope.of_untagging(reference.repository))
    with naming_locks(registry, [reference]):
        registry.metadata.untag(reference.repository, reference.tag)


def named(reference: Reference, tags: Sequence[str]) -> list[Reference]:
    """Return a reference for each of *tags* in the repository of *reference*."""
    return [replace(reference, tag=name, digest=None) for name in tags]


def all_tags(reference: Reference, tags: Sequence[str]) -> list[str]:
    """Return the tag of *reference*, if it has one, and *tags*, each once."""
    return list(dict.fromkeys([*([reference.tag] if reference.tag else []), *tags]))


def rights(rules: TagRules) -> list[str]:
    """Return the actions that storing an artifact by *rules* needs."""
    return [PULL, PUSH, *([METADATA_READ, METADATA_WRITE] if rules.lock else [])]


def put_tags(
    registry: Registry, reference: Reference, manifest: Manifest, tags: Sequence[str], rules: TagRules, skip: str = ""
) -> None:
    """Put *manifest* under each of *tags*, or under its digest without tags. Omits the tag *skip*, which already
    names it.

    Without `rules.overwrite`, checks first that no tag names another artifact. The registry has no atomic
    compare-and-set, so another writer can still be faster; with `rules.lock` every tag is therefore checked again
    once it is locked. Success then means that the tags name this artifact and stay so. Raises `RejectedError`.
    """
    repository = reference.repository
    require_free(registry, reference, manifest.digest, tags, rules)
    done: list[str] = []
    with naming_what_was_done(done):
        for version in tags or [manifest.digest]:
            if version != skip:
                registry.referrers.store(repository, manifest, version)
                done.append(f"{version} was stored")
        if rules.lock:
            lock(registry, repository, tags, manifest.digest, done)
            require_free(registry, reference, manifest.digest, tags, rules)


def require_free(
    registry: Registry, reference: Reference, digest: Digest, tags: Sequence[str], rules: TagRules
) -> None:
    """Raise `RejectedError` if *rules* forbid to overwrite and one of *tags* names another artifact than *digest*."""
    for name in [] if rules.overwrite else tags:
        found = registry.manifests.resolve(reference.repository, name)
        if found is not None and found.digest != digest:
            raise taken(str(named(reference, [name])[0]), found.digest, digest)


def taken(where: str, found: Digest, wanted: Digest) -> RejectedError:
    """Return the error for the tag *where*, which names *found* and not *wanted*."""
    return RejectedError(
        "The tag names another artifact",
        where=where,
        why=f"it names {found}, not {wanted}",
        hint="Choose another tag, or leave out --no-overwrite.",
    )
