"""Manifests and indexes, as any registry may write them."""

from __future__ import annotations

import json
import re
from typing import Any

from azext_acrartifact.errors import InvalidManifestError
from azext_acrartifact.oci.descriptor import Descriptor, parse_descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest, parse_manifest
from azext_acrartifact.oci.mediatypes import INDEXES, MANIFESTS
from tests.fuzz.shown import is_harmless

_TYPES = (*MANIFESTS, *INDEXES)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def check(data: bytes) -> None:
    """Let the first byte choose the content type; the rest is the document."""
    if not data:
        return
    kind, raw = _TYPES[data[0] % len(_TYPES)], data[1:]
    try:
        found = parse_manifest(raw, kind, "here")
    except InvalidManifestError as error:
        assert is_harmless(error.message)
        return
    _is_read_in_one_way(raw, kind)
    assert found.digest == digest_of(raw)
    assert found.media_type == kind
    assert not (found.layers and found.manifests)
    assert found.is_index == (kind in INDEXES)
    _describes(found)


def _describes(found: Manifest) -> None:
    assert found.size >= 0
    assert found.artifact_type is None or isinstance(found.artifact_type, str)
    for item in (*found.layers, *found.manifests, *filter(None, (found.config, found.subject))):
        assert _DIGEST.fullmatch(item.digest)
        assert type(item.size) is int
        assert 0 <= item.size < 2**63
        assert isinstance(item.media_type, str)
        assert all(isinstance(text, str) for pair in item.annotations.items() for text in pair)
        _reads_back(item)


def _reads_back(item: Descriptor) -> None:
    again = parse_descriptor(json.loads(json.dumps(item.to_json())), "here")
    assert again.digest == item.digest
    assert again.size == item.size
    assert again.data == item.data
    assert dict(again.annotations) == dict(item.annotations)


def _is_read_in_one_way(raw: bytes, kind: str) -> None:
    """Require UTF-8, unique keys and the number 2 as `schemaVersion`: other readers would read the rest differently."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), "a key twice"
        return dict(pairs)

    document = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    assert document.get("mediaType", kind) in (kind, "", None)
    version = document.get("schemaVersion")
    assert kind not in _TYPES[:2] or (type(version) is int and version == 2)
    assert document.get("layers") is None or document.get("manifests") is None
