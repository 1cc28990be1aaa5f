"""A repository as a whole: its tags, its manifests, and how these hang together.

The registry's own list tells neither an index's children nor a subject; the manifests do. What a digest names never
changes, so that each is read once at most.
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
from ..oci.referrers import described
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from .parallel import require_all

LISTS = 2
"""Lists in flight: ACR allows few of them a minute."""
READS = 4
"""Manifests in flight, of which it allows thousands (azure/container-registry/container-registry-skus)."""
LOCKS = ("deleteEnabled", "writeEnabled")
"""Attributes of which each forbids to delete (azure/container-registry/container-registry-image-lock)."""


@dataclass(frozen=True)
class Relation:
    """What a manifest refers to: its *subject*, and as an index its *children*. *described* is how a list of referrers
    has it, None where it was not read."""

    subject: Digest | None = None
    children: frozenset[Digest] = frozenset()
    described: Descriptor | None = None


@dataclass
class Inventory:
    """One repository. *tags* and *manifests* hold the registry's objects by name and by digest."""

    registry: Registry
    repository: str
    tags: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    manifests: dict[Digest, Mapping[str, Any]] = field(default_factory=dict)
    relations: dict[Digest, Relation] = field(default_factory=dict)
    gone: set[Digest] = field(default_factory=set)
    """What was listed, or named by a tag, and is not there."""
    _there: dict[Digest, bool] = field(default_factory=dict)
    _asked: set[Digest] = field(default_factory=set)
    _vouched: set[Digest] = field(default_factory=set)

    def list_tags(self) -> None:
        """Read all tags: one request for a hundred. Raises `NotFoundError` when there is no such repository."""
        self.tags = {str(item["name"]): item for item in self.registry.metadata.tags(self.repository)}

    def list_manifests(self) -> None:
        """Read the list of manifests: one request for a hundred. What is on it no more is forgotten."""
        earlier = self.manifests
        found = self.registry.metadata.manifests(self.repository)
        self.manifests = {Digest(item["digest"]): item for item in found}
        self._there.clear()
        for digest in earlier.keys() - self.manifests.keys():
            self.relations.pop(digest, None)

    def tagged(self) -> dict[Digest, set[str]]:
        """The tags of each digest, by both lists: they are not of the same moment, and either may hide something."""
        names: dict[Digest, set[str]] = {}
        for name, item in self.tags.items():
            names.setdefault(Digest(item["digest"]), set()).add(name)
        for digest, item in self.manifests.items():
            names.setdefault(digest, set()).update(tags_in(item))
        return names

    def has(self, digest: Digest) -> bool:
        """Whether the manifest is there; one request for each that no list names."""
        if digest not in self._there:
            listed = digest in self.manifests or digest in self.tagged()
            found = listed or self.registry.manifests.resolve(self.repository, digest) is not None
            self._there[digest] = found and digest not in self.gone
        return self._there[digest]

    def indexes(self) -> set[Digest]:
        """What is listed as an index."""
        return {digest for digest, item in self.manifests.items() if item.get("mediaType") in INDEXES}

    def read(self, digests: Iterable[Digest], strictly: bool = True) -> None:
        """Find out what these refer to, one request for each that is not known yet. Raises a `RegistryError` for an
        answer that leaves it open; *strictly*, an index that cannot be read is one."""

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
                self.relations[digest] = Relation(subject, children, described(manifest))

        self._each(fetch, READS, [digest for digest in digests if digest not in self.relations])

    def unread(self) -> set[Digest]:
        """What is listed, may be attached to something, and was not read."""
        return {digest for digest in self.manifests if digest not in self.relations and self._may_refer(digest)}

    def find_referrers(self, subjects: Iterable[Digest]) -> None:
        """Find out what refers to *subjects*: by one request for each of them, or for each manifest that was not read
        yet, whichever are fewer."""
        unread = self.unread()
        wanted = set(subjects) - self._asked
        if self._asked:  # what was listed since those were asked about is known to nobody
            since = unread - self._vouched
            self.read(since)
            unread -= since
        if not wanted or not unread:
            return
        if len(unread) < len(wanted):
            self.read(unread)
            return
        self._each(self._ask, LISTS, wanted)
        self._asked |= wanted
        self._vouched |= set(self.manifests)

    def locks(self) -> list[str]:
        """Which attributes of the whole repository forbid to delete in it."""
        return locks_in(self.registry.metadata.repository(self.repository))

    def _ask(self, subject: Digest) -> None:
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
    """The tags in a manifest's *properties*."""
    found = properties.get("tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def names_of_tags(registry: Registry, repository: str, digest: Digest) -> list[str]:
    """The tags of *digest*, asked for by it."""
    return [str(tag["name"]) for tag in registry.metadata.tags_of(repository, digest)]


def locks_in(properties: Mapping[str, Any]) -> list[str]:
    """Which attributes in *properties* forbid to delete."""
    attributes = properties.get("changeableAttributes")
    return [name for name in LOCKS if isinstance(attributes, Mapping) and attributes.get(name) is False]
