"""Signatures in JWS, and their payloads."""

from __future__ import annotations

import json

from azext_acrartifact.errors import SignatureError
from azext_acrartifact.signing import jws
from azext_acrartifact.signing.envelope import verified
from azext_acrartifact.signing.payload import parse_payload
from tests.fuzz.shown import is_harmless


def check(data: bytes) -> None:
    """Read *data* as a signature, and as a payload."""
    try:
        parsed = jws.parse(data)
        assert set(json.loads(data)) == {"payload", "protected", "header", "signature"}
        verified(parsed)
    except SignatureError as error:
        assert is_harmless(error.message)
    try:
        target = parse_payload(data)
        assert set(json.loads(data)) == {"targetArtifact"}
        assert type(target.size) is int
    except SignatureError as error:
        assert is_harmless(error.message)
