"""The source and the target of a graph of manifests: a repository of a registry, or an OCI image layout.

A graph holds the blobs and children that a manifest needs, and the manifests that refer to it. Copy, backup and restore
are one walk from a source to a target; the idea is that of oras-go's `content.Storage` (https://oras.land/docs/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .content import Advance, Source
from .descriptor import Descriptor
from .digest import Digest
from .manifest import Manifest

COPIED = "copied"
MOUNTED = "mounted"
SKIPPED = "skipped"
IMPORTED = "imported"
"""The state of a blob or a manifest at the target: its bytes were moved, the registry mounted it from another of its
repositories, it existed already, or Azure imported it from another registry."""

Receiver = Callable[[], str | None]
"""A job that receives a blob, or helps to. Returns the state, or None when another job completes the blob."""


class GraphSource(Source, Protocol):
    """The source of a graph. Safe to call from many threads."""

    @property
    def label(self) -> str:
        """SERVER/REPOSITORY or a path, for messages."""

    def resolve(self, version: str) -> Descriptor | None:
        """Return the descriptor of the manifest under *version*, a tag or a digest, or None."""

    def manifest(self, version: str) -> Manifest:
        """Return the manifest under *version*, a tag or a digest, with its bytes verified. Raises `NotFoundError` when
        there is none, `InvalidManifestError` for one that cannot be read."""

    def referrers(self, digest: Digest) -> Iterable[Descriptor]:
        """Yield the manifests that are listed with the subject *digest*."""


class GraphTarget(Protocol):
    """The target of a graph. Safe to call from many threads."""

    @property
    def label(self) -> str:
        """SERVER/REPOSITORY or a path, for messages."""

    def resolve(self, version: str) -> Descriptor | None:
        """Return the descriptor of the manifest under *version*, a tag or a digest, or None."""

    def is_complete(self, manifest: Manifest) -> bool:
        """Return whether *manifest* exists, and is listed as a referrer of its subject if it has one."""

    def exists(self, blob: Descriptor) -> bool:
        """Return whether *blob* exists."""

    def receivers(self, blob: Descriptor, source: Source, advance: Advance) -> Sequence[Receiver]:
        """Return the jobs that receive *blob*, which may run at the same time. When all have ended, the blob is
        complete and verified. They call *advance* as bytes move, and resume an interrupted run where the target can."""

    def put(self, manifest: Manifest, version: str) -> None:
        """Store *manifest* under *version*, a tag or its digest. Its blobs and children exist."""
