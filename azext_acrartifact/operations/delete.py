"""delete: an artifact goes, with all its tags and everything attached to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError, NotFoundError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope

MOST_REFERRERS = 1000


@dataclass(frozen=True)
class Deletion:
    """What would go: the manifest, every tag of it, and the *referrers*, which ACR deletes with it."""

    reference: Reference
    digest: Digest
    tags: Sequence[str]
    referrers: Sequence[Descriptor]


def plan_delete(registry: Registry, reference: Reference) -> Deletion:
    """Find out what deleting *reference* takes along. Raises `NotFoundError` when it does not exist."""
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
    referrers = list(itertools.islice(registry.referrers.of(repository, found.digest), MOST_REFERRERS))
    return Deletion(reference, found.digest, tags, referrers)


def delete(registry: Registry, deletion: Deletion) -> None:
    """Delete what was planned; a manifest that is gone already counts as deleted."""
    registry.manifests.delete(deletion.reference.repository, deletion.digest)
