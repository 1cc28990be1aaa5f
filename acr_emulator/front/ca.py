"""A private certificate authority, and one leaf certificate for each host that a client connects to.

Certificates contain what strict verifiers require (RFC 5280 §4.2.1; Python 3.13's VERIFY_X509_STRICT; Go):
subject and authority key identifiers, critical basic constraints and key usage, a subject alternative name.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acr_emulator.jwt import write_private

_DAY = datetime.timedelta(days=1)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class Authority:
    """Issue leaf certificates, signed by the authority in *state*/ca.pem (made the first time)."""

    def __init__(self, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.certificate_file = state / "ca.pem"
        self._leaves = state / "leaves"
        self._leaves.mkdir(exist_ok=True)
        self._key = _load_or_make(state / "ca-key.pem")
        self._leaf_key_file = state / "leaf-key.pem"
        self._leaf_key = _load_or_make(self._leaf_key_file)
        self._certificate = self._load_or_issue_root()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, host: str) -> ssl.SSLContext:
        """Return the server-side TLS context of *host*: HTTP/1.1 only, TLS 1.2 or later."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        if not _HOST.fullmatch(host):
            raise ValueError(f"not a host name: {host!r}")
        chain = self._leaves / f"{host}.pem"
        chain.write_bytes(_pem(self._issue_leaf(host)) + _pem(self._certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain, self._leaf_key_file)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _load_or_issue_root(self) -> x509.Certificate:
        if self.certificate_file.exists():
            known = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
            if known.public_key() == self._key.public_key():
                return known
        root = self._issue_root()
        self.certificate_file.write_bytes(_pem(root))
        return root

    def _issue_root(self) -> x509.Certificate:
        name = _name("acr-emulator certificate authority")
        public = self._key.public_key()
        builder = _builder(name, name, public, 3650 * _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(sign_certificates=True), critical=True)
        return builder.sign(self._key, hashes.SHA256())

    def _issue_leaf(self, host: str) -> x509.Certificate:
        public = self._leaf_key.public_key()
        issuer = self._certificate
        builder = _builder(_name(host[:64]), issuer.subject, public, 365 * _DAY)
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(sign_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, lifetime: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _DAY).not_valid_after(now + lifetime)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates, key_cert_sign=sign_certificates, crl_sign=sign_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _load_or_make(file: Path) -> ec.EllipticCurvePrivateKey:
    if file.exists():
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{file} is not an elliptic-curve key")
        return key
    made = ec.generate_private_key(ec.SECP256R1())
    write_private(file, made)
    return made
