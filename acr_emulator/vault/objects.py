"""The certificates of a vault, each version with its key and its secret, in memory."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acr_emulator.jwt import encode
from acr_emulator.vault.errors import bad_parameter, disabled

PKCS12, PEM = "application/x-pkcs12", "application/x-pem-file"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"secp256r1": ("P-256", "ES256"), "secp384r1": ("P-384", "ES384"), "secp521r1": ("P-521", "ES512")}


@dataclass
class Version:
    """One version of a certificate. *chain* begins with it."""

    key: PrivateKey
    chain: Sequence[x509.Certificate]
    content_type: str = PKCS12
    enabled: bool = True
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def attributes(self) -> dict[str, Any]:
        """Return the object's attributes."""
        first = self.chain[0]
        times = {"nbf": int(first.not_valid_before_utc.timestamp()), "exp": int(first.not_valid_after_utc.timestamp())}
        return {"enabled": self.enabled, **times, "created": self.created, "updated": self.created,
                "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}  # fmt: skip

    def certificate(self, url: str, name: str) -> dict[str, Any]:
        """Return the certificate as the service shows it; *url* is the vault's."""
        der = self.chain[0].public_bytes(serialization.Encoding.DER)
        return {
            "id": f"{url}/certificates/{name}/{self.id}",
            "kid": f"{url}/keys/{name}/{self.id}",
            "sid": f"{url}/secrets/{name}/{self.id}",
            "x5t": encode(hashlib.sha1(der, usedforsecurity=False).digest()),
            "cer": base64.b64encode(der).decode(),
            "attributes": self.attributes(),
            "policy": {"id": f"{url}/certificates/{name}/policy", "secret_props": {"contentType": self.content_type}},
        }

    def public_key(self, url: str, name: str) -> dict[str, Any]:
        """Return the key as the service shows it."""
        key: dict[str, Any] = {"kid": f"{url}/keys/{name}/{self.id}", "key_ops": ["sign", "verify"]}
        numbers = self.key.public_key().public_numbers()
        if isinstance(numbers, rsa.RSAPublicNumbers):
            key |= {"kty": "RSA", "n": _number(numbers.n, self.key.key_size // 8), "e": _number(numbers.e, 3)}
        else:
            size = (self.key.key_size + 7) // 8
            curve = _CURVES[numbers.curve.name][0]
            key |= {"kty": "EC", "crv": curve, "x": _number(numbers.x, size), "y": _number(numbers.y, size)}
        return {"key": key, "attributes": self.attributes(), "managed": True}

    def secret(self, url: str, name: str) -> dict[str, Any]:
        """Return the secret: certificates and private key."""
        return {
            "value": self._pem() if self.content_type == PEM else self._pkcs12(),
            "contentType": self.content_type,
            "id": f"{url}/secrets/{name}/{self.id}",
            "managed": True,
            "attributes": self.attributes(),
            "kid": f"{url}/keys/{name}/{self.id}",
        }

    def sign(self, algorithm: str, digest: bytes) -> bytes:
        """Sign *digest*; raise `VaultError` if the key or the digest do not fit *algorithm*."""
        if not self.enabled:
            raise disabled("Key")
        kind = "RSA" if algorithm[:2] in ("PS", "RS") else "EC" if algorithm[:2] == "ES" else ""
        digest_kind = _HASHES.get(algorithm[2:])
        if not kind or digest_kind is None:
            raise bad_parameter(f"Property has invalid value alg: {algorithm}")
        own = "RSA" if isinstance(self.key, rsa.RSAPrivateKey) else "EC"
        if kind != own or (
            isinstance(self.key, ec.EllipticCurvePrivateKey) and _CURVES[self.key.curve.name][1] != algorithm
        ):
            raise bad_parameter(
                f"Key and signing algorithm are incompatible. Key is of type '{own}', not for '{algorithm}'."
            )
        if len(digest) != digest_kind.digest_size:
            wanted = f"{algorithm} requires {digest_kind.digest_size} bytes, encoded with base64url."
            raise bad_parameter(f"Invalid length of 'value': {len(digest)} bytes. {wanted}")
        hashed = utils.Prehashed(digest_kind)
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(digest_kind), digest_kind.digest_size)
            return self.key.sign(digest, pss if algorithm.startswith("PS") else padding.PKCS1v15(), hashed)
        size = (self.key.key_size + 7) // 8
        r, s = utils.decode_dss_signature(self.key.sign(digest, ec.ECDSA(hashed)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def _pem(self) -> str:
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (private + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in self.chain)).decode()

    def _pkcs12(self) -> str:
        # Like the service: without a password, the issuers in no particular order.
        raw = pkcs12.serialize_key_and_certificates(
            None, self.key, self.chain[0], list(reversed(self.chain[1:])), serialization.NoEncryption()
        )
        return base64.b64encode(raw).decode()


class Objects:
    """The certificates of all vaults, each with its versions, oldest first. `release` exists from the beginning: a
    self-signed one for code signing."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], list[Version]] = {}
        self.lock = threading.RLock()

    def versions(self, vault: str, name: str) -> list[Version]:
        """Return the versions of the certificate *name*."""
        key = (vault, name.lower())
        with self.lock:
            if key not in self._versions and name.lower() == "release":
                self._versions[key] = [self_signed("release")]
            return self._versions.get(key, [])

    def add(self, vault: str, name: str, version: Version) -> None:
        """Add a version, the newest from now on."""
        with self.lock:
            self._versions[vault, name.lower()] = [*self.versions(vault, name), version]


def imported(value: str, content_type: str) -> Version:
    """Return the version in *value*, PEM or base64 of PKCS#12; raise `VaultError`."""
    try:
        if "-----BEGIN" in value:
            key = serialization.load_pem_private_key(value.encode(), None)
            return Version(_usable(key), x509.load_pem_x509_certificates(value.encode()), content_type)
        found = pkcs12.load_pkcs12(base64.b64decode(value, validate=True), None)
        chain = [one.certificate for one in (found.cert, *found.additional_certs) if one]
        return Version(_usable(found.key), chain, content_type)
    except ValueError as error:
        raise bad_parameter(f"The specified PEM or PKCS#12 X.509 certificate content is invalid: {error}") from error


def self_signed(name: str) -> Version:
    """Return a new self-signed certificate for code signing."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = ((NameOID.COUNTRY_NAME, "US"), (NameOID.STATE_OR_PROVINCE_NAME, "WA"),
             (NameOID.ORGANIZATION_NAME, "contoso.example"), (NameOID.COMMON_NAME, name))  # fmt: skip
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])
    now = datetime.now(timezone.utc)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
    )
    return Version(key, [builder.sign(key, hashes.SHA256())])


def _usable(key: object) -> PrivateKey:
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ValueError("there is no RSA or EC key")
    return key


def _number(value: int, size: int) -> str:
    return encode(value.to_bytes(size, "big"))
