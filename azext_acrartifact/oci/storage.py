"""The two ends of a walk over a graph of manifests: a repository of a registry, or an OCI image layout.

A graph is what a manifest needs (blobs, the manifests of an index) and what refers to it. Copy, backup and restore
are one walk between different ends; the idea is that of oras-go's `content.Storage` (https://oras.land/docs/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .content import Advance, Source
from .descriptor import Descriptor
from .digest import Digest
from .manifest import Manifest

COPIED = "copied"
MOUNTED = "mounted"
SKIPPED = "skipped"
IMPORTED = "imported"
"""How a blob or a manifest got to the target: its bytes were moved, the registry took it over from another of its
repositories, it was there, or Azure took it over from another registry."""


class GraphSource(Source, Protocol):
    """Where a graph is read. Safe to call from many threads."""

    @property
    def place(self) -> str:
        """What this is, for messages: SERVER/REPOSITORY, or a path."""

    def resolve(self, version: str) -> Descriptor | None:
        """The descriptor of the manifest under *version*, a tag or a digest; None when there is none."""

    def manifest(self, version: str) -> Manifest:
        """The manifest under *version*, a tag or a digest, with its bytes checked against the digest. Raises
        `NotFoundError` when there is none, `InvalidManifestError` for what cannot be read."""

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        """The manifests that are said to have the subject *digest*."""


class GraphTarget(Protocol):
    """Where a graph is written. Safe to call from many threads."""

    @property
    def place(self) -> str:
        """What this is, for messages."""

    def resolve(self, version: str) -> Descriptor | None:
        """The descriptor of the manifest under *version*, a tag or a digest; None when there is none."""

    def holds(self, manifest: Manifest) -> bool:
        """Whether *manifest* is there, and listed as a referrer of its subject if it has one."""

    def exists(self, blob: Descriptor) -> bool:
        """Whether *blob* is there."""

    def receive(self, blob: Descriptor, source: Source, advance: Advance) -> str:
        """Have *blob*, all of it and right, by the time this returns: `COPIED`, `MOUNTED` or `SKIPPED`. *advance* is
        told of bytes that have moved. What an interrupted run has left is gone on with where the target can."""

    def put(self, manifest: Manifest, version: str) -> None:
        """Store *manifest*, whose blobs and children are there, under *version*: a tag, or its digest."""
