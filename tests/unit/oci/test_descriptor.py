"""Descriptors: written as oras writes them, parsed strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from azext_acrartifact.errors import InvalidManifestError
from azext_acrartifact.oci.descriptor import Descriptor, parse_descriptor
from tests.unit.oci.samples import blob, descriptors


def test_data_is_decoded() -> None:
    assert parse_descriptor(blob(data="e30="), "here").data == b"{}"
    for bad in ("e30", "e30=\u00e9", "\u0665"):
        with pytest.raises(InvalidManifestError, match="base64"):
            parse_descriptor(blob(data=bad), "here")


@pytest.mark.parametrize("size", [0, 2**63 - 1])
def test_the_smallest_and_the_largest_size_are_accepted(size: int) -> None:
    assert parse_descriptor(blob(size=size), "here").size == size


def test_an_empty_artifact_type_counts_as_absent() -> None:
    assert parse_descriptor(blob(artifactType=""), "here").artifact_type is None


@given(descriptors)
def test_every_descriptor_survives_a_round_trip(descriptor: Descriptor) -> None:
    assert parse_descriptor(json.loads(json.dumps(descriptor.to_json())), "here") == descriptor
