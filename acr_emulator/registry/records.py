"""Records of repositories, manifests and tags: plain data with a JSON form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Attributes:
    """`changeableAttributes`: the locks
    (https://learn.microsoft.com/azure/container-registry/container-registry-image-lock)."""

    deleteEnabled: bool = True  # noqa: N815 - the wire's own names
    writeEnabled: bool = True  # noqa: N815
    readEnabled: bool = True  # noqa: N815
    listEnabled: bool = True  # noqa: N815

    @property
    def deletable(self) -> bool:
        """Whether no lock prevents deletion; either of two does."""
        return self.deleteEnabled and self.writeEnabled


@dataclass
class Tag:
    """A tag and its digest."""

    name: str
    digest: str
    created: str
    updated: str
    attributes: Attributes = field(default_factory=Attributes)


@dataclass
class Manifest:
    """A manifest's metadata; its bytes, *size* of them, are in the store. *image_size* is the size of its content.
    *artifact_type* defaults to the config's media type, as in a list of referrers."""

    digest: str
    media_type: str
    size: int
    created: str
    updated: str
    image_size: int = 0
    config_media_type: str | None = None
    artifact_type: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    subject: str | None = None
    children: list[dict[str, str]] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    architecture: str | None = None
    os: str | None = None
    attributes: Attributes = field(default_factory=Attributes)


@dataclass
class Repository:
    """A repository. Clients see it while it has a manifest; *blobs* (digest → bytes) may exist before."""

    name: str
    created: str
    updated: str
    attributes: Attributes = field(default_factory=Attributes)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)

    def tags_of(self, digest: str) -> list[str]:
        """Return the names of the tags on *digest*, sorted."""
        return sorted(tag.name for tag in self.tags.values() if tag.digest == digest)

    def referrers(self, digest: str) -> list[Manifest]:
        """Return the manifests whose subject is *digest*, sorted by digest."""
        found = [manifest for manifest in self.manifests.values() if manifest.subject == digest]
        return sorted(found, key=lambda manifest: manifest.digest)

    def with_referrers(self, digest: str) -> list[Manifest]:
        """Return the manifest *digest* and all its referrers, direct and indirect, each once."""
        found: dict[str, Manifest] = {}
        waiting = [self.manifests[digest]]
        while waiting:
            manifest = waiting.pop()
            if manifest.digest not in found:
                found[manifest.digest] = manifest
                waiting.extend(self.referrers(manifest.digest))
        return list(found.values())


def all_deletable(items: Iterable[Repository | Manifest | Tag]) -> bool:
    """Return whether no lock prevents the deletion of any of *items*."""
    return all(item.attributes.deletable for item in items)


def listed_names(repositories: Iterable[Repository]) -> list[str]:
    """Return the names of those of *repositories* that are listed, sorted."""
    return sorted(each.name for each in repositories if each.manifests and each.attributes.listEnabled)
