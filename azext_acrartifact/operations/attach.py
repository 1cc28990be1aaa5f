"""attach: push files and folders as an artifact that refers to another one, its subject."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import InvalidInputError
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.progress import Progress
from ..transport.authorization import Scope
from .artifact_reference import require_version
from .push import PushOrder, PushResult, push, rights_of


@dataclass(frozen=True)
class AttachResult:
    """The pushed artifact, and its *subject* by digest."""

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
    """Push the artifact of *order* as a referrer of `order.reference`, by its digest and without a tag.

    Where the registry has no referrers API, the list of referrers is stored under a tag. Raises as `push` does, and
    `NotFoundError` when the subject does not exist.
    """
    reference = order.reference
    version = require_version(reference)
    if not order.artifact_type:
        raise InvalidInputError("attach needs an artifact type", hint="Give --artifact-type TYPE.")
    target = replace(order, reference=Reference(reference.server, reference.repository))
    registry.authorizer.authorization(Scope.of(reference.repository, *rights_of(target)))
    # Read the manifest itself: the subject's size is stored, and the size in the response to a HEAD is not verified.
    subject = registry.manifests.stored(reference.repository, version).descriptor
    pushed = push(registry, replace(target, subject=subject), progress)
    return AttachResult(target.reference.at(subject.digest), pushed)
