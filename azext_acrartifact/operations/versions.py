"""References that must name one artifact, and one that is there."""

from __future__ import annotations

from ..errors import InvalidInputError, NotFoundError
from ..oci.reference import Reference
from ..transport.error_responses import hint_of_list


def require_version(reference: Reference) -> str:
    """The tag or digest of *reference*; `InvalidInputError` for one that names a repository alone."""
    if reference.version is None:
        raise InvalidInputError(
            "No tag and no digest", where=str(reference), hint=f"Write {reference}:TAG or {reference}@sha256:…"
        )
    return reference.version


def no_such(reference: Reference) -> NotFoundError:
    """The error for an artifact that is not there, with the command that lists those that are."""
    return NotFoundError(
        "The artifact does not exist",
        where=str(reference),
        hint=hint_of_list(reference.server, reference.repository),
    )
