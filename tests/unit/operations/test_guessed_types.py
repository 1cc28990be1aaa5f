"""Media types by the ends of names."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.mediatypes import is_media_type
from azext_acrartifact.operations.guessed_types import _TYPES, guessed_type


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.json", "application/json"), ("a/b.YAML", "application/yaml"), ("a.tar.gz", "application/gzip"),
     ("a.tar", "application/x-tar"), ("a.bin", None), ("json", None), ("a.json.bak", None)],
)  # fmt: skip
def test_the_end_of_a_name_has_a_type(name: str, kind: str | None) -> None:
    assert guessed_type(name) == kind


def test_all_types_are_valid() -> None:
    assert all(map(is_media_type, _TYPES.values()))
