"""X.509 certificates: read from DER and PEM, and the chain from a signer to its root.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#certificate-requirements
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..errors import SignatureError
from .algorithms import Algorithm, algorithm_of

MOST_CERTIFICATES = 10
LONGEST_CERTIFICATE = 64 * 1024
_SMALLEST_RSA = 2048
_HASHES = frozenset({"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"})
"""The hashes under which a certificate may be signed. SHA-1 is forgeable (https://shattered.io)."""
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_KNOWN = frozenset({x509.BasicConstraints.oid, x509.KeyUsage.oid, x509.ExtendedKeyUsage.oid})
"""The extensions that are checked here; whoever does not know a critical one must refuse it (RFC 5280 §4.2)."""
_FORBIDDEN_USAGES = frozenset({
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING,
})  # fmt: skip
_OTHER_KEY_USAGES = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
# What the library raises for bytes that are no certificate, at the first look at the part that is wrong.
_MALFORMED = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


@dataclass(frozen=True)
class Certificate:
    """One certificate, whose parts can all be read."""

    der: bytes
    parsed: x509.Certificate
    key: PublicKeyTypes

    @property
    def subject(self) -> str:
        """The subject as RFC 4514 writes it, for messages."""
        return self.parsed.subject.rfc4514_string()

    @property
    def thumbprint(self) -> str:
        """The SHA-256 of its DER, in lower-case hexadecimal digits."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def not_before(self) -> datetime:
        """The first second in which it is valid."""
        return self.parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """The last second in which it is valid."""
        return self.parsed.not_valid_after_utc

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.parsed.subject == self.parsed.issuer

    @property
    def may_be_trusted(self) -> bool:
        """Whether a trust store may have it: it is an authority's, or self-signed."""
        constraints = _extension(self, x509.BasicConstraints)
        return (constraints is not None and constraints.value.ca) or _is_signed_by(self, self)

    @property
    def revocation_is_published(self) -> bool:
        """Whether the issuer has a service (OCSP) or a list (CRL) that may say that it is revoked."""
        extensions = self.parsed.extensions
        kinds = (x509.AuthorityInformationAccess, x509.CRLDistributionPoints, x509.FreshestCRL)
        return any(isinstance(one.value, kinds) for one in extensions)


@dataclass(frozen=True)
class Chain:
    """Certificates from that of the signer to the root, checked by `check_chain`."""

    certificates: Sequence[Certificate]

    @property
    def leaf(self) -> Certificate:
        """The signer's certificate."""
        return self.certificates[0]

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of the signer's key."""
        return algorithm_of(self.leaf.key)

    @property
    def thumbprints(self) -> list[str]:
        """The thumbprints in the chain's order."""
        return [one.thumbprint for one in self.certificates]

    def require_valid_at(self, moment: datetime, when: str) -> None:
        """Raise `SignatureError` unless all certificates are valid at *moment*, which *when* names."""
        for one in self.certificates:
            if not one.not_before <= moment <= one.not_after:
                raise SignatureError(
                    f"A certificate is not valid {when}",
                    where=one.subject,
                    why=f"it is valid from {one.not_before:%Y-%m-%dT%H:%M:%SZ} to {one.not_after:%Y-%m-%dT%H:%M:%SZ}",
                )


def parse_certificate(der: bytes) -> Certificate:
    """Parse *der*. Raises `SignatureError` unless it is one certificate, and every part of it can be read."""
    if len(der) > LONGEST_CERTIFICATE:
        raise SignatureError("A certificate is too long", why=f"more than {LONGEST_CERTIFICATE} bytes")
    try:
        parsed = x509.load_der_x509_certificate(der)
        found = Certificate(der, parsed, parsed.public_key())
        # The library reads each of these at its first use.
        list(parsed.extensions)
        parsed.subject.rfc4514_string()
        parsed.issuer.rfc4514_string()
        if parsed.version is not x509.Version.v3 or found.not_before > found.not_after:
            raise ValueError("it is not of version 3, or its times are reversed")
        if parsed.public_bytes(serialization.Encoding.DER) != der:
            raise ValueError("bytes follow it")
    except _MALFORMED as error:
        raise SignatureError("A certificate is malformed", why=str(error)[:200]) from error
    return found


def parse_certificates(content: bytes) -> list[Certificate]:
    """Parse *content*: certificates as PEM, or one as DER. Raises `SignatureError` for none, and for any other thing in
    the PEM, such as a private key."""
    if b"-----BEGIN" not in content:
        return [parse_certificate(content)]
    if content.count(b"-----BEGIN") != content.count(b"-----BEGIN CERTIFICATE-----"):
        raise SignatureError("A file of certificates has something else in it", hint="Leave only the certificates.")
    try:
        found = x509.load_pem_x509_certificates(content)
    except _MALFORMED as error:
        raise SignatureError("A certificate is malformed", why=str(error)[:200]) from error
    return [parse_certificate(one.public_bytes(serialization.Encoding.DER)) for one in found]


def ordered(leaf: Certificate, others: Sequence[Certificate]) -> list[Certificate]:
    """Return *leaf* and those of *others* that lead from it to a root, in this order, as far as they are there."""
    found = [leaf]
    while not _is_signed_by(found[-1], found[-1]):
        issuer = next((one for one in others if one not in found and _is_signed_by(found[-1], one)), None)
        if issuer is None:
            break
        found.append(issuer)
    return found


def check_chain(certificates: Sequence[Certificate]) -> Chain:
    """Return *certificates* as a chain from a signer to a self-signed root. Raises `SignatureError` unless each is
    issued by the next one, and may do what it does. Whether the root is trusted is another question."""
    if not 0 < len(certificates) <= MOST_CERTIFICATES:
        raise SignatureError(
            "The certificate chain has no usable length", why=f"{len(certificates)} of 1 to {MOST_CERTIFICATES}"
        )
    try:
        _check_leaf(certificates[0])
        for depth, one in enumerate(certificates[1:]):
            _check_authority(one, depth)
        for one, issuer in itertools.pairwise(certificates):
            if one.is_self_issued and _is_signed_by(one, one):
                raise _wrong(one, "it is self-signed, but not the last one of the chain")
            if not _is_signed_by(one, issuer):
                raise _wrong(one, f"it was not issued by the next one, '{issuer.subject}'")
        last = certificates[-1]
        if not _is_signed_by(last, last):
            raise _wrong(last, "the chain does not end with a self-signed root")
    except _MALFORMED as error:
        raise SignatureError("A certificate is malformed", why=str(error)[:200]) from error
    return Chain(tuple(certificates))


def _check_leaf(leaf: Certificate) -> None:
    algorithm_of(leaf.key)
    _check_common(leaf)
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        raise _wrong(leaf, "it is that of an authority, which cannot sign artifacts")
    usage = _key_usage(leaf)
    if not usage.digital_signature:
        raise _wrong(leaf, "its key is not for digital signatures")
    if others := [name for name in _OTHER_KEY_USAGES if getattr(usage, name)]:
        raise _wrong(leaf, f"its key is for more than signatures: {', '.join(others).replace('_', ' ')}")
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    if extended is not None:
        usages = set(extended.value)
        if ExtendedKeyUsageOID.CODE_SIGNING not in usages or usages & _FORBIDDEN_USAGES:
            raise _wrong(leaf, "its extended key usage is not code signing alone")


def _check_authority(one: Certificate, depth: int) -> None:
    """Check an authority with *depth* other authorities between it and the signer."""
    _check_common(one)
    constraints = _extension(one, x509.BasicConstraints)
    if constraints is None or not constraints.critical or not constraints.value.ca:
        raise _wrong(one, "it is not that of an authority")
    longest = constraints.value.path_length
    if longest is not None and longest < depth:
        raise _wrong(one, f"only {longest} authorities may follow it, not {depth}")
    if not _key_usage(one).key_cert_sign:
        raise _wrong(one, "its key is not for certificates")
    extended = _extension(one, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extended is not None and not allowed & set(extended.value):
        raise _wrong(one, "it must not issue certificates for code signing")


def _check_common(one: Certificate) -> None:
    key, used = one.key, one.parsed.signature_hash_algorithm
    if used is None or used.name not in _HASHES:
        raise _wrong(one, f"it is signed with {used.name if used else 'an unknown hash'}")
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _SMALLEST_RSA:
            raise _wrong(one, f"its RSA key has only {key.key_size} bits")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise _wrong(one, "its key is neither RSA nor on a known curve")
    unknown = [item.oid.dotted_string for item in one.parsed.extensions if item.critical and item.oid not in _KNOWN]
    if unknown:
        raise _wrong(one, f"it has a critical extension that is not known here: {unknown[0]}")


def _key_usage(one: Certificate) -> x509.KeyUsage:
    found = _extension(one, x509.KeyUsage)
    if found is None or not found.critical:
        raise _wrong(one, "it has no critical key usage")
    return found.value


def _extension(one: Certificate, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
    return next((item for item in one.parsed.extensions if isinstance(item.value, kind)), None)


def _is_signed_by(one: Certificate, issuer: Certificate) -> bool:
    verify: Callable[[x509.Certificate], None] = one.parsed.verify_directly_issued_by
    try:
        verify(issuer.parsed)
    except (InvalidSignature, *_MALFORMED):
        return False
    return True


def _wrong(one: Certificate, why: str) -> SignatureError:
    return SignatureError("A certificate of the chain cannot be used", where=one.subject, why=why)
