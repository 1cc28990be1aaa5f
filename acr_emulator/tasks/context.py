"""An artifact as a build context: oras-go's `Copy` into its file store, as the Tasks agent downloads `oci://`.

https://github.com/Azure/acr-builder/blob/main/scan/context.go,
https://github.com/oras-project/oras-go/blob/v2.6.0/content/file/file.go
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acr_emulator.tasks.archive import ArchiveError, unpack
from acr_emulator.tasks.registry_client import RegistryClient, RegistryError

TITLE = "org.opencontainers.image.title"
UNPACK = "io.deis.oras.content.unpack"
UNPACKED_DIGEST = "io.deis.oras.content.digest"
_IMAGE_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ARTIFACT_MANIFEST = "application/vnd.oci.artifact.manifest.v1+json"
MANIFESTS = (*_IMAGE_MANIFESTS, *INDEXES, _ARTIFACT_MANIFEST)
_REFERENCE = re.compile(
    r"(?P<host>[a-zA-Z0-9.-]+)/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


class ContextError(Exception):
    """The download of the context failed; the text is the agent's."""


@dataclass(frozen=True)
class Descriptor:
    """An OCI content descriptor with its annotations."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """The file name of the content, or ''."""
        return self.annotations.get(TITLE, "")


def parse_reference(location: str) -> tuple[str, str, str]:
    """Return (host, repository, tag or digest) of `oci://HOST/REPOSITORY:TAG`; a digest wins over a tag."""
    text = location.partition("://")[2]
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ContextError(f"failed to parse artifact {text}: invalid reference")
    reference = match["digest"] or match["tag"]
    if not reference:
        raise ContextError("failed to pull artifact from registry: missing reference: invalid reference")
    return match["host"], match["repository"], reference


class Pull:
    """One artifact's download into *destination*, through *staging* on the same file system."""

    def __init__(
        self, client: RegistryClient, repository: str, destination: Path, staging: Path, unnamed_limit: int
    ) -> None:
        self._client = client
        self._repository = repository
        self._destination = destination
        self._staging = staging
        self._unnamed_limit = unnamed_limit
        self._done: set[Descriptor] = set()
        self._titles: set[str] = set()

    def run(self, reference: str) -> str:
        """Copy the artifact and everything that it references, and return its digest; raise `ContextError`."""
        try:
            media_type, content = self._client.manifest(self._repository, reference)
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            self._copy(Descriptor(media_type, digest, len(content)))
        except RegistryError as error:
            if error.status == 404:
                name = f"{self._client.login_server}/{self._repository}:{reference}"
                raise ContextError(f"failed to pull artifact from registry: {name}: not found") from error
            raise ContextError(f"failed to pull artifact from registry: {error}") from error
        except (ArchiveError, OSError) as error:
            raise ContextError(f"failed to pull artifact from registry: {error}") from error
        return digest

    def _copy(self, descriptor: Descriptor) -> None:
        if descriptor in self._done:
            return
        if not descriptor.title and descriptor.size > self._unnamed_limit:
            raise ContextError(
                f"failed to pull artifact from registry: content size {descriptor.size} exceeds push size limit "
                f"{self._unnamed_limit}: size exceeds limit"
            )
        file = self._fetch(descriptor)
        children = _successors(descriptor, file)
        for child in children:
            self._copy(child)
        self._store(descriptor, file)
        self._done.add(descriptor)
        for child in children:
            self._restore(child)

    def _fetch(self, descriptor: Descriptor) -> Path:
        file = self._staging / descriptor.digest.partition(":")[2]
        kind = "manifests" if descriptor.media_type in MANIFESTS else "blobs"
        if not file.exists():
            self._client.fetch_blob(self._repository, descriptor.digest, descriptor.size, file, kind)
        return file

    def _restore(self, child: Descriptor) -> None:
        # The same content with a second title: it is downloaded once and stored under each.
        if child.title and child.title not in self._titles:
            self._store(child, self._fetch(child))

    def _store(self, descriptor: Descriptor, file: Path) -> None:
        title = descriptor.title
        if not title:
            return
        if title in self._titles:
            raise ContextError(f"failed to pull artifact from registry: {title}: duplicate name")
        self._titles.add(title)
        target = self._target(title)
        if descriptor.annotations.get(UNPACK) == "true":
            unpack(file, target, title, descriptor.annotations.get(UNPACKED_DIGEST))
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink() or target.is_file():
            target.unlink()
        os.link(file, target)

    def _target(self, title: str) -> Path:
        root = os.path.realpath(self._destination)
        target = os.path.normpath(os.path.join(root, title))
        real_parent = os.path.realpath(os.path.dirname(target))
        for path in (target, real_parent if target != root else root):
            if os.path.commonpath([root, path]) != root:
                raise ContextError("failed to pull artifact from registry: path traversal disallowed")
        return Path(target)


def _successors(descriptor: Descriptor, file: Path) -> list[Descriptor]:
    if descriptor.media_type not in MANIFESTS:
        return []
    try:
        manifest = json.loads(file.read_bytes())
        found = [_descriptor(manifest["subject"])] if manifest.get("subject") else []
        if descriptor.media_type in INDEXES:
            return found + [_descriptor(item) for item in manifest.get("manifests") or []]
        if descriptor.media_type == _ARTIFACT_MANIFEST:
            return found + [_descriptor(item) for item in manifest.get("blobs") or []]
        layers = [_descriptor(item) for item in manifest.get("layers") or []]
        return [*found, _descriptor(manifest["config"]), *layers]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContextError(f"failed to pull artifact from registry: {descriptor.digest}: invalid manifest") from error


def _descriptor(item: dict[str, Any]) -> Descriptor:
    digest = item["digest"]
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"unsupported digest {digest}")
    annotations = {str(name): str(value) for name, value in (item.get("annotations") or {}).items()}
    return Descriptor(str(item["mediaType"]), digest, int(item["size"]), annotations)
