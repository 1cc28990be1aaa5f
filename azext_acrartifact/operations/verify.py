"""verify: find a signature of an artifact that a trust policy accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import NotFoundError, RefusedError, SignatureError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.mediatypes import NOTATION_SIGNATURE, SIGNATURES
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..signing.manifest import THUMBPRINTS, envelope_of
from ..signing.signer import now
from ..signing.trust import TrustPolicy
from ..signing.verification import FORMATS, Outcome, examine
from ..transfer.download import read_blob
from ..transfer.repository_storage import RepositoryStorage
from ..transport.authorization import PULL, Scope
from .artifact_reference import require_version
from .list_referrers import Referrer, walk_referrers

MOST_SIGNATURES = 100
"""Signatures of one artifact that are looked at, as by notation. Anyone who may push can add more."""


@dataclass(frozen=True)
class SeenSignature:
    """A signature by the *digest* of its manifest; *format* is `jws`, `cose`, or None if that is not known."""

    digest: Digest
    format: str | None
    outcome: Outcome


@dataclass(frozen=True)
class VerifyResult:
    """The *signatures* of the *artifact*, which is at *reference* by its digest, under *policy*. *others* are the tools
    whose signatures were found, but are not verified."""

    reference: Reference
    artifact: Descriptor
    policy: TrustPolicy
    signatures: Sequence[SeenSignature]
    others: Sequence[str] = ()

    @property
    def trusted(self) -> SeenSignature | None:
        """The first signature that the policy accepts."""
        return next((one for one in self.signatures if one.outcome.is_trusted), None)


def verify(registry: Registry, reference: Reference, policy: TrustPolicy, *, every: bool = True) -> VerifyResult:
    """Return the signatures of *reference*: every one, or those up to the first that is trusted. Raises
    `SignatureError` if none is trusted, with the reasons, and any other `ArtifactError`.

    Nothing that the registry says about a signature is believed: its manifest must itself name the artifact, and its
    signer must have signed the artifact's digest, size and type.
    """
    repository, version = reference.repository, require_version(reference)
    if policy.verifies_nothing:
        raise _nothing_verified(reference, policy)
    registry.authorizer.authorization(Scope.of(repository, PULL))
    artifact = registry.manifests.stored(repository, version).descriptor
    listed = walk_referrers(registry, repository, [artifact.digest], 1)[artifact.digest]
    reference = reference.at(artifact.digest)
    found = []
    for one in _looked_at(registry, reference, artifact, policy, listed):
        found.append(one)
        if one.outcome.is_trusted and not every:
            break
    others = sorted({SIGNATURES[one.artifact_type] for one in listed if one.artifact_type in SIGNATURES} - {"notation"})
    result = VerifyResult(reference, artifact, policy, found, others)
    if result.trusted is None:
        raise _untrusted(result, sum(one.artifact_type == NOTATION_SIGNATURE for one in listed))
    return result


def _looked_at(
    registry: Registry, reference: Reference, artifact: Descriptor, policy: TrustPolicy, listed: Sequence[Referrer]
) -> Iterator[SeenSignature]:
    signatures = [one for one in listed if one.artifact_type == NOTATION_SIGNATURE]
    digests = list(dict.fromkeys(one.descriptor.digest for one in signatures))
    for digest in digests[:MOST_SIGNATURES]:
        yield _examined(registry, reference.repository, digest, artifact, policy)


def _examined(
    registry: Registry, repository: str, digest: Digest, artifact: Descriptor, policy: TrustPolicy
) -> SeenSignature:
    kind = None
    try:
        manifest = registry.manifests.get(repository, digest)
        layer = envelope_of(manifest, artifact)
        kind = FORMATS[layer.media_type]
        content = read_blob(RepositoryStorage(registry, repository), layer, registry.http.attempts())
    except (RefusedError, NotFoundError) as error:
        return SeenSignature(digest, kind, Outcome(error))
    thumbprints = manifest.annotations.get(THUMBPRINTS)
    return SeenSignature(digest, kind, examine(layer.media_type, content, thumbprints, artifact, policy, now()))


def _nothing_verified(reference: Reference, policy: TrustPolicy) -> SignatureError:
    return SignatureError(
        "No signature is verified",
        where=str(reference),
        why=f"{policy.name} has the level skip for this repository",
        hint="Set another level in the trust policy, or give --certificate-file CA.pem.",
    )


def _untrusted(result: VerifyResult, count: int) -> SignatureError:
    """Return the error for an artifact without a trusted signature: the reasons, and what would make it pass."""
    if not result.signatures:
        other = f"; it has one of {result.others[0]}, which is not verified here" if result.others else ""
        hint = (
            f"Sign it: az acr artifact sign {result.reference} --key KEY_ID. Or ask its owner to sign it with notation."
        )
        return SignatureError(
            "The artifact is not signed",
            where=str(result.reference),
            why=f"it has no signature of Notation{other}",
            hint=hint,
        )
    reasons = [one.outcome.reason for one in result.signatures if one.outcome.reason]
    shown = "; ".join(
        f"{one.digest[7:19]}: {one.outcome.reason.summary}" for one in result.signatures[:3] if one.outcome.reason
    )
    more = f"; and {count - 3} more" if count > 3 else ""
    return SignatureError(
        "No signature of the artifact is trusted", where=str(result.reference), why=shown + more, hint=reasons[0].hint
    )
