"""A manifest and its parts, as objects, as JSON, and as responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from azext_acrartifact.oci.registry import Registry
from tests.support.descriptors import empty_descriptor
from tests.support.server import RawResponse, ScriptedServer, respond

Open = Callable[[ScriptedServer], Registry]
D = "sha256:" + "a" * 64
HELLO = Descriptor("text/plain", digest_of(b"hello"), 5, {"org.opencontainers.image.title": "a\x1b.txt"})
MANIFEST = build_manifest(empty_descriptor(), [HELLO])

annotations = st.dictionaries(st.text(max_size=5), st.text(st.characters(codec="utf-8"), max_size=9), max_size=3)
descriptors = st.builds(
    Descriptor,
    st.sampled_from(["text/plain", "application/vnd.oci.image.layer.v1.tar"]),
    st.binary(max_size=3).map(digest_of),
    st.integers(0, 2**63 - 1),
    annotations,
    st.none() | st.binary(max_size=5),
    st.none() | st.just("a/b"),
    st.none()
    | st.dictionaries(st.sampled_from(["os", "architecture", "variant"]), st.text("abc", min_size=1), min_size=1),
)


def stored(raw: bytes = MANIFEST.raw, kind: str = IMAGE_MANIFEST, **headers: str) -> RawResponse:
    """Return the response with a manifest."""
    return respond(200, raw, Content_Type=kind, **headers)


def blob(**changes: Any) -> dict[str, Any]:
    """Return the JSON of a descriptor. A key with the value "absent" is left out."""
    found = {"mediaType": "application/x", "digest": D, "size": 5, **changes}
    return {key: value for key, value in found.items() if value != "absent"}
