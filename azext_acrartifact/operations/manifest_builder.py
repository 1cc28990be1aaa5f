"""The manifest of a push, by the version of the image specification; for the same input it equals that of ORAS."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import InvalidInputError
from ..files.local_file import LocalFile
from ..oci.content import Memory
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest, build_manifest
from ..oci.mediatypes import EMPTY_CONFIG, EMPTY_JSON, UNKNOWN_ARTIFACT, UNKNOWN_CONFIG, is_media_type
from .file_spec import FileSpec
from .upload_job import PendingUpload

V1_0 = "v1.0"
V1_1 = "v1.1"


def spec_version(asked: str | None, config: FileSpec | None, artifact_type: str | None) -> str:
    """Return the version to write: *asked* if given, 1.0 for a config without an artifact type, otherwise 1.1.

    Raises `InvalidInputError` for a combination that the version cannot express.
    """
    version = asked or (V1_0 if config and not artifact_type else V1_1)
    if artifact_type is not None and not is_media_type(artifact_type):
        raise InvalidInputError("Not an artifact type", where=artifact_type, hint="Write TYPE/SUBTYPE.")
    if version == V1_1 and config and not artifact_type:
        raise InvalidInputError(
            "In image-spec v1.1 a config needs an artifact type as well",
            hint="Give --artifact-type TYPE, or --image-spec v1.0.",
        )
    if version == V1_0 and config and artifact_type:
        raise InvalidInputError(
            "In image-spec v1.0 the config's media type is the artifact type",
            hint="Give one of --artifact-type and --manifest-config, or --image-spec v1.1.",
        )
    return version


def config_blob(
    version: str,
    config: FileSpec | None,
    artifact_type: str | None,
    annotations: Mapping[str, str],
    stack: contextlib.ExitStack,
) -> PendingUpload:
    """Return the config blob: the user's file, which *stack* closes, or otherwise the empty object."""
    if config is not None:
        file = stack.enter_context(LocalFile.open(config.path, allow_null=True))
        return PendingUpload(config.media_type or UNKNOWN_CONFIG, annotations, content=file)
    if version == V1_0:
        return PendingUpload(artifact_type or UNKNOWN_CONFIG, annotations, content=Memory(EMPTY_JSON))
    return replace(_empty_blob(), annotations=annotations)


def placeholders(version: str) -> list[PendingUpload]:
    """Return the layers of an artifact without files (image-spec 1.1 § Guidelines for Artifact Usage)."""
    return [_empty_blob()] if version == V1_1 else []


def compose(
    version: str,
    config: Descriptor,
    layers: Sequence[Descriptor],
    artifact_type: str | None,
    subject: Descriptor | None,
    annotations: Mapping[str, str],
) -> Manifest:
    """Build the manifest in *version* of the specification."""
    kind = (artifact_type or UNKNOWN_ARTIFACT) if version == V1_1 else None
    return build_manifest(config, layers, artifact_type=kind, subject=subject, annotations=annotations)


def _empty_blob() -> PendingUpload:
    """Return the empty object with its data in the descriptor, as specification 1.1 requires."""
    return PendingUpload(EMPTY_CONFIG, {}, content=Memory(EMPTY_JSON), data=EMPTY_JSON)
