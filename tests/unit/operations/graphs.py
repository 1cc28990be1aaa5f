"""Artifacts to copy: an index of two, each with a file, and what is attached to them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from azext_acrartifact.oci.content import Memory
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest, build_manifest
from azext_acrartifact.oci.mediatypes import EMPTY_JSON, LAYER, TITLE
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.transfer.repository_storage import RepositoryStorage
from azext_acrartifact.transfer.upload_sessions import UploadSessions
from azext_acrartifact.transfer.upload_source import FileSource
from tests.support.descriptors import empty_descriptor

KIND = "application/vnd.example.sbom"


def storage(registry: Registry, repository: str, sessions: str | None = None) -> RepositoryStorage:
    """Open a repository as the source or target of transfers."""
    return RepositoryStorage(registry, repository, UploadSessions(sessions))


def plain(number: int, subject: Manifest | None = None) -> Manifest:
    """Return a manifest without layers."""
    refers = subject.descriptor if subject else None
    return build_manifest(empty_descriptor(), [], artifact_type=f"application/x.n{number}", subject=refers)


def push_blob(registry: Registry, repository: str, data: bytes, title: str | None = None) -> Descriptor:
    """Store *data*."""
    source = FileSource(Memory(data), "", threading.Event())
    storage(registry, repository).upload(source, lambda identity: False, lambda size: None)
    return Descriptor(LAYER, digest_of(data), len(data), {TITLE: title} if title else {})


def push_manifest(
    registry: Registry,
    repository: str,
    layers: Sequence[Descriptor] = (),
    *,
    subject: Manifest | None = None,
    kind: str = KIND,
    tag: str | None = None,
) -> Manifest:
    """Store a manifest of *layers*, which are there, perhaps as a referrer of *subject*."""
    push_blob(registry, repository, EMPTY_JSON)
    refers = subject.descriptor if subject else None
    manifest = build_manifest(empty_descriptor(), layers, artifact_type=kind, subject=refers)
    registry.referrers.store(repository, manifest, tag or manifest.digest)
    return manifest


@dataclass(frozen=True)
class Tree:
    """An *index* under the tag 1, its *children*, a *signature* of each and a *note* on the first signature, an
    *sbom* of the index."""

    index: Manifest
    children: Sequence[Manifest]
    signatures: Sequence[Manifest]
    note: Manifest
    sbom: Manifest

    @property
    def everything(self) -> set[str]:
        """All digests."""
        attached = (*self.signatures, self.note, self.sbom)
        return {manifest.digest for manifest in (self.index, *self.children, *attached)}


def push_tree(registry: Registry, repository: str, data: bytes = b"") -> Tree:
    """Store a tree; *data* makes its files its own."""
    children, platforms = [], []
    for name in ("amd64", "arm64"):
        layer = push_blob(registry, repository, name.encode() + data, f"tool-{name}")
        child = push_manifest(registry, repository, [layer], kind="application/vnd.example.tool")
        children.append(child)
        platforms.append(replace(child.descriptor, platform={"os": "linux", "architecture": name}))
    index = build_index(platforms)
    registry.manifests.put(repository, index, "1")
    signatures = [push_manifest(registry, repository, subject=child) for child in children]
    note = push_manifest(registry, repository, subject=signatures[0], kind="application/vnd.example.note")
    layer = push_blob(registry, repository, b"sbom" + data, "sbom.json")
    sbom = push_manifest(registry, repository, [layer], subject=index)
    return Tree(index, children, signatures, note, sbom)
