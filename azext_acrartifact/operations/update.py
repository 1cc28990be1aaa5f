"""update: changes the attributes of a tag, a manifest or a repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInputError
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transport.authorization import METADATA_READ, METADATA_WRITE, PULL, Scope


def update(registry: Registry, reference: Reference, attributes: Mapping[str, bool]) -> dict[str, Any]:
    """Set *attributes* of what *reference* names (a tag, a manifest by digest, or a repository); return its properties.

    Raises `NotFoundError` if it does not exist, `InvalidInputError` without attributes.
    """
    if not attributes:
        raise InvalidInputError("Nothing to change", hint="Give --write-enabled false, or another of the attributes.")
    repository = reference.repository
    registry.authorizer.authorization(Scope.of(repository, PULL, METADATA_READ, METADATA_WRITE))
    return registry.metadata.change(repository, reference.version, attributes)
