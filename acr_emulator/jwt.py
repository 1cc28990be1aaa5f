"""JSON Web Tokens as Entra and Container Registry issue them: RS256, one key, published as a JWK set.

RFC 7515 (signature), RFC 7517 (key set), RFC 7519 (claims).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

Reason = Literal["malformed", "signature", "expired", "not_yet_valid"]
_REMEMBERED = 1000  # verified tokens in the cache: a client sends the same token many times
CLOCK_SKEW = 5.0
"""Seconds by which `nbf` may be in the future."""


class TokenError(Exception):
    """A token that must not be accepted; *reason* says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class Signer:
    """Sign and verify tokens with the RSA key in *key_file*, which is made if it is missing."""

    def __init__(self, key_file: Path) -> None:
        self._key = load_or_make_key(key_file)
        self._public = self._key.public_key()
        self._signed: dict[str, dict[str, Any]] = {}
        self.kid = _kid(self._public)
        self._header = encode(json.dumps({"typ": "JWT", "alg": "RS256", "kid": self.kid}).encode())

    def sign(self, claims: dict[str, Any]) -> str:
        """Return *claims* as a compact JWS; times are the caller's."""
        signed = f"{self._header}.{encode(json.dumps(claims, separators=(',', ':')).encode())}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encode(signature)}"

    def verify(self, token: str, now: float | None = None) -> dict[str, Any]:
        """Return the claims of a token that this key signed and that is valid *now*; raise `TokenError`."""
        claims = self._signed.get(token)
        if claims is None:
            claims = self._check_signature(token)
            if len(self._signed) >= _REMEMBERED:
                self._signed.clear()
            self._signed[token] = claims
        check_times(claims, now)
        return dict(claims)

    def _check_signature(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        claims = peek(token)
        try:
            self._public.verify(decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise TokenError("signature", "the token is not signed by the emulator's key") from error
        return claims

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JWK set (RFC 7517 §5)."""
        numbers = self._public.public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid}
        return {"keys": [{**key, "n": _number(numbers.n), "e": _number(numbers.e)}]}


def peek(token: str) -> dict[str, Any]:
    """Return the claims of *token* without verifying it; raise `TokenError` if it is malformed."""
    return _part(token, 1)


def header(token: str) -> dict[str, Any]:
    """Return the JOSE header of *token*; raise `TokenError`."""
    return _part(token, 0)


def check_times(claims: dict[str, Any], now: float | None = None) -> None:
    """Raise `TokenError` unless *now* (default: the clock) is between `nbf` and `exp` (RFC 7519 §4.1.4, §4.1.5)."""
    now = time.time() if now is None else now
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, (int, float)) or not isinstance(starts, (int, float)):
        raise TokenError("malformed", "the token's times are not numbers")
    if expires <= now:
        raise TokenError("expired", f"the token expired {now - expires:.0f} seconds ago")
    if starts > now + CLOCK_SKEW:
        raise TokenError("not_yet_valid", f"the token is not valid for another {starts - now:.0f} seconds")


def load_or_make_key(file: Path) -> rsa.RSAPrivateKey:
    """Return the RSA private key in the PEM *file*, which is made (mode 0600) the first time."""
    if file.exists():
        # The emulator made this key itself, and validating its primes takes a tenth of a second at every start.
        key = serialization.load_pem_private_key(file.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{file} is not an RSA key")
        return key
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_private(file, made)
    return made


def encode(data: bytes) -> str:
    """Encode *data* as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515 §2); raise `TokenError`."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TokenError("malformed", "the token is not base64url") from error


def write_private(file: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    """Write *key* as PEM to *file*, which only its owner can read."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(pem)


def _part(token: str, index: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("malformed", "the token does not have three parts")
    try:
        value = json.loads(decode(parts[index]))
    except ValueError as error:
        raise TokenError("malformed", "the token is not JSON") from error
    if not isinstance(value, dict):
        raise TokenError("malformed", "the token is not a JSON object")
    return value


def _kid(public: rsa.RSAPublicKey) -> str:
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encode(hashlib.sha256(der).digest())


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
