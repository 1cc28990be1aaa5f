"""The descriptor of an empty config."""

from __future__ import annotations

from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import EMPTY_CONFIG, EMPTY_JSON


def empty_descriptor() -> Descriptor:
    """Return the descriptor of `{}` (image specification, manifest.md § Guidance for an Empty Descriptor)."""
    return Descriptor(EMPTY_CONFIG, digest_of(EMPTY_JSON), len(EMPTY_JSON), data=EMPTY_JSON)
