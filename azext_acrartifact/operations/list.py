"""list: a registry's repositories, and a repository's artifacts."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..oci.digest import Digest
from ..oci.mediatypes import EMPTY_CONFIG
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transfer.scheduler import Job, Scheduler
from ..transport.authorization import METADATA_READ, PULL, Scope

IN_FLIGHT = 2
BATCH = 100
ORDERS = {"time_desc": "timedesc", "time_asc": "timeasc", "name": ""}
"""What a user asks for, and what the registry sorts by; by name it is sorted here."""


@dataclass
class ListedArtifact:
    """One manifest of a repository with the registry's *properties* of it. *artifact_type* None is a type that
    neither these nor the manifest tells."""

    digest: Digest
    tags: Sequence[str]
    properties: Mapping[str, Any]
    artifact_type: str | None = None


@dataclass(frozen=True)
class ListOrder:
    """What the user asked for. *order* is a key of `ORDERS`; *top* and *artifact_type* None leave nothing out."""

    repository: str
    order: str | None = None
    top: int | None = None
    artifact_type: str | None = None


def list_repositories(registry: Registry, top: int | None = None) -> list[str]:
    """The names of the repositories, at most *top*: one request for a hundred of them."""
    return list(itertools.islice(registry.metadata.repositories(), top))


def list_artifacts(registry: Registry, order: ListOrder) -> list[ListedArtifact]:
    """A repository's artifacts: one request for a hundred of them, and one for each whose type the registry's
    properties do not tell. Follows the pages to the end, or raises."""
    registry.authorizer.authorization(Scope.of(order.repository, METADATA_READ, PULL))
    listed: Iterable[ListedArtifact] = map(_listed, registry.metadata.manifests(order.repository, _by(order.order)))
    if order.order == "name":
        listed = sorted(listed, key=_name)
    return list(itertools.islice(_wanted(registry, order, listed), order.top))


def _by(order: str | None) -> str:
    return ORDERS[order] if order else ""


def _listed(properties: dict[str, Any]) -> ListedArtifact:
    tags = properties.get("tags") or []
    names = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    kind = properties.get("configMediaType")
    told = kind if isinstance(kind, str) and kind != EMPTY_CONFIG else None
    return ListedArtifact(Digest(properties["digest"]), names, properties, told)


def _name(item: ListedArtifact) -> tuple[bool, str, str]:
    return not item.tags, min(item.tags, default=""), item.digest


def _wanted(registry: Registry, order: ListOrder, listed: Iterable[ListedArtifact]) -> Iterator[ListedArtifact]:
    """Those of the type that is asked for, with their types found out, a batch at a time."""
    rest = iter(listed)
    size = min(order.top or BATCH, BATCH)
    while batch := list(itertools.islice(rest, size)):
        _find_types(registry, order.repository, batch)
        yield from (item for item in batch if order.artifact_type in (None, item.artifact_type))


def _find_types(registry: Registry, repository: str, batch: Sequence[ListedArtifact]) -> None:
    def find(item: ListedArtifact) -> None:
        manifest = registry.manifests.find(repository, item.digest)
        item.artifact_type = manifest.artifact_type if manifest else None

    unknown = [item for item in batch if item.artifact_type is None]
    jobs = [Job(functools.partial(find, item), 0, False) for item in unknown]
    Scheduler(Concurrency(registry.http, IN_FLIGHT)).run(jobs)
