"""The digest of which a table shows the beginning."""

from __future__ import annotations

from dataclasses import replace

from ..errors import InvalidReferenceError, NotFoundError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.error_responses import hint_of_list


def find_digest(registry: Registry, reference: Reference) -> Reference:
    """Return *reference* with the whole digest, one request for every hundred manifests of the repository, if it has
    the beginning of one. Raises `NotFoundError` if no manifest has it, `InvalidReferenceError` if several have."""
    if reference.short is None:
        return reference
    listed = registry.metadata.manifests(reference.repository)
    found = [Digest(item["digest"]) for item in listed if item["digest"].startswith(reference.short)]
    if not found:
        hint = hint_of_list(reference.server, reference.repository)
        raise NotFoundError("No artifact has this digest", where=str(reference), hint=hint)
    if len(found) > 1:
        raise InvalidReferenceError(
            "Several artifacts have this digest", where=str(reference), hint=f"Write {found[0]}."
        )
    return replace(reference, digest=found[0], short=None)
