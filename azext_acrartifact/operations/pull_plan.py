"""The plan of a pull, made before the first byte is written: the files, their checked names, and the skipped layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError, InvalidManifestError
from ..files.names import (
    MOST_COMPONENTS,
    TITLE_LIMIT,
    RelativeName,
    Twins,
    check_collisions,
    safe_folder,
    safe_name,
)
from ..files.patterns import why_unmatched
from ..files.selection import Selection
from ..oci.descriptor import Descriptor
from ..oci.manifest import Manifest
from ..oci.mediatypes import FILE_MODE, FOLDER_SIZE, UNPACK
from ..oci.parts import LayeredFile, Part, files_in
from ..text import first_of
from .named_layers import layers_of

NO_TITLE = "it has no file name (org.opencontainers.image.title)"
NOT_SELECTED = "it was not selected"
NOTHING_SELECTED = "nothing in it was selected"
LISTED_TWICE = "the same file is listed before"
_MODE = re.compile(r"0?[0-7]{3}")
_SIZE = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Planned:
    """One file or folder to write under a checked name. If *folder*, its layer is an archive to unpack there: what
    *members* selects of it, or all of it. If it has *parts*, *blob* describes all of them together."""

    blob: Descriptor
    name: RelativeName
    folder: bool
    members: Selection | None = None
    parts: Sequence[Part] = ()

    @property
    def bits(self) -> int:
        """The bits to execute a file that its author stated; anything but plain permission bits is ignored."""
        stated = self.blob.annotations.get(FILE_MODE, "")
        return int(stated, 8) & 0o111 if not self.folder and _MODE.fullmatch(stated) else 0

    @property
    def stated_size(self) -> int:
        """Bytes of a folder's files as its author stated them, otherwise 0."""
        stated = self.blob.annotations.get(FOLDER_SIZE, "")
        return int(stated) if self.folder and _SIZE.fullmatch(stated) else 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not pulled, and *why*; *parts* is the number of its parts, 0 for a layer as it is."""

    blob: Descriptor
    why: str
    parts: int = 0


@dataclass(frozen=True)
class Plan:
    """All files and folders of an artifact, each in one of the two lists. The disk must keep *twins* apart."""

    files: Sequence[Planned]
    skipped: Sequence[Skipped]
    twins: Sequence[Twins] = ()

    @property
    def is_searched(self) -> bool:
        """Whether only the content of a folder shows what the patterns match."""
        return any(item.members for item in self.files)


def plan_pull(manifest: Manifest, selection: Selection, where: str) -> Plan:
    """Plan every file and folder of *manifest*, and check the titles of those that are selected.

    Raises `UnsafeContentError` for an unsafe name, `InvalidManifestError` for an index or for parts that make no file,
    `InvalidInputError` if no file is selected, or a pattern to include matches none.
    """
    if manifest.is_index:
        raise InvalidManifestError(
            "The reference names an index of several artifacts",
            where=where,
            why="; ".join(f"{_platform(child)}{child.digest}" for child in manifest.manifests[:5]),
            hint="Pull one of them by its digest: SERVER/REPOSITORY@sha256:…",
        )
    files = files_in(layers_of(manifest))
    plain = (file.blob for file in files if file.blob.title and not _is_folder(file.blob))
    members = selection.within_folders(map(_path, plain))
    wanted: list[Planned] = []
    others: list[Skipped] = []
    twins = check_collisions(_names(files, selection, members, wanted, others))
    nameless = [Skipped(file.blob, NO_TITLE) for file in files if not file.blob.title]
    plan = Plan(wanted, [*others, *nameless], twins)
    if files and not wanted:
        raise _nothing(files, where)
    if not plan.is_searched:
        require_matches(selection, where)
    return plan


def require_matches(selection: Selection, where: str) -> None:
    """Raise `InvalidInputError` for a pattern to include that matched nothing in the artifact *where*."""
    if unmatched := selection.include.unused:
        raise InvalidInputError(
            why_unmatched("--include", unmatched[0]),
            where=where,
            hint="Correct the pattern or leave it out; az acr artifact show lists the artifact's files.",
        )


def _names(
    files: Sequence[LayeredFile],
    selection: Selection,
    members: Selection,
    wanted: list[Planned],
    others: list[Skipped],
) -> Iterator[RelativeName]:
    """Add each file with a title to *wanted* or *others*, and yield the name of each wanted one, so that a check can
    stop before all are planned."""
    planned: dict[str, str] = {}
    for file in files:
        blob, parts = file.blob, len(file.parts)
        if not blob.title:
            continue
        if not _is_chosen(blob, selection, members):
            others.append(Skipped(blob, NOT_SELECTED, parts))
        elif planned.get(blob.title) == blob.digest:
            others.append(Skipped(blob, LISTED_TWICE, parts))
        else:
            planned[blob.title] = blob.digest
            wanted.append(_planned(file, members))
            yield wanted[-1].name


def _is_chosen(blob: Descriptor, selection: Selection, members: Selection) -> bool:
    """Return whether *blob* is selected, by its unchecked name. One that is too long is checked, and refused."""
    path, has_type = _path(blob), selection.has_type(blob.media_type)
    if len(path) > TITLE_LIMIT or path.count("/") >= MOST_COMPONENTS:
        return True
    if not _is_folder(blob):
        return selection.takes(path) and has_type
    return (selection.takes(path, folder=True) or members.takes_below(path)) and has_type


def _path(blob: Descriptor) -> str:
    """Return the unchecked path that patterns are compared with; a folder's has no slash at its end."""
    path = (blob.title or "").removeprefix("./").removesuffix("/")
    return "" if path == "." else path


def _is_folder(blob: Descriptor) -> bool:
    # regctl marks a folder only by the slash at the end of its title.
    return blob.annotations.get(UNPACK) == "true" or (blob.title or "").endswith("/")


def _planned(file: LayeredFile, members: Selection) -> Planned:
    title = file.blob.title or ""
    if not _is_folder(file.blob):
        return Planned(file.blob, safe_name(title), False, parts=file.parts)
    name = safe_folder(title)
    return Planned(file.blob, name, True, members if members.divides("/".join(name.parts)) else None)


def _nothing(files: Sequence[LayeredFile], where: str) -> InvalidInputError:
    named = [f"{file.blob.title} ({file.blob.media_type})" for file in files if file.blob.title]
    return InvalidInputError(
        "No file of the artifact matches the filters",
        where=where,
        why=f"it holds {first_of(named, 5)}",
        hint="Check --media-type, --include and --exclude.",
    )


def _platform(child: Descriptor) -> str:
    if not child.platform:
        return ""
    return f"{child.platform.get('os', '?')}/{child.platform.get('architecture', '?')} "
