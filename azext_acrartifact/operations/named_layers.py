"""Name the layers that another tool wrote without a title, as that tool names their files on the disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import InvalidManifestError, RefusedError, UnsafeContentError
from ..oci.descriptor import Descriptor
from ..oci.kinds import HELM_CONFIG, kind_of
from ..oci.manifest import Manifest
from ..oci.mediatypes import EMPTY_CONFIG, FILE_MODE, MODEL_METADATA, MODEL_PATHS, TITLE, UNPACK, is_media_type
from ..oci.parts import is_part
from ..oci.reference import Reference
from ..text import first_of
from ..transfer.download import read_blob
from ..transfer.repository_storage import RepositoryStorage
from ..transport.bounded_json import parse_json
from ..transport.retry import Attempts

CONFIG_LIMIT = 1 << 20
"""Bytes of a chart's config that are read: it is the chart's Chart.yaml as JSON."""
_CHART_FILES = {
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip": ".tgz",
    "application/tar+gzip": ".tgz",  # helm 3.6 and older
    "application/vnd.cncf.helm.chart.provenance.v1.prov": ".tgz.prov",
}
_MODEL_TAR = re.compile(r"application/vnd\.(?:cncf|cnai)\.model\..+\.tar(?:\+gzip|\+zstd)?")
"""https://github.com/modelpack/model-spec/blob/main/docs/spec.md: tars of files, named by their paths."""
_CHART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CHART_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
_MOST_TYPES = 5


def with_names(storage: RepositoryStorage, attempts: Attempts, reference: Reference, manifest: Manifest) -> Manifest:
    """Return *manifest* with a title for each layer whose file name is known: that of a Helm chart is in its config,
    which is downloaded; a model's layers get our annotations. Its digest stays. Raises `UnsafeContentError`
    for a chart whose name is no file name."""
    layers = [_of_model(layer) for layer in manifest.layers]
    config = manifest.config
    if config is not None and config.media_type == HELM_CONFIG and not any(layer.title for layer in layers):
        stem = _chart_name(_read(storage, attempts, config), str(reference))
        ends = [_CHART_FILES.get(layer.media_type) for layer in layers]
        layers = [_titled(layer, stem + end) if end else layer for layer, end in zip(layers, ends, strict=True)]
    return replace(manifest, layers=tuple(layers))


def layers_of(manifest: Manifest) -> list[Descriptor]:
    """Return the layers of *manifest* without the placeholder of an artifact without files."""
    return [blob for blob in manifest.layers if blob.media_type != EMPTY_CONFIG or blob.title]


def no_names(manifest: Manifest, reference: Reference) -> InvalidManifestError:
    """Return the error for an artifact with layers and without file names: say what it is, and what fetches it."""
    layers, kind = layers_of(manifest), kind_of(manifest)
    types = sorted({layer.media_type for layer in layers})
    command = kind.fetching(reference)
    # Whoever pastes the command pastes the type: one that a shell could take for more is left out.
    type_name = next(filter(is_media_type, types), "TYPE")
    one = f"write one layer to a file: --media-type {type_name} --stdout > FILE"
    return InvalidManifestError(
        "The artifact holds no files",
        where=str(reference),
        why=f"it is {kind.name}, whose layers have no file names ({first_of(types, _MOST_TYPES)})",
        hint=f"Fetch it with its own tool ({command}), or {one}" if command else f"You can {one}",
    )


def _of_model(layer: Descriptor) -> Descriptor:
    """Return *layer* with our annotations for what ModelPack says in its own: a tar, or a file's permission bits. A
    part of a tar is no tar."""
    if is_part(layer) or not any(layer.annotations.get(name) for name in MODEL_PATHS):
        return layer
    found = {UNPACK: "true"} if _MODEL_TAR.fullmatch(layer.media_type) else _mode_in(layer)
    return replace(layer, annotations={**found, **layer.annotations})


def _mode_in(layer: Descriptor) -> dict[str, str]:
    try:
        mode = parse_json(layer.annotations.get(MODEL_METADATA, "{}").encode(errors="replace")).get("mode")
    except (ValueError, AttributeError):
        return {}
    return {FILE_MODE: f"{mode & 0o777:04o}"} if isinstance(mode, int) and mode & 0o111 else {}


def _titled(layer: Descriptor, title: str) -> Descriptor:
    return replace(layer, annotations={**layer.annotations, TITLE: title})


def _chart_name(config: Any, where: str) -> str:
    """Return NAME-VERSION of a chart, as `helm pull` names its file."""
    fields: dict[str, Any] = config if isinstance(config, dict) else {}
    name, version = (str(fields.get(key) or "") for key in ("name", "version"))
    if not _CHART_NAME.fullmatch(name) or not _CHART_VERSION.fullmatch(version):
        raise UnsafeContentError(
            "The Helm chart has no usable name and version",
            where=where,
            why=f"name {name[:60]!r}, version {version[:60]!r}",
            hint="Do not trust it. To look at it: --media-type TYPE --stdout > FILE",
        )
    return f"{name}-{version}"


def _read(storage: RepositoryStorage, attempts: Attempts, config: Descriptor) -> Any:
    if config.size > CONFIG_LIMIT:
        raise RefusedError("The chart's config is too long", where=config.digest, why=f"more than {CONFIG_LIMIT} bytes")
    content = read_blob(storage, config, attempts)
    try:
        return parse_json(content)
    except ValueError as error:
        raise InvalidManifestError("The chart's config is no JSON", where=config.digest, why=str(error)) from error


def nameless(layers: Sequence[Descriptor]) -> bool:
    """Return whether there are *layers*, and none has a file name."""
    return bool(layers) and not any(layer.title for layer in layers)
