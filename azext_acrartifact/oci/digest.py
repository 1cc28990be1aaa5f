"""Digests (OCI image specification, descriptor.md § Digests)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NewType

from ..errors import DigestMismatchError, ProtocolError

Digest = NewType("Digest", str)
DIGEST_PATTERN = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
DIGEST_FORM = "sha256: or sha512: and lower-case hexadecimal digits"
_DIGEST = re.compile(DIGEST_PATTERN)


def parse_digest(text: object, where: str = "") -> Digest:
    """Return *text* as a digest that is safe in a URL and a path; raise `ProtocolError` for anything else."""
    if not isinstance(text, str) or not is_digest(text):
        raise ProtocolError("Not a digest", where=where, why=f"{str(text)[:80]!r} is not {DIGEST_FORM}")
    return Digest(text)


def is_digest(text: str) -> bool:
    """Return whether *text* is a digest that is safe in a URL and a path."""
    return _DIGEST.fullmatch(text) is not None


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """Compute the digest of *content*."""
    return Digest(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")


def matches(content: bytes, digest: Digest) -> bool:
    """Return whether *digest* is that of *content*, by the digest's own algorithm."""
    return digest_of(content, algorithm_of(digest)) == digest


def algorithm_of(digest: str) -> str:
    """Return `sha256` or `sha512`."""
    return digest.partition(":")[0]


def short(digest: str) -> str:
    """Return the first twelve hexadecimal digits, as other registry tools print them."""
    return digest.partition(":")[2][:12]


class Verifier:
    """Hashes bytes as they arrive, and compares digest and size at the end."""

    def __init__(self, expected: Digest, size: int, earlier: Verifier | None = None) -> None:
        """Expect *size* bytes of the digest *expected*; *earlier* has seen the first of them."""
        self._expected, self._size = expected, size
        self.seen: int = earlier.seen if earlier else 0
        self._hash: hashlib._Hash = earlier._hash.copy() if earlier else hashlib.new(algorithm_of(expected))

    def update(self, block: bytes | memoryview) -> None:
        """Hash *block*. Raises `DigestMismatchError` as soon as there are more bytes than announced."""
        self.seen += len(block)
        if self.seen > self._size:
            raise DigestMismatchError("More bytes came than were announced", where=self._expected, why=f"{self._size}")
        self._hash.update(block)

    def copy(self) -> Verifier:
        """Return a verifier that has seen the same bytes, and hashes on separately."""
        return Verifier(self._expected, self._size, self)

    def is_right(self) -> bool:
        """Return whether exactly the expected bytes have arrived."""
        try:
            self.finish()
        except DigestMismatchError:
            return False
        return True

    @property
    def wrong(self) -> Sequence[tuple[int, int]]:
        """The ranges, each from its first byte to the one after its last, that may be right if they are downloaded
        again. Only valid after `finish` has raised an error."""
        return [(0, self._size)]

    def finish(self) -> None:
        """Raise `DigestMismatchError` unless exactly the expected bytes have arrived."""
        if self.seen != self._size:
            raise DigestMismatchError(
                "Fewer bytes came than were announced", where=self._expected, why=f"{self.seen} of {self._size}"
            )
        found = f"{algorithm_of(self._expected)}:{self._hash.hexdigest()}"
        if found != self._expected:
            raise DigestMismatchError(
                "The content does not match its digest", where=self._expected, why=f"it is {found}"
            )
