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

from acr_emulator.jwt import write_private
from tests.hostile.authority import builder_of


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
        write_private(certificate.key_file, key)
        return certificate

    @property
    def x5c(self) -> list[str]:
        """The chain as a JWT's header has it (RFC 7515 §4.1.6)."""
        return [b64encode(self.der).decode()]


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    builder = builder_of("interop", "interop", key, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False).sign(key, hashes.SHA256())
