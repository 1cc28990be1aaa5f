"""Parse a manifest's JSON: the types that ACR accepts, their required members, and their references.

Image specification 1.1 (manifest, index), Docker image manifest v2 schema 2, and the two artifact manifests from
before 1.1 that are still in registries.
"""

from __future__ import annotations

import json
from typing import Any

from acr_emulator.registry.clock import timestamp
from acr_emulator.registry.errors import manifest_invalid
from acr_emulator.registry.names import is_digest
from acr_emulator.registry.records import Manifest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
IMAGES, INDEXES, ARTIFACTS = (OCI_MANIFEST, DOCKER_MANIFEST), (OCI_INDEX, DOCKER_LIST), (OCI_ARTIFACT, ORAS_ARTIFACT)
IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")


def parse_manifest(content: bytes, content_type: str, digest: str) -> Manifest:
    """Parse the manifest *content*, pushed as *content_type*; raise MANIFEST_INVALID."""
    media_type = content_type.partition(";")[0].strip()
    if media_type not in IMAGES + INDEXES + ARTIFACTS:
        raise manifest_invalid(f"the Content-Type {media_type!r} is not that of a manifest")
    value = _object(content)
    _check_type(value, media_type)
    now = timestamp()
    manifest = Manifest(digest, media_type, len(content), now, now)
    manifest.annotations = _annotations(value)
    manifest.artifact_type = _optional_text(value, "artifactType")
    if value.get("subject") is not None:
        manifest.subject = _descriptor(value["subject"])["digest"]
    _READERS[media_type](manifest, value)
    return manifest


def platform(config: bytes) -> tuple[str | None, str | None]:
    """Return `architecture` and `os` of an image's config, or None if missing."""
    try:
        value = json.loads(config)
    except ValueError:
        return None, None
    if not isinstance(value, dict):
        return None, None
    architecture, system = value.get("architecture"), value.get("os")
    return architecture if isinstance(architecture, str) else None, system if isinstance(system, str) else None


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise manifest_invalid(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise manifest_invalid("not a JSON object")
    return value


def _check_type(value: dict[str, Any], media_type: str) -> None:
    inside = value.get("mediaType") or None  # distribution takes "" for an absent one
    if inside != media_type and (inside is not None or not media_type.startswith("application/vnd.oci.image.")):
        raise manifest_invalid(f"the mediaType is {inside!r}, the Content-Type {media_type!r}")
    if media_type not in ARTIFACTS and value.get("schemaVersion") != 2:
        raise manifest_invalid("schemaVersion must be 2")
    # Clients disagree on a document that is both a manifest and an index (CVE-2021-41190).
    foreign = ("config", "layers") if media_type in INDEXES else ("manifests",)
    if any(name in value for name in foreign):
        raise manifest_invalid(f"a {media_type} must not hold {' or '.join(foreign)}")


def _read_image(manifest: Manifest, value: dict[str, Any]) -> None:
    config = _descriptor(value.get("config"))
    layers = [_descriptor(layer) for layer in _list(value, "layers")]
    manifest.config_media_type = config["mediaType"]
    manifest.artifact_type = manifest.artifact_type or config["mediaType"]
    manifest.image_size = sum(item["size"] for item in (config, *layers))
    manifest.blobs = _unique([config, *(layer for layer in layers if not _is_foreign(layer))])


def _read_index(manifest: Manifest, value: dict[str, Any]) -> None:
    children = [_descriptor(child) for child in _list(value, "manifests")]
    manifest.image_size = manifest.size
    manifest.children = [_reference(child) for child in children]


def _read_artifact(manifest: Manifest, value: dict[str, Any]) -> None:
    if manifest.artifact_type is None:
        raise manifest_invalid("artifactType is missing")
    blobs = [_descriptor(blob) for blob in value.get("blobs") or []]
    manifest.image_size = sum(blob["size"] for blob in blobs)
    manifest.blobs = _unique(blobs)


_READERS = {
    **dict.fromkeys(IMAGES, _read_image),
    **dict.fromkeys(INDEXES, _read_index),
    **dict.fromkeys(ARTIFACTS, _read_artifact),
}


def _descriptor(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise manifest_invalid("a descriptor is missing or not an object")
    size = value.get("size")
    if not isinstance(value.get("mediaType"), str) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise manifest_invalid("a descriptor needs a mediaType and a size")
    if not isinstance(value.get("digest"), str) or not is_digest(value["digest"]):
        raise manifest_invalid("a descriptor's digest is not valid")
    return value


def _is_foreign(layer: dict[str, Any]) -> bool:
    # Clients do not push layers that stay at their publisher (image specification §Non-Distributable Layers).
    return bool(layer.get("urls")) or "nondistributable" in layer["mediaType"] or ".foreign." in layer["mediaType"]


def _reference(child: dict[str, Any]) -> dict[str, str]:
    given = child.get("platform")
    target = given if isinstance(given, dict) else {}
    named = {key: target[key] for key in ("architecture", "os") if isinstance(target.get(key), str)}
    return {"digest": child["digest"], **named}


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name, ...)
    if found is None:
        return []  # distribution stores such a manifest: Go writes null for an empty list
    if not isinstance(found, list):
        raise manifest_invalid(f"{name} is missing or not an array")
    return found


def _optional_text(value: dict[str, Any], name: str) -> str | None:
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise manifest_invalid(f"{name} is not a string")
    return found or None


def _annotations(value: dict[str, Any]) -> dict[str, str]:
    found = value.get("annotations") or {}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise manifest_invalid("annotations must map strings to strings")
    return found


def _unique(descriptors: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(descriptor["digest"] for descriptor in descriptors))
