"""Media types and annotation keys of the OCI image specification and of ORAS."""

from __future__ import annotations

import re

IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
# Withdrawn before version 1.1 of the specification. Older artifacts in ACR use them, so they are read, never written.
OCI_ARTIFACT_MANIFEST = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT_MANIFEST = "application/vnd.cncf.oras.artifact.manifest.v1+json"

MANIFESTS = (IMAGE_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT_MANIFEST, ORAS_ARTIFACT_MANIFEST)
INDEXES = (IMAGE_INDEX, DOCKER_LIST)
ACCEPT = ", ".join((*MANIFESTS, *INDEXES))

# Layers that a registry may not store, because their licences forbid redistribution (image specification, layer.md
# § Non-Distributable Layers).
FOREIGN_LAYERS = (
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
)

EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
EMPTY_JSON = b"{}"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
# oras writes these where the user gives no type: https://oras.land/docs/how_to_guides/manifest_config
UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1"
UNKNOWN_CONFIG = "application/vnd.unknown.config.v1+json"

NOTATION_SIGNATURE = "application/vnd.cncf.notary.signature"
SIGNATURES = {
    NOTATION_SIGNATURE: "notation",
    "application/vnd.dev.cosign.artifact.sig.v1+json": "cosign",
    "application/vnd.dev.sigstore.bundle.v0.1+json": "cosign",
    "application/vnd.dev.sigstore.bundle.v0.2+json": "cosign",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "cosign",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "cosign",
}
"""The artifact types of signatures, and the tools that make them. Only Notation's are verified here. Cosign's:
https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md"""

TITLE = "org.opencontainers.image.title"
MODEL_PATHS = ("org.cncf.model.filepath", "org.cnai.model.filepath")
"""Where ModelPack, and its drafts, have the title of a layer
(https://github.com/modelpack/model-spec/blob/main/docs/annotations.md)."""
MODEL_METADATA = "org.cncf.model.file.metadata+json"
"""Where ModelPack has the permission bits of a file, as an object with the number `mode`."""
CREATED = "org.opencontainers.image.created"
UNPACK = "io.deis.oras.content.unpack"
CONTENT_DIGEST = "io.deis.oras.content.digest"
# Ours; other tools ignore them.
FILE_MODE = "io.acrartifact.file.mode"
FOLDER_SIZE = "io.acrartifact.folder.size"

_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}")

TYPE_LIMIT = 255
"""Most characters of a media type: RFC 6838 allows two names of 127 each."""
_TYPE_TEXT = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def is_type_text(text: str) -> bool:
    """Return whether *text* may stand where a media type does: short, and nothing but printable ASCII. Artifacts exist
    with types that RFC 6838 does not allow, so more is not demanded of what is read."""
    return len(text) <= TYPE_LIMIT and _TYPE_TEXT.fullmatch(text) is not None


def is_media_type(text: str) -> bool:
    """Return whether *text* is a type and subtype name (RFC 6838 §4.2), without parameters."""
    return _MEDIA_TYPE.fullmatch(text) is not None
