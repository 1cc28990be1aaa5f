"""Sign with a key in a Key Vault, whose certificate is there too, or in a file."""

from __future__ import annotations

import base64
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from ..errors import ProtocolError, SignatureError, restated
from .certificates import Certificate, Chain, check_chain, ordered, parse_certificate, parse_certificates
from .key_vault import CERTIFICATES, KeyVault

PKCS12, PEM = "application/x-pkcs12", "application/x-pem-file"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_HINT = "Give the whole chain, from the certificate to the root, with --certificate-file CHAIN.pem."


class VaultKey:
    """A key of *vault* in one *version*, with its certificates."""

    def __init__(self, vault: KeyVault, version: str, chain: Chain) -> None:
        self._vault, self._version = vault, version
        self.chain = chain

    def sign(self, content: bytes) -> bytes:
        """Have the vault sign the hash of *content*."""
        return self._vault.sign(self._version, self.chain.algorithm, content)


def open_vault_key(vault: KeyVault, chain: Chain | None = None) -> VaultKey:
    """Return the key of *vault* with *chain*; without one, with the chain that the vault has. Raises any
    `ArtifactError`.

    A self-signed certificate is a chain by itself. That of an authority comes with its issuers only in the
    certificate's secret, which takes the right to read secrets.
    """
    if chain is not None and vault.key.kind != CERTIFICATES:
        return VaultKey(vault, vault.key_version(), chain)
    found = vault.certificate()
    leaf = parse_certificate(found.der)
    if chain is not None and chain.leaf.der != leaf.der:
        hint = "The file must begin with the certificate that is in the vault."
        raise SignatureError("The certificate is not that of the key", where=vault.key.name, hint=hint)
    try:
        certificates = [leaf] if leaf.is_self_issued or chain else ordered(leaf, _others(*vault.secret(found.version)))
        return VaultKey(vault, found.version, chain or check_chain(certificates))
    except SignatureError as error:
        raise restated(error, hint=_HINT if not leaf.is_self_issued else _POLICY_HINT) from error


_POLICY_HINT = "Make one for code signing: its policy needs keyUsage digitalSignature alone. See docs/signing.md."


def _others(kind: str, content: str) -> list[Certificate]:
    """Return the certificates in a secret. Its private key is not looked at."""
    if kind == PEM:
        return parse_certificates(b"\n".join(_CERTIFICATE.findall(content.encode())))
    if kind != PKCS12:
        raise ProtocolError("The certificate's secret has an unknown type", why=kind)
    try:
        found = pkcs12.load_pkcs12(base64.b64decode(content, validate=True), None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProtocolError(
            "The certificate's secret is malformed", why="it is no PKCS#12 without a password"
        ) from error
    every = [found.cert, *found.additional_certs]
    return [parse_certificate(one.certificate.public_bytes(Encoding.DER)) for one in every if one]
