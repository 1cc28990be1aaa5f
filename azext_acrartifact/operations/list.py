"""list: the repositories of a registry, and the artifacts of a repository."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..oci.digest import Digest
from ..oci.kinds import IMAGE_CONFIGS
from ..oci.mediatypes import DOCKER_MANIFEST, EMPTY_CONFIG
from ..oci.reference import tag_order
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transport.authorization import METADATA_READ, PULL, Scope
from .locks import locks_in
from .parallel import run_all
from .repository_inventory import tags_in

IN_FLIGHT = 2
BATCH = 100
MOST_LISTED = 40_000
"""Manifests of one list: the Azure CLI holds the result three times while it prints it."""
MOST_READ = 5_000
"""Manifests that are read for their types when all types are listed: with a registry's usual limit of reads, that takes
five minutes. The others are listed with the type of their config."""
ORDERS = {"time_desc": "timedesc", "time_asc": "timeasc", "name": ""}
"""The user's orders and the registry's; the registry does not sort by name, so that is done here."""
FEW = 10
"""Artifacts whose tags are requested one by one, rather than with all others of the repository."""


@dataclass(slots=True)
class ListedArtifact:
    """One manifest of a repository with the registry's *properties* of it. *artifact_type* is None if neither the
    properties nor the manifest name it. Each of *locked_tags* may not be written or deleted."""

    digest: Digest
    tags: Sequence[str]
    properties: Mapping[str, Any]
    artifact_type: str | None = None
    locked_tags: Sequence[str] = ()


@dataclass(frozen=True)
class ListOrder:
    """The user's request. *order* is a key of `ORDERS`, by default the newest first; without *top* and *artifact_type*
    everything is listed."""

    repository: str
    order: str | None = None
    top: int | None = None
    artifact_type: str | None = None


def list_repositories(registry: Registry, top: int | None = None) -> list[str]:
    """Return the names of the repositories, at most *top*: one request per hundred."""
    return list(itertools.islice(registry.metadata.repositories(), top))


def list_artifacts(registry: Registry, order: ListOrder) -> list[ListedArtifact]:
    """Return the artifacts of a repository, all pages of them: one request per hundred, one per hundred tags, and one
    for each artifact whose properties do not name its type, for `MOST_READ` at most unless *order* names a type. Raises
    an `ArtifactError` rather than return an incomplete list."""
    registry.authorizer.authorization(Scope.of(order.repository, METADATA_READ, PULL))
    # A list by time changes while it is read; one by digest does not, so all of it is sorted here.
    by = ORDERS[order.order] if order.order else ORDERS["time_desc"] if order.top else ""
    listed: Iterable[ListedArtifact] = (
        _listed(properties, order) for properties in registry.metadata.manifests(order.repository, by, MOST_LISTED)
    )
    if order.order == "name":
        listed = sorted(listed, key=_name)
    elif not by:
        listed = sorted(listed, key=lambda item: str(item.properties.get("lastUpdateTime") or ""), reverse=True)
    found = list(itertools.islice(_matching(registry, order, listed), order.top))
    _read_locks(registry, order.repository, [item for item in found if item.tags])
    return found


def _listed(properties: dict[str, Any], order: ListOrder) -> ListedArtifact:
    """Return the artifact with *properties*. The registry has the type of the config only, and a manifest may name
    another one. That is not expected of images, unless *order* is for one type, nor possible for those of Docker."""
    config_type = properties.get("configMediaType")
    is_image = config_type in IMAGE_CONFIGS and not order.artifact_type
    is_known = isinstance(config_type, str) and (is_image or properties.get("mediaType") == DOCKER_MANIFEST)
    known = config_type if is_known else None
    return ListedArtifact(Digest(properties["digest"]), tags_in(properties), properties, known)


def _name(item: ListedArtifact) -> tuple[bool, list[tuple[int, str]], str]:
    return not item.tags, min(map(tag_order, item.tags), default=[]), item.digest


def _read_locks(registry: Registry, repository: str, tagged: Sequence[ListedArtifact]) -> None:
    """Read the locked tags of the artifacts *tagged*: a tag and its manifest are locked apart from each other."""

    def read(item: ListedArtifact) -> None:
        item.locked_tags = _locked(registry.metadata.tags_of(repository, item.digest))

    if len(tagged) <= FEW:
        run_all(Concurrency(registry.http, IN_FLIGHT), read, tagged)
        return
    locked = set(_locked(registry.metadata.tags(repository)))
    for item in tagged:
        item.locked_tags = [tag for tag in item.tags if tag in locked]


def _locked(tags: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(tag["name"]) for tag in tags if locks_in(tag)]


def _matching(registry: Registry, order: ListOrder, listed: Iterable[ListedArtifact]) -> Iterator[ListedArtifact]:
    """Yield the artifacts of the requested type. Reads missing types batch by batch, so that *top* bounds the reads."""
    rest = iter(listed)
    size = min(order.top or BATCH, BATCH)
    left = MOST_LISTED if order.artifact_type else MOST_READ
    while batch := list(itertools.islice(rest, size)):
        unknown = [item for item in batch if item.artifact_type is None]
        read, others = unknown[:left], unknown[left:]
        _read_types(registry, order.repository, read)
        for item in others:
            item.artifact_type = _config_type(item.properties)
        left -= len(read)
        yield from (item for item in batch if order.artifact_type in (None, item.artifact_type))


def _read_types(registry: Registry, repository: str, unknown: Sequence[ListedArtifact]) -> None:
    def read(item: ListedArtifact) -> None:
        manifest = registry.manifests.find(repository, item.digest)
        item.artifact_type = manifest.artifact_type if manifest else None

    run_all(Concurrency(registry.http, IN_FLIGHT), read, unknown)


def _config_type(properties: Mapping[str, Any]) -> str | None:
    """Return the type of the config, unless that is the empty one, which says nothing."""
    named = properties.get("configMediaType")
    return named if isinstance(named, str) and named != EMPTY_CONFIG else None
