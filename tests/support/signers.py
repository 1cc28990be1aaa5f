"""Keys and certificates for signatures: valid ones, and any other that a test wants."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KINDS = ("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521")
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "k256": ec.SECP256K1,
}  # fmt: skip
NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


@functools.cache
def key_of(kind: str, number: int = 0) -> Key:
    """Return the key of *kind* with this *number*; the same one each time."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key(CURVES[kind]())


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


_SHA256_WITH_RSA, _SHA1_WITH_RSA = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def usage(*names: str) -> x509.KeyUsage:
    """Return the key usage *names*."""
    return x509.KeyUsage(**{name: name in names for name in USAGES})


def leaf_extensions(*, critical: bool = True, use: x509.KeyUsage | None = None) -> Extensions:
    """Return the extensions of a signer."""
    eku = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    return [(use or usage("digital_signature"), critical), (eku, False)]


def ca_extensions(path_length: int | None = None) -> Extensions:
    """Return the extensions of an authority."""
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (usage("key_cert_sign", "crl_sign"), True),
    ]


def issue(
    name: str,
    extensions: Extensions,
    issuer: Issued | None = None,
    *,
    kind: str = "p256",
    number: int = 0,
    begin: datetime = NOW - DAY,
    end: datetime = NOW + 30 * DAY,
    digest: hashes.HashAlgorithm | None = None,
    attributes: Sequence[x509.NameAttribute] = (),
    change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder] = lambda builder: builder,
) -> Issued:
    """Issue a certificate for *name*; without *issuer* it is self-signed."""
    key = key_of(kind, number)
    subject = subject_of(name, attributes)
    parent = issuer or Issued(None, key)  # type: ignore[arg-type]
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer.certificate.subject if issuer else subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=end,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signing = None if isinstance(parent.key, ed25519.Ed25519PrivateKey) else digest or hashes.SHA256()
    return Issued(change(builder).sign(parent.key, signing), key)


def subject_of(name: str, attributes: Sequence[x509.NameAttribute] = ()) -> x509.Name:
    """Return the subject with the common name *name*."""
    usual = [(NameOID.COUNTRY_NAME, "US"), (NameOID.STATE_OR_PROVINCE_NAME, "WA"), (NameOID.ORGANIZATION_NAME, "Acme")]
    named = [x509.NameAttribute(oid, text) for oid, text in (*usual, (NameOID.COMMON_NAME, name))]
    return x509.Name([*named, *attributes])


@functools.cache
def chain_of(kind: str = "p256") -> tuple[Issued, ...]:
    """Return a signer with a key of *kind*, the authority that issued it, and the root."""
    root = issue("Root", ca_extensions(), kind=kind, number=2)
    middle = issue("Issuer", ca_extensions(0), root, kind=kind, number=1)
    return issue(f"signer-{kind}", leaf_extensions(), middle, kind=kind), middle, root


@functools.cache
def alone(kind: str = "p256", number: int = 0) -> Issued:
    """Return a self-signed signer, as a Key Vault makes them."""
    return issue(f"alone-{kind}-{number}", leaf_extensions(), kind=kind, number=number)


@functools.cache
def revocable_signer() -> Issued:
    """Return a signer whose certificate says where to ask whether it was revoked."""
    url = x509.UniformResourceIdentifier("http://ocsp.example")
    access = x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url)])
    return issue("revocable", [*leaf_extensions(), (access, False)], number=10)


def sha1_signer() -> Issued:
    """Return a self-signed signer whose certificate is signed with SHA-1, which the library no longer does."""
    usual = issue("sha1", leaf_extensions(), kind="rsa2048", number=4)
    key = usual.key
    assert isinstance(key, rsa.RSAPrivateKey)
    tbs = usual.certificate.tbs_certificate_bytes.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA, 1)
    padded = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(tbs, usedforsecurity=False).digest()
    numbers = key.private_numbers()
    block = b"\0\1" + b"\xff" * (256 - 3 - len(padded)) + b"\0" + padded
    signature = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
    der = usual.der.replace(usual.certificate.tbs_certificate_bytes, tbs)
    der = der.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA).replace(usual.certificate.signature, signature)
    return Issued(x509.load_der_x509_certificate(der), key)


def write_pem(folder: Path, chain: Sequence[Issued]) -> tuple[str, str, str]:
    """Write key, chain and root as PEM to *folder*; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"key.pem": chain[0].key_pem, "chain.pem": b"".join(one.pem for one in chain), "root.pem": chain[-1].pem}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    key, certificates, root = (str(folder / name) for name in contents)
    return key, certificates, root
