"""A signature envelope: what is in it, and whether it is whole.

An envelope that is whole proves that the key of its first certificate signed its payload. Whether that certificate is
trusted, and whether the payload is about an artifact, are questions for `verification`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SignatureError
from .algorithms import verify
from .attributes import Attributes
from .certificates import Chain, check_chain, parse_certificate

JWS, COSE = "jws", "cose"
MEDIA_TYPES = {JWS: "application/jose+json", COSE: "application/cose"}
PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json"
LONGEST_ENVELOPE = 1024 * 1024
"""Bytes; one with a chain of ten certificates and a timestamp has less than 100 KiB."""


@dataclass(frozen=True)
class Parsed:
    """An envelope of which nothing is verified yet. *algorithm* is its name in JOSE, *certificates* are as DER, and
    *signed* are the bytes below the *signature*. A *timestamp* of a third party is not verified here."""

    payload: bytes
    content_type: str
    algorithm: str
    attributes: Attributes
    certificates: Sequence[bytes]
    signed: bytes
    signature: bytes
    timestamp: bool = False


@dataclass(frozen=True)
class Envelope:
    """The *payload* that the key of *chain* signed, with *attributes*."""

    payload: bytes
    attributes: Attributes
    chain: Chain
    timestamp: bool = False


def verified(parsed: Parsed) -> Envelope:
    """Return the envelope if it is whole. Raises `SignatureError` if the chain is no chain, the algorithm is not the
    key's, or the signature is not that of the key."""
    if parsed.content_type != PAYLOAD_TYPE:
        raise SignatureError("The payload's type is not known", why=parsed.content_type)
    chain = check_chain([parse_certificate(der) for der in parsed.certificates])
    if parsed.algorithm != chain.algorithm.jose:
        why = f"it says {parsed.algorithm}, and the key signs with {chain.algorithm.jose}"
        raise SignatureError("The algorithm is not the one of the signer's key", why=why)
    verify(chain.leaf.key, parsed.signature, parsed.signed)
    chain.require_valid_at(parsed.attributes.signing_time, "at the time of signing")
    return Envelope(parsed.payload, parsed.attributes, chain, parsed.timestamp)
