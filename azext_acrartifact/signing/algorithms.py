"""The signature algorithms of the Notary Project. The key decides which one is used; a signature cannot choose.

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-specification.md#signature-algorithm-requirements
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from ..errors import SignatureError

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Algorithm:
    """A signature algorithm by its names in JOSE (RFC 7518) and in COSE (RFC 9053, RFC 8230), and the name of its hash.
    *coordinate* is the number of bytes of r and of s in an ECDSA signature, 0 for RSA."""

    jose: str
    cose: int
    hash_name: str
    coordinate: int = 0

    @property
    def hash(self) -> hashes.HashAlgorithm:
        """The hash of the content and of RSA's mask."""
        return _HASHES[self.hash_name]

    def digest(self, content: bytes) -> bytes:
        """Return the hash of *content*, which is what a key signs."""
        return hashlib.new(self.hash_name, content).digest()


_RSA = {
    2048: Algorithm("PS256", -37, "sha256"),
    3072: Algorithm("PS384", -38, "sha384"),
    4096: Algorithm("PS512", -39, "sha512"),
}
_CURVES = {
    "secp256r1": Algorithm("ES256", -7, "sha256", 32),
    "secp384r1": Algorithm("ES384", -35, "sha384", 48),
    "secp521r1": Algorithm("ES512", -36, "sha512", 66),
}
ALGORITHMS = (*_RSA.values(), *_CURVES.values())
_KEYS = "RSA with 2048, 3072 or 4096 bits, or P-256, P-384 or P-521"


def algorithm_of(key: PublicKeyTypes) -> Algorithm:
    """Return the only algorithm that *key* signs with. Raises `SignatureError` for any other key."""
    found, kind = None, type(key).__name__.strip("_")
    if isinstance(key, rsa.RSAPublicKey):
        found, kind = _RSA.get(key.key_size), f"RSA with {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        found, kind = _CURVES.get(key.curve.name), key.curve.name
    if found is None:
        raise SignatureError("The key cannot sign artifacts", why=f"it is {kind}, not {_KEYS}")
    return found


def verify(key: PublicKeyTypes, signature: bytes, content: bytes) -> None:
    """Raise `SignatureError` unless *key* signed *content*. ECDSA signatures are r and s, as in JWS and COSE."""
    algorithm = algorithm_of(key)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, _padding(algorithm), algorithm.hash)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_to_der(signature, algorithm.coordinate), content, ec.ECDSA(algorithm.hash))
    except InvalidSignature as error:
        raise SignatureError("The signature does not match", why="its bytes or the signed ones were changed") from error


def sign(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """Sign *content* in the form that `verify` reads."""
    algorithm = algorithm_of(key.public_key())
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, _padding(algorithm), algorithm.hash)
    r, s = utils.decode_dss_signature(key.sign(content, ec.ECDSA(algorithm.hash)))
    return r.to_bytes(algorithm.coordinate, "big") + s.to_bytes(algorithm.coordinate, "big")


def _padding(algorithm: Algorithm) -> padding.PSS:
    # RFC 7518 §3.5: the salt has the length of the hash.
    return padding.PSS(padding.MGF1(algorithm.hash), algorithm.hash.digest_size)


def _to_der(signature: bytes, coordinate: int) -> bytes:
    """Return r and s as DER (RFC 7518 §3.4)."""
    if len(signature) != 2 * coordinate:
        raise InvalidSignature
    r, s = signature[:coordinate], signature[coordinate:]
    return utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
