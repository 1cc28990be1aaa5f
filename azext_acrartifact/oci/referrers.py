"""Who refers to a manifest, also where the registry keeps no list of that.

OCI distribution specification, § Referrers Tag Schema: such a registry holds the list as an index under a tag that is
made of the subject's digest. ACR with customer-managed keys is one, CNCF distribution another.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import InvalidManifestError, RejectedError
from .descriptor import Descriptor
from .digest import DIGEST_PATTERN, Digest
from .index import build_index
from .manifest import Manifest
from .manifests import Manifests

MOST_WRITES = 4
_LIST_TAG = re.compile(DIGEST_PATTERN.replace(":", "-"))
# `.sig` and its like are cosign's (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md).
_OWNED_TAG = re.compile(rf"({_LIST_TAG.pattern})(?:\.[a-z]+)?")


class Referrers:
    """Lists of referrers, read and kept."""

    def __init__(self, manifests: Manifests) -> None:
        self._manifests = manifests
        self.kept_by_tag = False
        """Whether the registry has shown that it keeps no list itself."""
        self._writing = threading.Lock()

    def of(self, repository: str, digest: Digest) -> Iterator[Descriptor]:
        """The manifests whose subject is *digest*; raises a `RegistryError` when that is not told."""
        listed = None if self.kept_by_tag else self._manifests.referrers(repository, digest)
        if listed is not None:
            yield from listed
            return
        self.kept_by_tag = True
        index = self._manifests.find(repository, tag_of(digest))
        yield from index.manifests if index and index.is_index else ()

    def store(self, repository: str, manifest: Manifest, version: str) -> None:
        """Store *manifest* under *version*, and its subject's list of referrers if the registry does not keep it."""
        listed = self._manifests.put(repository, manifest, version)
        if manifest.subject is not None and not listed:
            self.kept_by_tag = True
            self._write(repository, manifest.subject.digest, add=[described(manifest)], remove=[])

    def forget(self, repository: str, subject: Digest, gone: Sequence[Digest]) -> None:
        """Take *gone* off the list that is kept by tag; only where `kept_by_tag`."""
        self._write(repository, subject, add=[], remove=gone)

    def _write(self, repository: str, subject: Digest, add: Sequence[Descriptor], remove: Sequence[Digest]) -> None:
        """Change the list until it reads as it should: another writer may have replaced it meanwhile, and there is
        no request that would notice."""
        tag = tag_of(subject)
        with self._writing:
            self._rewrite(repository, tag, add, remove)

    def _rewrite(self, repository: str, tag: str, add: Sequence[Descriptor], remove: Sequence[Digest]) -> None:
        for _ in range(MOST_WRITES):
            held = self._listed(repository, tag)
            digests = {child.digest for child in held}
            kept = [child for child in held if child.digest not in remove]
            wanted = [*kept, *(child for child in add if child.digest not in digests)]
            if wanted == held:
                return
            self._manifests.put(repository, build_index(wanted), tag)
        raise RejectedError(
            "The list of referrers was not kept",
            where=f"{repository}:{tag}",
            why="others write it at the same time",
            hint="Run the command again.",
        )

    def _listed(self, repository: str, tag: str) -> list[Descriptor]:
        if self._manifests.resolve(repository, tag) is None:
            return []
        index = self._manifests.get(repository, tag)
        if not index.is_index:
            raise InvalidManifestError("The list of referrers is no index", where=f"{repository}:{tag}")
        return list(index.manifests)


def tag_of(digest: Digest) -> str:
    """The tag of the list of those that refer to *digest*."""
    return digest.replace(":", "-")


def is_list_tag(tag: str) -> bool:
    """Whether *tag* is that of a list of referrers."""
    return _LIST_TAG.fullmatch(tag) is not None


def owner_of(tag: str) -> Digest | None:
    """The digest whose list of referrers, or signature by cosign, is under *tag*; None for any other tag."""
    match = _OWNED_TAG.fullmatch(tag)
    return Digest(match.group(1).replace("-", ":", 1)) if match else None


def described(manifest: Manifest) -> Descriptor:
    """*manifest* as a list of referrers has it, with its type and its annotations."""
    return replace(manifest.descriptor, artifact_type=manifest.artifact_type, annotations=manifest.annotations)
