"""What a pull writes, decided before the first byte: names, sizes, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError, InvalidManifestError
from ..files.globs import Selection
from ..files.names import RelativeName, check_collisions, safe_folder, safe_name
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import EMPTY_CONFIG, UNPACK

NO_TITLE = "it has no file name (org.opencontainers.image.title)"
NOT_SELECTED = "it was not asked for"


@dataclass(frozen=True)
class Planned:
    """One layer to write, under a checked name; a *folder* is unpacked there."""

    blob: Descriptor
    name: RelativeName
    folder: bool


@dataclass(frozen=True)
class Skipped:
    """A layer that is left out, and why."""

    blob: Descriptor
    why: str


@dataclass(frozen=True)
class Plan:
    """All layers of an artifact, each in one of the two lists."""

    files: Sequence[Planned]
    skipped: Sequence[Skipped]


def plan_pull(manifest: Manifest, selection: Selection, where: str) -> Plan:
    """Decide about every layer of *manifest*. All titles are checked, those not asked for too.

    Raises `UnsafeContentError` for a name that must not be written, `InvalidManifestError` for an index or an
    artifact without files, `InvalidInputError` when nothing is what was asked for.
    """
    if manifest.is_index:
        raise InvalidManifestError(
            "This is an index of several artifacts",
            where=where,
            why="; ".join(f"{_platform(child)}{child.digest}" for child in manifest.manifests[:5]),
            hint="Pull one of them by its digest: SERVER/REPOSITORY@sha256:…",
        )
    layers = [blob for blob in manifest.layers if blob.media_type != EMPTY_CONFIG or blob.title]
    named = [_planned(blob) for blob in layers if blob.title]
    nameless = [Skipped(blob, NO_TITLE) for blob in layers if not blob.title]
    check_collisions([item.name for item in named])
    chosen = [selection.wants(str(item.name), item.blob.media_type, item.folder) for item in named]
    wanted = [item for item, is_wanted in zip(named, chosen, strict=True) if is_wanted]
    left = [Skipped(item.blob, NOT_SELECTED) for item, is_wanted in zip(named, chosen, strict=True) if not is_wanted]
    if layers and not wanted:
        raise _nothing(layers, named, where)
    return Plan(wanted, [*left, *nameless])


def _planned(blob: Descriptor) -> Planned:
    title = blob.title or ""
    # regctl marks a folder by the end of its title alone.
    folder = blob.annotations.get(UNPACK) == "true" or title.endswith("/")
    return Planned(blob, safe_folder(title) if folder else safe_name(title), folder)


def _nothing(layers: Sequence[Descriptor], named: Sequence[Planned], where: str) -> Exception:
    if not named:
        return InvalidManifestError(
            "The artifact holds no files",
            where=where,
            why=f"none of its {len(layers)} layers has a file name",
            hint="It may be a container image: pull it with a container tool.",
        )
    held = ", ".join(f"{item.name} ({item.blob.media_type})" for item in named[:5])
    return InvalidInputError(
        "No file of the artifact is what was asked for",
        where=where,
        why=f"it holds {held}" + (f" and {len(named) - 5} more" if len(named) > 5 else ""),
        hint="Check --media-type, --include and --exclude.",
    )


def _platform(child: Descriptor) -> str:
    if not child.platform:
        return ""
    return f"{child.platform.get('os', '?')}/{child.platform.get('architecture', '?')} "
