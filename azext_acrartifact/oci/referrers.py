"""Referrers of a manifest, also for registries without the referrers API.

Such a registry stores the list as an index under a tag made from the subject's digest (OCI distribution specification,
§ Referrers Tag Schema). ACR with customer-managed keys is one, CNCF distribution another.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..errors import InvalidManifestError, RejectedError
from ..transport.retry import Attempts, Notice
from .descriptor import Descriptor
from .digest import DIGEST_PATTERN, Digest
from .index import build_index
from .manifest import Manifest
from .manifests import Manifests

MOST_WRITES = 4
LAG_TRIES = 4
"""Requests for a list while a geo-replica does not know its subject."""
_LIST_TAG = re.compile(DIGEST_PATTERN.replace(":", "-"))
# cosign's tags end in `.sig` and the like (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md).
_COSIGN = (".sig", ".att", ".sbom")
_OWNED_TAG = re.compile(rf"({_LIST_TAG.pattern})(?:\.[a-z]+)?")


class Referrers:
    """Reads and updates lists of referrers. *notice* reports each repository without referrers API, and *attempts*
    counts the tries of one request."""

    def __init__(self, manifests: Manifests, notice: Notice, attempts: Callable[[], Attempts]) -> None:
        self._manifests, self._notice, self._attempts = manifests, notice, attempts
        self._has_api: dict[str, bool] = {}
        """Whether the registry has the API, by repository: one with a cache rule depends on its source."""
        self._asking, self._writing = threading.RLock(), threading.Lock()

    def uses_tag_schema(self, repository: str) -> bool:
        """Return whether the registry has shown that it has no referrers API for *repository*."""
        return self._has_api.get(repository) is False

    def of(self, repository: str, digest: Digest) -> Iterator[Descriptor]:
        """Yield the manifests whose subject is *digest*. Raises a `RegistryError` if the registry refuses."""
        listed = None if self.uses_tag_schema(repository) else self._ask(repository, digest)
        if listed is not None:
            yield from listed
            return
        index = self._manifests.find(repository, referrers_tag(digest))
        yield from index.manifests if index and index.is_index else ()

    def store(self, repository: str, manifest: Manifest, version: str) -> None:
        """Store *manifest* under *version*, and add it to its subject's list if the registry does not do that."""
        says_so = self._manifests.put(repository, manifest, version)
        if manifest.subject is None:
            return
        if says_so:
            self._has_api[repository] = True
        elif not self._lists_itself(repository, manifest.subject.digest):
            self._update(repository, manifest.subject.digest, add=[referrer_descriptor(manifest)], remove=[])

    def _lists_itself(self, repository: str, subject: Digest) -> bool:
        """Return whether the registry has the API. ACR does, and its 201 was recorded without `OCI-Subject`, so the
        missing header proves nothing: the API is asked, once."""
        with self._asking:
            if repository not in self._has_api:
                try:
                    listed = self._manifests.referrers(repository, subject)
                except RejectedError as error:
                    if error.status != 404:
                        raise
                    return True  # It knows manifests there, and not this one: the subject need not exist.
                self._learned(repository, listed is not None)
                next(listed or iter(()), None)  # Reads the response, which must be a list.
            return self._has_api[repository]

    def _ask(self, repository: str, digest: Digest) -> Iterator[Descriptor] | None:
        """Return what the API lists, or None without it. A geo-replica may know *digest* a moment later."""
        attempts, left = self._attempts(), LAG_TRIES
        while True:
            try:
                listed = self._manifests.referrers(repository, digest, self._has_api.get(repository, False))
            except RejectedError as error:
                left -= 1
                if error.status != 404 or not left or not attempts.again(error.why):
                    raise
            else:
                self._learned(repository, listed is not None)
                return listed

    def _learned(self, repository: str, has_api: bool) -> None:
        with self._asking:
            if repository not in self._has_api and not has_api:
                self._notice(f"No referrers API in {repository}: its lists are those under tags named sha256-…")
            self._has_api[repository] = has_api

    def forget(self, repository: str, subject: Digest, gone: Sequence[Digest]) -> None:
        """Remove *gone* from the list under the subject's tag. Call it only if `uses_tag_schema`.

        An index with children that refer to something else is no such list, whatever its tag, and keeps that tag.
        """
        index = self._manifests.find(repository, referrers_tag(subject))
        children = index.manifests if index and index.is_index and index.subject is None else ()
        found = [self._manifests.find(repository, child.digest) for child in children if child.digest not in gone]
        if children and all(one is None or (one.subject and one.subject.digest == subject) for one in found):
            self._update(repository, subject, add=[], remove=gone)

    def _update(self, repository: str, subject: Digest, add: Sequence[Descriptor], remove: Sequence[Digest]) -> None:
        """Write the list until a fresh read has every change. Registries have no conditional PUT, so another writer may
        replace the list unnoticed."""
        tag = referrers_tag(subject)
        with self._writing:
            for _ in range(MOST_WRITES):
                listed = self._listed(repository, tag)
                digests = {child.digest for child in listed}
                remaining = [child for child in listed if child.digest not in remove]
                wanted = [*remaining, *(child for child in add if child.digest not in digests)]
                if wanted == listed:
                    return
                self._manifests.put(repository, build_index(wanted), tag)
        raise RejectedError(
            "Could not update the list of referrers",
            where=f"{repository}:{tag}",
            why="other clients overwrite it at the same time",
            hint="Run the command again.",
        )

    def _listed(self, repository: str, tag: str) -> list[Descriptor]:
        if self._manifests.resolve(repository, tag) is None:
            return []
        index = self._manifests.get(repository, tag)
        if not index.is_index:
            raise InvalidManifestError("The list of referrers is not an index", where=f"{repository}:{tag}")
        return list(index.manifests)


def referrers_tag(digest: Digest) -> str:
    """Return the tag under which the referrers of *digest* are listed."""
    return digest.replace(":", "-")


def is_referrers_tag(tag: str) -> bool:
    """Return whether *tag* is that of a list of referrers."""
    return _LIST_TAG.fullmatch(tag) is not None


def owned_tags(digest: Digest) -> list[str]:
    """Return the tags under which cosign stores what belongs to the manifest *digest*."""
    return [f"{referrers_tag(digest)}{suffix}" for suffix in _COSIGN]


def owner_of(tag: str) -> Digest | None:
    """Return the digest whose referrers or cosign signature *tag* is for, or None for any other tag."""
    match = _OWNED_TAG.fullmatch(tag)
    return Digest(match.group(1).replace("-", ":", 1)) if match else None


def referrer_descriptor(manifest: Manifest) -> Descriptor:
    """Return the descriptor of *manifest* for a list of referrers, which includes its type and annotations."""
    return replace(manifest.descriptor, artifact_type=manifest.artifact_type, annotations=manifest.annotations)
