"""tag and untag: names for what is in a repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidInputError, RejectedError
from ..oci.digest import Digest
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, METADATA_WRITE, PULL, PUSH, Scope
from .update import lock, naming_locks
from .versions import require_version


@dataclass(frozen=True)
class TagRules:
    """*overwrite*: whether a tag may be taken from another artifact. *lock*: whether artifact and tags are locked
    afterwards."""

    overwrite: bool = True
    lock: bool = False


@dataclass(frozen=True)
class Tagged:
    """An artifact by its digest, and the tags that it got."""

    reference: Reference
    manifest: Manifest
    tags: Sequence[str]


def tag(registry: Registry, reference: Reference, tags: Sequence[str], rules: TagRules) -> Tagged:
    """Give *tags* to the artifact. Raises `NotFoundError` when it does not exist, and as `put_tags` does."""
    version, repository = require_version(reference), reference.repository
    if not tags:
        raise InvalidInputError("No tag to add", hint="Give --tags TAG.")
    registry.authorizer.authorization(Scope.of(repository, *rights(rules)))
    manifest = registry.manifests.get(repository, version)
    with naming_locks(registry, named(reference, tags)):
        put_tags(registry, reference, manifest, tags, rules)
    return Tagged(reference.at(manifest.digest), manifest, tags)


def untag(registry: Registry, reference: Reference) -> None:
    """Remove the tag; the artifact stays. Raises `NotFoundError` when there is no such tag."""
    if reference.tag is None or reference.digest is not None:
        raise InvalidInputError("No tag to remove", where=str(reference), hint="Write SERVER/REPOSITORY:TAG.")
    registry.authorizer.authorization(Scope.of_untagging(reference.repository))
    with naming_locks(registry, [reference]):
        registry.metadata.untag(reference.repository, reference.tag)


def named(reference: Reference, tags: Sequence[str]) -> list[Reference]:
    """Each of *tags* in the repository of *reference*."""
    return [replace(reference, tag=name, digest=None) for name in tags]


def rights(rules: TagRules) -> list[str]:
    """The actions that are needed to store an artifact by *rules*."""
    return [PULL, PUSH, *([METADATA_READ, METADATA_WRITE] if rules.lock else [])]


def put_tags(
    registry: Registry, reference: Reference, manifest: Manifest, tags: Sequence[str], rules: TagRules, held: str = ""
) -> None:
    """Store *manifest* under *tags*, by its digest when there are none, but not under *held*, which is that already.

    Without `rules.overwrite` no tag is written when one of them names something else, as of the moment before:
    the registry has no request that would look and write in one. With `rules.lock` as well, each tag is looked at
    again once it is locked, so that success means that it is this artifact and stays so. Raises `RejectedError`.
    """
    repository = reference.repository
    require_free(registry, reference, manifest.digest, tags, rules)
    for version in tags or [manifest.digest]:
        if version != held:
            registry.referrers.store(repository, manifest, version)
    if rules.lock:
        lock(registry, repository, tags, manifest.digest)
        require_free(registry, reference, manifest.digest, tags, rules)


def require_free(
    registry: Registry, reference: Reference, digest: Digest, tags: Sequence[str], rules: TagRules
) -> None:
    """Raise `RejectedError` when one of *tags* names something else than *digest*, and *rules* let none be taken."""
    for name in [] if rules.overwrite else tags:
        held = registry.manifests.resolve(reference.repository, name)
        if held is not None and held.digest != digest:
            raise taken(str(named(reference, [name])[0]), held.digest, digest)


def taken(where: str, held: Digest, wanted: Digest) -> RejectedError:
    """What to say of a tag that names *held* and may not be made to name *wanted*."""
    return RejectedError(
        "The tag names another artifact",
        where=where,
        why=f"it is {held}, not {wanted}",
        hint="Choose another tag, or leave out --no-overwrite.",
    )
