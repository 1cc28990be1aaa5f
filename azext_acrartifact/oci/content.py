"""The one meeting place of registries, files and transfers: content, found by its descriptor.

Three verbs keyed by a descriptor are enough for push, pull, copy, backup and restore to be the same walk with
different ends (oras-go's `content.Storage` showed it).
"""

from __future__ import annotations

from typing import Protocol

from ..transport.messages import Body
from .descriptor import Descriptor


class Stream(Protocol):
    """Bytes of one blob from some offset on."""

    offset: int

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* with the next bytes; 0 at the end."""

    def close(self) -> None:
        """Give up the rest."""


class Source(Protocol):
    """Where blobs come from."""

    def fetch(self, blob: Descriptor, offset: int = 0) -> Stream:
        """*blob*'s bytes from *offset* on; the stream's own `offset` says where it really begins, which is 0
        when the source cannot begin elsewhere."""


class Target(Protocol):
    """Where blobs go."""

    def exists(self, blob: Descriptor) -> bool:
        """Whether *blob* is already there."""

    def push(self, blob: Descriptor, content: Body) -> None:
        """Store *content* as *blob*; returns once it is there and its digest was confirmed."""
