"""Checks of references to one artifact."""

from __future__ import annotations

from ..errors import InvalidInputError, NotFoundError
from ..oci.reference import Reference
from ..transport.error_responses import hint_of_list


def require_version(reference: Reference, hint: str = "") -> str:
    """Return the tag or digest of *reference*. Raises `InvalidInputError` if it names a repository alone."""
    if reference.version is None:
        hint = hint or f"Write {reference}:TAG or {reference}@sha256:… To list them: az acr artifact list {reference}"
        raise InvalidInputError("No tag and no digest", where=str(reference), hint=hint)
    return reference.version


def not_found(reference: Reference) -> NotFoundError:
    """Return the error for a missing artifact, with the command that lists the existing ones."""
    kind = "Digest" if reference.digest else "Tag"
    return NotFoundError(
        f"{kind} {reference.version} does not exist in {reference.server}/{reference.repository}",
        hint=hint_of_list(reference.server, reference.repository),
    )
