"""Descriptors: written as oras writes them, and read where digest, size and type are valid."""

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
        assert parse_descriptor(blob(data=bad), "here").data is None


@pytest.mark.parametrize("size", [0, 2**63 - 1])
def test_the_smallest_and_the_largest_size_are_accepted(size: int) -> None:
    assert parse_descriptor(blob(size=size), "here").size == size


def test_an_empty_artifact_type_counts_as_absent() -> None:
    assert parse_descriptor(blob(artifactType=""), "here").artifact_type is None


@pytest.mark.parametrize("kind", ["a/" + "b" * 254, "a\n", " a", "a ", "\x1b[2J", "a/\u00e9"])
def test_a_type_is_short_and_printable(kind: str) -> None:
    for fields in ({"mediaType": kind}, {"artifactType": kind}):
        with pytest.raises(InvalidManifestError, match="Not a media type"):
            parse_descriptor(blob(**fields), "here")
    assert parse_descriptor(blob(mediaType="a/" + "b" * 253), "here").media_type.endswith("b")


@given(descriptors)
def test_every_descriptor_survives_a_round_trip(descriptor: Descriptor) -> None:
    assert parse_descriptor(json.loads(json.dumps(descriptor.to_json())), "here") == descriptor
