"""Certificates for any name: our own certificate authority, and a certificate for the names of the tests."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.hostile.names import ADDRESSES, EVIL, HOSTS

_NOW = datetime.datetime.now(datetime.timezone.utc)
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """*bundle* holds the authority's certificate, which clients trust; *contexts* are what servers speak TLS with."""

    bundle: Path
    contexts: dict[str, ssl.SSLContext]
    """`good`, and what a hostile server may show instead: `other` name, `expired`, `unknown` authority."""

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """Create an authority with its files in *folder*."""
        key, certificate = _authority("hostile tests")
        bundle = folder / "authority.pem"
        bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in (*HOSTS, "localhost")]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
        kinds = {
            "good": (key, certificate, names, _NOW + _DAY),
            "other": (key, certificate, [x509.DNSName(EVIL)], _NOW + _DAY),
            "wild": (key, certificate, [x509.DNSName("*.io"), x509.DNSName("*")], _NOW + _DAY),
            "expired": (key, certificate, names, _NOW - _DAY),
            "unknown": (*_authority("nobody knows"), names, _NOW + _DAY),
        }
        return cls(bundle, {kind: _context(folder / f"{kind}.pem", *made) for kind, made in kinds.items()})


def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = builder_of(name, name, key, _NOW + 2 * _DAY).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return key, builder.sign(key, hashes.SHA256())


def builder_of(
    issuer: str, subject: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, until: datetime.datetime
) -> x509.CertificateBuilder:
    """Return the builder of a certificate of *key* that is valid until then."""

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(_NOW - 9 * _DAY).not_valid_after(until)


def _context(
    file: Path,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    names: list[x509.GeneralName],
    until: datetime.datetime,
) -> ssl.SSLContext:
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    builder = builder_of(str(issuer), "leaf", leaf_key, until)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    )
    leaf = builder.sign(key, hashes.SHA256())
    secret = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.set_alpn_protocols(["http/1.1"])
    return context
