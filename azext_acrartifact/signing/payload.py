"""The payload of a signature: the descriptor of the artifact that is signed.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#payload
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidInputError, SignatureError
from ..oci.descriptor import Descriptor
from ..transport.bounded_json import parse_json, unique_keys

RESERVED = "io.cncf.notary"
_FIELDS = {"mediaType", "digest", "size", "annotations"}


@dataclass(frozen=True)
class Target:
    """The artifact that was signed, and what the signer said of it in addition: *user_metadata*."""

    media_type: str
    digest: str
    size: int
    user_metadata: Mapping[str, str] = field(default_factory=dict)

    def require(self, artifact: Descriptor) -> None:
        """Raise `SignatureError` unless this is *artifact*, by its digest, its size and its media type."""
        pairs = {
            "digest": (self.digest, artifact.digest),
            "size": (self.size, artifact.size),
            "media type": (self.media_type, artifact.media_type),
        }
        for name, (signed, present) in pairs.items():
            if signed != present:
                why = f"its {name} is {signed}, and that of the artifact is {present}"
                raise SignatureError("The signature is for another artifact", why=why)


def build_payload(artifact: Descriptor, user_metadata: Mapping[str, str]) -> bytes:
    """Return the payload that signs *artifact*. Raises `InvalidInputError` for reserved names in *user_metadata*, and
    for text that is not UTF-8."""
    for name in user_metadata:
        if not name or name.startswith(RESERVED):
            raise InvalidInputError(
                "Not a name for user metadata", where=name, hint=f"Names that begin with {RESERVED} are reserved."
            )
    target: dict[str, Any] = {"mediaType": artifact.media_type, "digest": artifact.digest, "size": artifact.size}
    if user_metadata:
        target["annotations"] = dict(sorted(user_metadata.items()))
    try:
        return json.dumps({"targetArtifact": target}, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError("User metadata is not valid UTF-8", why=str(error)) from error


def parse_payload(raw: bytes) -> Target:
    """Return the artifact in *raw*. Raises `SignatureError` for anything that the specification does not allow."""
    try:
        return _parse(raw)
    except ValueError as error:
        raise SignatureError("The payload of the signature is malformed", why=str(error)[:200]) from error


def _parse(raw: bytes) -> Target:
    document = parse_json(raw, unique_keys)
    if not isinstance(document, dict) or set(document) != {"targetArtifact"}:
        raise ValueError("it is not an object with targetArtifact alone")
    target = document["targetArtifact"]
    if not isinstance(target, dict) or not set(target) <= _FIELDS:
        raise ValueError("targetArtifact has a member that is not known here")
    media_type, digest, size = (target.get(name) for name in ("mediaType", "digest", "size"))
    annotations = target.get("annotations", {})
    if (
        not isinstance(size, int)
        or not isinstance(media_type, str)
        or not isinstance(digest, str)
        or isinstance(size, bool)
    ):
        raise ValueError("the media type, the digest or the size is missing")
    if not isinstance(annotations, dict) or not all(isinstance(text, str) for text in annotations.values()):
        raise ValueError("the annotations are not texts")
    return Target(media_type, digest, size, annotations)
