"""Signatures with anything in them: written without the code under test, and signed afterwards by any key."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from tests.support.signers import DAY, NOW, Issued, Key, alone

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = "sha256:" + "a" * 64
SIZE = 123
TARGET = {"mediaType": MANIFEST, "digest": DIGEST, "size": SIZE}
PREFIX = "io.cncf.notary"
SCHEME, SIGNED_AT = f"{PREFIX}.signingScheme", f"{PREFIX}.signingTime"
EXPIRY, AUTHENTIC = f"{PREFIX}.expiry", f"{PREFIX}.authenticSigningTime"
TYPES = {"jws": "application/jose+json", "cose": "application/cose"}
COSE_IDS = {"PS256": -37, "PS384": -38, "PS512": -39, "ES256": -7, "ES384": -35, "ES512": -36, "RS256": -257,
            "HS256": 5, "none": 0}  # fmt: skip
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_ALGORITHMS = {2048: "PS256", 3072: "PS384", 4096: "PS512", 256: "ES256", 384: "ES384", 521: "ES512"}


@dataclass(frozen=True)
class Tag:
    """A CBOR value with a tag."""

    number: int
    value: Any


@dataclass(frozen=True)
class Raw:
    """CBOR that is written as it is."""

    data: bytes


@dataclass(frozen=True)
class Draft:
    """One signature before it is written: `None` in *headers* removes a header, and *unsigned* are the unprotected
    ones beside the chain. *forge* changes the signature, *late* the finished envelope."""

    format: str
    chain: Sequence[bytes]
    key: Key
    payload: bytes = json.dumps({"targetArtifact": TARGET}).encode()
    headers: Mapping[Any, Any] = field(default_factory=dict)
    unsigned: Mapping[Any, Any] = field(default_factory=dict)
    forge: Callable[[bytes], bytes] = lambda signature: signature
    signed_payload: bytes | None = None
    late: Callable[[bytes], bytes] = lambda raw: raw
    thumbprints: str | None = ""

    @property
    def media_type(self) -> str:
        """The envelope's media type."""
        return TYPES[self.format]

    @property
    def annotation(self) -> str | None:
        """The thumbprints in the manifest; those of the chain, if no others are wanted."""
        right = json.dumps([hashlib.sha256(der).hexdigest() for der in self.chain])
        return right if self.thumbprints == "" else self.thumbprints

    def write(self) -> bytes:
        """Return the envelope."""
        return self.late(_jws(self) if self.format == "jws" else _cose(self))


def draft(kind: str, *chain: Issued, **changes: Any) -> Draft:
    """Return a draft in the format *kind* of a signature by *chain*, with *changes*."""
    chain = chain or (alone(),)
    return replace(Draft(kind, [one.der for one in chain], chain[0].key), **changes)


def algorithm_for(key: Key) -> str:
    """Return the name of the right algorithm; one of the same family for a key that has none."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ES256"
    return _ALGORITHMS.get(key.key_size, "PS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")


def time_of(kind: str, days: float = 0) -> Any:
    """Return a time as the format *kind* writes it, *days* from now."""
    moment = NOW + days * DAY
    return Tag(1, int(moment.timestamp())) if kind == "cose" else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(key: Key, algorithm: str, content: bytes) -> bytes:
    """Sign *content* as *algorithm* wants it, as far as *key* can."""
    digest = _HASHES.get(algorithm[2:], hashes.SHA256())
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return key.sign(content, padding.PKCS1v15() if algorithm.startswith("RS") else pss, digest)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    size = (key.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.sign(content, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def url64(content: bytes) -> str:
    """Encode *content* as base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def cbor(value: Any) -> bytes:
    """Encode *value*; maps stay in their order."""
    if isinstance(value, Raw):
        return value.data
    if isinstance(value, Tag):
        return _head(6, value.number) + cbor(value.value)
    if isinstance(value, bool) or value is None:
        return {True: b"\xf5", False: b"\xf4", None: b"\xf6"}[value]
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return _head(1, -1 - value) if value < 0 else _head(0, value)
    if isinstance(value, (bytes, str)):
        content = value.encode() if isinstance(value, str) else value
        return _head(3 if isinstance(value, str) else 2, len(content)) + content
    if isinstance(value, Mapping):
        return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    return _head(4, len(value)) + b"".join(map(cbor, value))


def ordered(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return *fields* in CBOR's deterministic order."""
    return dict(sorted(fields.items(), key=lambda pair: cbor(pair[0])))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")


def _headers(one: Draft) -> dict[Any, Any]:
    names = {"alg": 1, "crit": 2, "cty": 3} if one.format == "cose" else {}
    usual = {
        "alg": algorithm_for(one.key),
        "crit": [SCHEME],
        "cty": "application/vnd.cncf.notary.payload.v1+json",
        SCHEME: "notary.x509",
        SIGNED_AT: time_of(one.format),
    }
    fields = {names.get(name, name): value for name, value in {**usual, **one.headers}.items() if value is not None}
    if one.format == "cose" and isinstance(fields.get(1), str):
        fields[1] = COSE_IDS.get(fields[1], fields[1])
    return fields


def _algorithm(one: Draft) -> str:
    found = one.headers.get("alg")
    return found if isinstance(found, str) else algorithm_for(one.key)


def _jws(one: Draft) -> bytes:
    protected = url64(json.dumps(_headers(one)).encode())
    content = f"{protected}.{url64(one.signed_payload or one.payload)}".encode()
    signature = one.forge(signed(one.key, _algorithm(one), content))
    header = {"x5c": [base64.b64encode(der).decode() for der in one.chain], **one.unsigned}
    fields = {"payload": url64(one.payload), "protected": protected, "header": header, "signature": url64(signature)}
    return json.dumps(fields).encode()


def _cose(one: Draft) -> bytes:
    protected = cbor(ordered(_headers(one)))
    content = cbor(["Signature1", protected, b"", one.signed_payload or one.payload])
    signature = one.forge(signed(one.key, _algorithm(one), content))
    unprotected = ordered({33: list(one.chain), **one.unsigned})
    return cbor(Tag(18, [protected, unprotected, one.payload, signature]))
