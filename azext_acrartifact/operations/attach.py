"""attach: files and folders become an artifact that refers to another one, its subject."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import InvalidInputError
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.progress import Progress
from ..transport.authorization import PULL, PUSH, Scope
from .artifact_reference import require_version
from .push import PushOrder, PushResult, push


@dataclass(frozen=True)
class AttachResult:
    """What was pushed, and the *subject* by its digest."""

    subject: Reference
    pushed: PushResult

    @property
    def reference(self) -> Reference:
        """The new artifact, by its digest."""
        return self.pushed.reference.at(self.manifest.digest)

    @property
    def manifest(self) -> Manifest:
        """The new artifact's manifest."""
        return self.pushed.manifest


def attach(registry: Registry, order: PushOrder, progress: Progress) -> AttachResult:
    """Push what *order* says as a referrer of `order.reference`, by its digest and under no tag of the subject's.

    Where the registry does not list referrers itself, the list is kept under a tag. Raises as `push` does, and
    `NotFoundError` when there is no such subject.
    """
    reference = order.reference
    version = require_version(reference)
    if not order.artifact_type:
        raise InvalidInputError("What is attached has no type", hint="Give --artifact-type TYPE.")
    registry.authorizer.authorization(Scope.of(reference.repository, PULL, PUSH))
    # The manifest itself: the size of a HEAD's answer is not proven, and it goes into what is stored.
    subject = registry.manifests.get(reference.repository, version).descriptor
    place = Reference(reference.server, reference.repository)
    pushed = push(registry, replace(order, reference=place, subject=subject), progress)
    return AttachResult(place.at(subject.digest), pushed)
