"""References that must name one artifact."""

from __future__ import annotations

from ..errors import InvalidInputError
from ..oci.reference import Reference


def require_version(reference: Reference) -> str:
    """The tag or digest of *reference*; `InvalidInputError` for one that names a repository alone."""
    if reference.version is None:
        raise InvalidInputError(
            "No tag and no digest", where=str(reference), hint=f"Write {reference}:TAG or {reference}@sha256:…"
        )
    return reference.version
