"""The manifest that attaches a signature to an artifact.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#storage
"""

from __future__ import annotations

import json
from datetime import datetime

from ..errors import SignatureError
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest, build_manifest
from ..oci.mediatypes import CREATED, IMAGE_MANIFEST, NOTATION_SIGNATURE, OCI_ARTIFACT_MANIFEST
from .certificates import Chain
from .envelope import LONGEST_ENVELOPE
from .verification import FORMATS

THUMBPRINTS = "io.cncf.notary.x509chain.thumbprint#S256"


def build_signature_manifest(
    artifact: Descriptor, config: Descriptor, layer: Descriptor, chain: Chain, created: datetime
) -> Manifest:
    """Build the manifest of the envelope *layer* by *chain*. Its type is that of *config*, and not an `artifactType`:
    notation 1.3.2 does not find the latter in an OCI layout, so that a signed backup could not be verified."""
    annotations = {
        THUMBPRINTS: json.dumps(chain.thumbprints, separators=(",", ":")),
        CREATED: f"{created:%Y-%m-%dT%H:%M:%SZ}",
    }
    # What else a descriptor may have is no part of the subject.
    subject = Descriptor(artifact.media_type, artifact.digest, artifact.size)
    return build_manifest(config, [layer], subject=subject, annotations=annotations)


def envelope_of(manifest: Manifest, artifact: Descriptor) -> Descriptor:
    """Return the descriptor of the envelope in *manifest*. Raises `SignatureError` unless that is the manifest of one
    signature of *artifact*."""
    subject = manifest.subject
    same = subject is not None and (subject.digest, subject.size, subject.media_type) == (
        artifact.digest,
        artifact.size,
        artifact.media_type,
    )
    if not same:
        raise SignatureError("The signature is attached to another artifact")
    if manifest.media_type not in (IMAGE_MANIFEST, OCI_ARTIFACT_MANIFEST):
        raise SignatureError("The signature's manifest has a type that is not known here", why=manifest.media_type)
    if manifest.artifact_type != NOTATION_SIGNATURE:
        raise SignatureError("The manifest is not that of a signature", why=manifest.artifact_type or "it has no type")
    if len(manifest.layers) != 1:
        raise SignatureError("The manifest must have exactly one signature", why=f"it has {len(manifest.layers)}")
    layer = manifest.layers[0]
    if layer.media_type not in FORMATS:
        raise SignatureError("The signature has a format that is not known here", why=layer.media_type)
    if layer.size > LONGEST_ENVELOPE:
        raise SignatureError("The signature is too long", why=f"{layer.size} bytes, more than {LONGEST_ENVELOPE}")
    return layer
