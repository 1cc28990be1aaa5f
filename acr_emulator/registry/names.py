"""Grammar of repository names, tags and digests (OCI distribution specification §Pulling manifests, image
specification §Digests)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Protocol

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
NAME_LIMIT = 255
"""The longest repository name, in characters, that clients and registries agree on."""


class Hasher(Protocol):
    """The methods of `hashlib` objects that are used here."""

    def update(self, data: bytes, /) -> None:
        """Add *data*."""

    def copy(self) -> Hasher:
        """Return a hasher with the same state."""

    def hexdigest(self) -> str:
        """Return the digest of the added data."""


_ALGORITHMS: dict[str, Callable[[], Hasher]] = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


def is_repository(name: str) -> bool:
    """Return whether *name* is a repository name."""
    return len(name) <= NAME_LIMIT and _REPOSITORY.fullmatch(name) is not None


def is_tag(tag: str) -> bool:
    """Return whether *tag* is a tag."""
    return _TAG.fullmatch(tag) is not None


def is_digest(digest: str) -> bool:
    """Return whether *digest* is a digest of a supported algorithm."""
    return _DIGEST.fullmatch(digest) is not None


def algorithm(digest: str) -> str:
    """Return the algorithm of *digest*, `sha256` or `sha512`."""
    return digest.partition(":")[0]


def hasher(name: str) -> Hasher:
    """Return a new hasher for the algorithm *name*; raise KeyError if it is unknown."""
    return _ALGORITHMS[name]()


def digest_of(content: bytes, name: str = "sha256") -> str:
    """Return the digest of *content*."""
    state = hasher(name)
    state.update(content)
    return f"{name}:{state.hexdigest()}"
