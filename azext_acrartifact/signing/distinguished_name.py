"""Distinguished names in a trust policy (RFC 4514), compared as Notation compares them: an identity is trusted if all
its attributes are those of the certificate's subject."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID

from ..errors import SignatureError

_LONGEST = 1024
_MANDATORY = ("C", "ST", "O")
_NAMES = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.STREET_ADDRESS: "STREET",
    NameOID.POSTAL_CODE: "POSTALCODE",
}
_ATTRIBUTE = re.compile(
    r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=((?:[^\\,;+\"<>\x00]|\\[0-9A-Fa-f]{2}|\\[ \"#+,;<=>\\])*)([,;+]|$)"
)
_ESCAPE = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.")
_TRAILING = re.compile(r"(?<!\\)((?:\\\\)*) +$")

DistinguishedName = Mapping[str, str]


def parse_name(text: str) -> DistinguishedName:
    """Return the attributes in *text*, such as `C=US, ST=WA, O=wabbit-networks.io`. Raises `SignatureError` unless each
    is there once, and country, state and organization are among them."""
    if len(text) > _LONGEST or "=#" in text:
        raise _malformed(text, f"it is longer than {_LONGEST} characters, or has values in hexadecimal digits")
    found: dict[str, str] = {}
    for name, value in _attributes(text):
        # S is another name of ST.
        known = "ST" if name == "S" else name
        if found.setdefault(known, value) is not value:
            raise _malformed(text, f"{known} is there twice")
    return _complete(found, text)


def name_of(subject: x509.Name) -> DistinguishedName:
    """Return the attributes of a certificate's *subject*; raise `SignatureError` if `parse_name` could not read it."""
    found: dict[str, str] = {}
    text = subject.rfc4514_string()
    for attribute in subject:
        name = _NAMES.get(attribute.oid)
        if name is None or not isinstance(attribute.value, str) or name in found:
            raise _malformed(text, f"{attribute.oid.dotted_string} is unknown, or there twice")
        found[name] = attribute.value
    return _complete(found, text)


def includes(subject: DistinguishedName, identity: DistinguishedName) -> bool:
    """Return whether *subject* has every attribute of *identity*."""
    return all(subject.get(name) == value for name, value in identity.items())


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while True:
        match = _ATTRIBUTE.match(text, position)
        if match is None or match.group(3) == "+":
            raise _malformed(text, "it is not ATTRIBUTE=VALUE, …")
        yield match.group(1), _unescaped(match.group(2), text)
        if not match.group(3):
            return
        position = match.end()


def _unescaped(value: str, text: str) -> str:
    """Return *value* without escapes, and without the blanks around it."""
    bare = _TRAILING.sub(r"\1", value.lstrip(" "))
    try:
        return _ESCAPE.sub(lambda match: _plain(match.group()), bare)
    except UnicodeDecodeError as error:
        raise _malformed(text, "an escape is not UTF-8") from error


def _plain(escape: str) -> str:
    return bytes.fromhex(escape.replace("\\", "")).decode() if len(escape) > 2 else escape[1]


def _complete(found: dict[str, str], text: str) -> DistinguishedName:
    missing = [name for name in _MANDATORY if not found.get(name)]
    if missing:
        raise _malformed(text, f"it has no {missing[0]}")
    return found


def _malformed(text: str, why: str) -> SignatureError:
    hint = "An identity needs at least C, ST and O, each once: x509.subject: C=US, ST=WA, O=example.com"
    return SignatureError("The distinguished name cannot be compared", where=text, why=why, hint=hint)
