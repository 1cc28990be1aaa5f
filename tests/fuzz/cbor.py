"""CBOR, and signatures in COSE."""

from __future__ import annotations

from azext_acrartifact.errors import SignatureError
from azext_acrartifact.signing import cose
from azext_acrartifact.signing.cbor import decode, encode
from azext_acrartifact.signing.envelope import verified
from tests.fuzz.shown import is_harmless


def check(data: bytes) -> None:
    """Read *data* as a value and as a signature: in one way, or not at all."""
    try:
        assert encode(decode(data)) == data
    except ValueError:
        pass
    try:
        parsed = cose.parse(data)
        assert parsed.signed.endswith(parsed.payload)
        verified(parsed)
    except SignatureError as error:
        assert is_harmless(error.message)
