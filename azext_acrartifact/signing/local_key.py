"""Sign with a private key in a file, for machines without a Key Vault."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..errors import LocalFileError, SignatureError, restated
from ..files.os_errors import local_error
from . import algorithms
from .certificates import Certificate, Chain, check_chain, parse_certificates

LONGEST_FILE = 1024 * 1024


class LocalKey:
    """A private *key* with its certificates."""

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, chain: Chain) -> None:
        self._key = key
        self.chain = chain

    def sign(self, content: bytes) -> bytes:
        """Sign *content*."""
        return algorithms.sign(self._key, content)


def open_local_key(key_path: str, certificate_path: str) -> LocalKey:
    """Return the key in the PEM file *key_path*, with the chain in *certificate_path*. Raises `LocalFileError` for a
    file that cannot be read or has no key, and `SignatureError` unless the certificates are those of the key."""
    chain = read_chain(certificate_path)
    try:
        key = load_pem_private_key(read_file(key_path), None)
    except TypeError as error:
        hint = "Decrypt it first: openssl pkey -in KEY.pem -out PLAIN.pem. Or use a key in a Key Vault."
        raise LocalFileError("The private key is encrypted", where=key_path, hint=hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "Give a private key as PEM."
        raise LocalFileError("The file has no private key", where=key_path, hint=hint) from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise LocalFileError("The key cannot sign artifacts", where=key_path, hint="Use an RSA or an EC key.")
    if key.public_key() != chain.leaf.key:
        raise SignatureError(
            "The certificate is not that of the key",
            where=certificate_path,
            hint="The file must begin with the certificate of --key-file.",
        )
    return LocalKey(key, chain)


def read_chain(path: str) -> Chain:
    """Return the chain in the file *path*, from the signer to the root. Raises `LocalFileError`, and `SignatureError`
    for certificates that cannot sign artifacts."""
    try:
        return check_chain(parse_certificates(read_file(path)))
    except SignatureError as error:
        hint = error.hint if error.hint != SignatureError.usual_hint else ""
        hint = hint or "The file needs the signer's certificate first, and last the root, as PEM."
        raise restated(error, hint=f"{hint} See docs/signing.md.") from error


def read_certificates(path: str) -> list[Certificate]:
    """Return the certificates in the file *path*, in PEM or DER. Raises `LocalFileError` and `SignatureError`."""
    try:
        return parse_certificates(read_file(path))
    except SignatureError as error:
        hint = "Give the root of the signer's chain, or the signer's own certificate, as PEM."
        raise restated(error, why=f"{path}: {error.why}" if error.why else path, hint=hint) from error


def read_file(path: str) -> bytes:
    """Return the content of the file *path*, at most 1 MiB. Raises `LocalFileError`."""
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise local_error("Could not read a file", path, error) from error
    if len(content) > LONGEST_FILE:
        raise LocalFileError("The file is too long", where=path, why=f"more than {LONGEST_FILE} bytes")
    return content
