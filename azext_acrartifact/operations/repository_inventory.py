"""The tags and manifests of a repository, and the relations between the manifests.

The registry's list of manifests has neither the children of an index nor the subjects, so these are read from the
manifests. The content of a digest never changes, so each manifest is read once at most.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidManifestError, NotFoundError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.mediatypes import DOCKER_LIST, DOCKER_MANIFEST, INDEXES
from ..oci.referrers import referrer_descriptor
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from .locks import locks_in
from .parallel import require_all

LISTS = 2
"""Lists in flight: ACR allows few of them per minute."""
READS = 4
"""Manifests in flight: ACR allows thousands of them (azure/container-registry/container-registry-skus)."""


@dataclass(frozen=True)
class Relation:
    """The manifests that a manifest refers to: its *subject* and, of an index, its *children*. *described* is its entry
    in a list of referrers, None if it was not read."""

    subject: Digest | None = None
    children: frozenset[Digest] = frozenset()
    described: Descriptor | None = None


@dataclass
class Inventory:
    """One repository. *tags* and *manifests* map names and digests to the registry's properties of them."""

    registry: Registry
    repository: str
    tags: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    manifests: dict[Digest, Mapping[str, Any]] = field(default_factory=dict)
    relations: dict[Digest, Relation] = field(default_factory=dict)
    gone: set[Digest] = field(default_factory=set)
    """Manifests that were listed or tagged, but could not be found."""
    _exists: dict[Digest, bool] = field(default_factory=dict)
    _listed_subjects: set[Digest] = field(default_factory=set)
    _listed_with: set[Digest] = field(default_factory=set)
    """The manifests at the time when the referrers of those subjects were listed."""

    def list_tags(self) -> None:
        """List all tags: one request per hundred. Raises `NotFoundError` if there is no such repository."""
        self.tags = {str(item["name"]): item for item in self.registry.metadata.tags(self.repository)}

    def list_manifests(self) -> None:
        """List all manifests: one request per hundred. Forgets those that are no longer listed."""
        earlier = self.manifests
        found = self.registry.metadata.manifests(self.repository)
        self.manifests = {Digest(item["digest"]): item for item in found}
        self._exists.clear()
        for digest in earlier.keys() - self.manifests.keys():
            self.relations.pop(digest, None)

    def tagged(self) -> dict[Digest, set[str]]:
        """Return the tags of each digest by both lists, which are read one after the other and may differ."""
        names: dict[Digest, set[str]] = {}
        for name, item in self.tags.items():
            names.setdefault(Digest(item["digest"]), set()).add(name)
        for digest, item in self.manifests.items():
            names.setdefault(digest, set()).update(tags_in(item))
        return names

    def has(self, digest: Digest) -> bool:
        """Return whether the manifest exists; one request for each that is on neither list."""
        if digest not in self._exists:
            listed = digest in self.manifests or digest in self.tagged()
            found = listed or self.registry.manifests.resolve(self.repository, digest) is not None
            self._exists[digest] = found and digest not in self.gone
        return self._exists[digest]

    def indexes(self) -> set[Digest]:
        """Return the manifests that are listed as indexes."""
        return {digest for digest, item in self.manifests.items() if item.get("mediaType") in INDEXES}

    def read(self, digests: Iterable[Digest], strictly: bool = True) -> None:
        """Read the relations of *digests*, one request for each unknown one. Raises the error of a failed request; a
        missing or invalid manifest only raises if it is an index and *strictly* is set, and has no relations else."""

        def fetch(digest: Digest) -> None:
            try:
                manifest = self.registry.manifests.get(self.repository, digest)
            except (NotFoundError, InvalidManifestError) as error:
                if strictly and self.manifests.get(digest, {}).get("mediaType") in INDEXES:
                    raise
                if isinstance(error, NotFoundError):
                    self.gone.add(digest)
                self.relations[digest] = Relation()
            else:
                subject = manifest.subject.digest if manifest.subject else None
                children = frozenset(child.digest for child in manifest.manifests)
                self.relations[digest] = Relation(subject, children, referrer_descriptor(manifest))

        self._each(fetch, READS, [digest for digest in digests if digest not in self.relations])

    def unread(self) -> set[Digest]:
        """Return the listed manifests that may have a subject and were not read."""
        return {digest for digest in self.manifests if digest not in self.relations and self._may_refer(digest)}

    def find_referrers(self, subjects: Iterable[Digest]) -> None:
        """Find the referrers of *subjects*, by one request for each of them or for each unread manifest, whichever are
        fewer."""
        unread = self.unread()
        wanted = set(subjects) - self._listed_subjects
        if self._listed_subjects:  # a manifest that is newer than those lists may refer to any of their subjects
            newer = unread - self._listed_with
            self.read(newer)
            unread -= newer
        if not wanted or not unread:
            return
        if len(unread) < len(wanted):
            self.read(unread)
            return
        self._each(self._list_referrers, LISTS, wanted)
        self._listed_subjects |= wanted
        self._listed_with |= set(self.manifests)

    def locks(self) -> list[str]:
        """Return the attributes of the repository that forbid to delete in it."""
        return locks_in(self.registry.metadata.repository(self.repository))

    def _list_referrers(self, subject: Digest) -> None:
        for child in self.registry.referrers.of(self.repository, subject):
            self.relations.setdefault(child.digest, Relation(subject, described=child))

    def _may_refer(self, digest: Digest) -> bool:
        # Docker's own formats have no subject.
        return self.manifests[digest].get("mediaType") not in (DOCKER_MANIFEST, DOCKER_LIST)

    def _each(self, fetch: Callable[[Digest], None], in_flight: int, digests: Iterable[Digest]) -> None:
        require_all(
            Concurrency(self.registry.http, in_flight), [functools.partial(fetch, digest) for digest in digests]
        )


def tags_in(properties: Mapping[str, Any]) -> list[str]:
    """Return the tags in a manifest's *properties*."""
    found = properties.get("tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def names_of_tags(registry: Registry, repository: str, digest: Digest) -> list[str]:
    """Request the names of the tags of *digest*."""
    return [str(tag["name"]) for tag in registry.metadata.tags_of(repository, digest)]
