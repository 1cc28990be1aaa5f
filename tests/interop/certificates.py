"""Self-signed certificates for this machine: for the tests' servers, and for signing tokens."""

from __future__ import annotations

import datetime
import ipaddress
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate in the PEM file *file*, and its key in *key_file*."""

    file: Path
    key_file: Path
    key: rsa.RSAPrivateKey
    der: bytes

    @classmethod
    def make(cls, folder: Path) -> Certificate:
        """Create a certificate with its files in *folder*."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        made = _certificate(key)
        certificate = cls(
            folder / "certificate.pem", folder / "key.pem", key, made.public_bytes(serialization.Encoding.DER)
        )
        certificate.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        certificate.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate

    @property
    def x5c(self) -> list[str]:
        """The chain as a JWT's header has it (RFC 7515 §4.1.6)."""
        return [b64encode(self.der).decode()]


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "interop")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    )
    return builder.sign(key, hashes.SHA256())
