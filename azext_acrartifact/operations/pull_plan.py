"""The plan of a pull, made before the first byte is written: the files, their checked names, and the skipped layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError, InvalidManifestError
from ..files.names import RelativeName, check_collisions, safe_folder, safe_name
from ..files.selection import Selection
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import UNPACK
from .named_layers import layers_of

NO_TITLE = "it has no file name (org.opencontainers.image.title)"
NOT_SELECTED = "it was not selected"


@dataclass(frozen=True)
class Planned:
    """One layer to write under a checked name. If *folder*, it is an archive to unpack there."""

    blob: Descriptor
    name: RelativeName
    folder: bool


@dataclass(frozen=True)
class Skipped:
    """A layer that is not pulled, and *why*."""

    blob: Descriptor
    why: str


@dataclass(frozen=True)
class Plan:
    """All layers of an artifact, each in one of the two lists."""

    files: Sequence[Planned]
    skipped: Sequence[Skipped]


def plan_pull(manifest: Manifest, selection: Selection, where: str) -> Plan:
    """Plan every layer of *manifest*, and check all titles, even of layers that are not selected.

    Raises `UnsafeContentError` for an unsafe name, `InvalidManifestError` for an index, `InvalidInputError` if no file
    is selected.
    """
    if manifest.is_index:
        raise InvalidManifestError(
            "The reference names an index of several artifacts",
            where=where,
            why="; ".join(f"{_platform(child)}{child.digest}" for child in manifest.manifests[:5]),
            hint="Pull one of them by its digest: SERVER/REPOSITORY@sha256:…",
        )
    layers = layers_of(manifest)
    named: list[Planned] = []
    check_collisions(_names(layers, named))
    nameless = [Skipped(blob, NO_TITLE) for blob in layers if not blob.title]
    chosen = [_is_chosen(item, selection) for item in named]
    wanted = [item for item, is_wanted in zip(named, chosen, strict=True) if is_wanted]
    others = [Skipped(item.blob, NOT_SELECTED) for item, is_wanted in zip(named, chosen, strict=True) if not is_wanted]
    if layers and not wanted:
        raise _nothing(named, where)
    return Plan(wanted, [*others, *nameless])


def _names(layers: Sequence[Descriptor], named: list[Planned]) -> Iterator[RelativeName]:
    """Add each layer with a title to *named* and yield its name, so that a check can stop before all are planned."""
    for blob in layers:
        if blob.title:
            named.append(_planned(blob))
            yield named[-1].name


def _planned(blob: Descriptor) -> Planned:
    title = blob.title or ""
    # regctl marks a folder only by the slash at the end of its title.
    folder = blob.annotations.get(UNPACK) == "true" or title.endswith("/")
    return Planned(blob, safe_folder(title) if folder else safe_name(title), folder)


def _is_chosen(item: Planned, selection: Selection) -> bool:
    path = "/".join(item.name.parts)
    taken = selection.takes_below(path) if item.folder else selection.takes(path)
    return taken and selection.has_type(item.blob.media_type)


def _nothing(named: Sequence[Planned], where: str) -> InvalidInputError:
    files = ", ".join(f"{item.name} ({item.blob.media_type})" for item in named[:5])
    return InvalidInputError(
        "No file of the artifact matches the filters",
        where=where,
        why=f"it holds {files}" + (f" and {len(named) - 5} more" if len(named) > 5 else ""),
        hint="Check --media-type, --include and --exclude.",
    )


def _platform(child: Descriptor) -> str:
    if not child.platform:
        return ""
    return f"{child.platform.get('os', '?')}/{child.platform.get('architecture', '?')} "
