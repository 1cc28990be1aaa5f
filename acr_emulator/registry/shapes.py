"""The JSON of the metadata API (azure-rest-api-specs, data-plane Microsoft.ContainerRegistry 2021-07-01)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from acr_emulator.registry.records import Manifest, Repository, Tag
from acr_emulator.world import Registry


def array(registry: Registry, items: list[Any]) -> list[Any] | None:
    """Return *items* as the registry writes a list: an empty one may be null, which is Go's form of a nil slice."""
    return items or (None if registry.empty_lists == "null" else [])


def repository(registry: Registry, record: Repository) -> dict[str, Any]:
    """Return `RepositoryProperties`."""
    return {
        **_envelope(registry, record),
        "createdTime": record.created,
        "lastUpdateTime": record.updated,
        "manifestCount": len(record.manifests),
        "tagCount": len(record.tags),
        "changeableAttributes": asdict(record.attributes),
    }


def tag(record: Tag) -> dict[str, Any]:
    """Return `TagAttributesBase`."""
    return {
        "name": record.name,
        "digest": record.digest,
        "createdTime": record.created,
        "lastUpdateTime": record.updated,
        "signed": False,
        "changeableAttributes": asdict(record.attributes),
    }


def manifest(record: Manifest, tags: list[str], *, references: bool = False) -> dict[str, Any]:
    """Return `ManifestAttributesBase`, without empty members."""
    optional = {
        "architecture": record.architecture,
        "os": record.os,
        "configMediaType": record.config_media_type,
        "tags": tags,
        "references": record.children if references else None,
    }
    return {
        "digest": record.digest,
        "imageSize": record.image_size,
        "createdTime": record.created,
        "lastUpdateTime": record.updated,
        "mediaType": record.media_type,
        **{name: value for name, value in optional.items() if value},
        "changeableAttributes": asdict(record.attributes),
    }


def within(registry: Registry, record: Repository, **content: Any) -> dict[str, Any]:
    """Return *content* (`tag`, `tags`, `manifest`, `manifests`) in its envelope."""
    return {**_envelope(registry, record), **content}


def _envelope(registry: Registry, record: Repository) -> dict[str, Any]:
    return {"registry": registry.login_server, "imageName": record.name}
