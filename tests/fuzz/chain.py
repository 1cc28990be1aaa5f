"""Certificates, and chains of them."""

from __future__ import annotations

from azext_acrartifact.errors import SignatureError
from azext_acrartifact.signing.certificates import check_chain, ordered, parse_certificate, parse_certificates
from azext_acrartifact.signing.distinguished_name import name_of
from tests.fuzz.shown import is_harmless

MOST = 5


def check(data: bytes) -> None:
    """Read *data* as certificates, each after two bytes with its length, and as one file."""
    found = []
    rest = data
    while len(rest) > 2 and len(found) < MOST:
        size = int.from_bytes(rest[:2], "big")
        der, rest = rest[2 : 2 + size], rest[2 + size :]
        try:
            found.append(parse_certificate(der))
        except SignatureError as error:
            assert is_harmless(error.message)
    try:
        chain = check_chain(found)
        assert chain.leaf is found[0]
        assert ordered(found[0], found)[0] is found[0]
        name_of(chain.leaf.parsed.subject)
    except SignatureError as error:
        assert is_harmless(error.message)
    try:
        parse_certificates(data)
    except SignatureError as error:
        assert is_harmless(error.message)
