"""sign: attach a signature of the Notary Project to an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..files.archive.compression import NONE, codec_named
from ..oci.content import Memory
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import EMPTY_JSON, NOTATION_SIGNATURE
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..signing.certificates import Chain
from ..signing.manifest import build_signature_manifest
from ..signing.signer import SignatureForm, Signer, now, require_usable, sign_artifact
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from ..transfer.repository_storage import RepositoryStorage
from ..transport.authorization import PULL, PUSH, Scope
from .artifact_reference import require_version
from .upload_job import PendingUpload, Uploader


@dataclass(frozen=True)
class SignOrder:
    """The artifacts to sign, all in one registry, and the *form* of their signatures. A *dry_run* signs nothing: it
    only checks that the artifacts exist, and that their repositories may be written to."""

    references: Sequence[Reference]
    form: SignatureForm = field(default_factory=SignatureForm)
    dry_run: bool = False


@dataclass(frozen=True)
class Signed:
    """An *artifact*, which is at *reference* by its digest, and the manifest of its *signature* by *chain*; None after
    a dry run."""

    reference: Reference
    artifact: Descriptor
    chain: Chain
    form: SignatureForm
    signature: Manifest | None


def sign(registry: Registry, order: SignOrder, signer: Signer, progress: Progress) -> list[Signed]:
    """Sign each artifact of *order*. All are found first, so that nothing is signed if one is missing.

    An artifact is identified by its manifest: none of its blobs is read. Raises any `ArtifactError`.
    """
    require_usable(signer)
    versions = [require_version(reference) for reference in order.references]
    registry.authorizer.prepare([Scope.of(one.repository, PULL, PUSH) for one in order.references])
    found = []
    for reference, version in zip(order.references, versions, strict=True):
        registry.authorizer.authorization(Scope.of(reference.repository, PULL, PUSH))
        # The manifest is read: its size is signed, and that in the response to a HEAD is not verified.
        artifact = registry.manifests.stored(reference.repository, version).descriptor
        found.append((reference.at(artifact.digest), artifact))
    return [_sign(registry, reference, artifact, order, signer, progress) for reference, artifact in found]


def _sign(
    registry: Registry,
    reference: Reference,
    artifact: Descriptor,
    order: SignOrder,
    signer: Signer,
    progress: Progress,
) -> Signed:
    if order.dry_run:
        return Signed(reference, artifact, signer.chain, order.form, None)
    created = now()
    raw = sign_artifact(signer, artifact, order.form)
    layer = PendingUpload(order.form.media_type, {}, content=Memory(raw))
    config = PendingUpload(NOTATION_SIGNATURE, {}, content=Memory(EMPTY_JSON))
    storage = RepositoryStorage(registry, reference.repository)
    Uploader(storage, Concurrency(registry.http), None, progress, codec_named(NONE)).run([config, layer])
    assert config.descriptor is not None
    assert layer.descriptor is not None
    manifest = build_signature_manifest(artifact, config.descriptor, layer.descriptor, signer.chain, created)
    storage.put(manifest, manifest.digest)
    return Signed(reference, artifact, signer.chain, order.form, manifest)
