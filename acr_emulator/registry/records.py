"""What the registry remembers of a repository, its manifests and its tags: plain data with a JSON form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


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
        """Either lock blocks deletion."""
        return self.deleteEnabled and self.writeEnabled


@dataclass
class Tag:
    """A tag and the digest that it names."""

    name: str
    digest: str
    created: str
    updated: str
    attributes: Attributes = field(default_factory=Attributes)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Tag:
        """The record that `dataclasses.asdict` wrote."""
        return cls(**{**value, "attributes": Attributes(**value["attributes"])})


@dataclass
class Manifest:
    """A manifest's facts; its bytes are in the store. *size* is theirs, *image_size* that of what it holds.
    *artifact_type* falls back to the config's media type, as in a list of referrers."""

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

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """The record that `dataclasses.asdict` wrote."""
        return cls(**{**value, "attributes": Attributes(**value["attributes"])})


@dataclass
class Repository:
    """A repository. It exists for clients while it has a manifest; *blobs* (digest → bytes) may come earlier."""

    name: str
    created: str
    updated: str
    attributes: Attributes = field(default_factory=Attributes)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)

    def tags_of(self, digest: str) -> list[str]:
        """The names of the tags on *digest*, sorted."""
        return sorted(tag.name for tag in self.tags.values() if tag.digest == digest)

    def referrers(self, digest: str) -> list[Manifest]:
        """The manifests whose subject is *digest*, in digest order."""
        found = [manifest for manifest in self.manifests.values() if manifest.subject == digest]
        return sorted(found, key=lambda manifest: manifest.digest)

    def with_referrers(self, digest: str) -> list[Manifest]:
        """Manifest *digest* and all that refer to it, directly or not; each once."""
        found: dict[str, Manifest] = {}
        waiting = [self.manifests[digest]]
        while waiting:
            manifest = waiting.pop()
            if manifest.digest not in found:
                found[manifest.digest] = manifest
                waiting.extend(self.referrers(manifest.digest))
        return list(found.values())


def all_deletable(items: Iterable[Repository | Manifest | Tag]) -> bool:
    """Whether no lock on any of *items* forbids to delete it."""
    return all(item.attributes.deletable for item in items)
