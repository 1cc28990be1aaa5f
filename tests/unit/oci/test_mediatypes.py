"""Media types: the grammar of RFC 6838."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.mediatypes import is_media_type


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("text/plain", True), ("application/vnd.a.b-c+json", True), ("text", False), ("text/", False), ("/plain", False),
     ("text/plain; a=b", False), ("a/b/c", False), ("", False), ("text/plain\n", False), ("a/" + "b" * 128, False)],
)  # fmt: skip
def test_media_types(text: str, is_one: bool) -> None:
    assert is_media_type(text) is is_one
