"""The size of the parts of large files, checked before anything is hashed or sent."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from ..errors import InvalidInputError, LocalFileError
from ..oci.descriptor import Descriptor
from ..oci.digest import Digest
from ..oci.manifest import MANIFEST_LIMIT
from ..oci.mediatypes import UNPACK
from ..oci.parts import MOST_PARTS, part_annotations
from .inputs import Input

_MIB = 1024 * 1024
_GIB = 1024 * _MIB
USUAL = 256 * _MIB
LEAST = 4 * _MIB
LARGEST_BLOB = 200 * _GIB
"""The largest blob that Azure Container Registry takes
(https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""
WORTHWHILE = 2 * _GIB
"""The size of a file from which on parts are worth a word."""
AUTOMATIC = 0
"""The size of parts that means: `USUAL`, or as much more as the files need."""
_SIZE = re.compile(r"([0-9]{1,9})([MG])(?:I?B)?", re.IGNORECASE)
_OTHERS = 64 * 1024
"""Bytes of a manifest that are not descriptors of parts."""


def parse_part_size(text: str, where: str) -> int | None:
    """Return the size in bytes that *text* such as `64M` or `1G` names, `AUTOMATIC` for `auto`, None for `off`. Raises
    `InvalidInputError`, which names *where*, for anything else, and for less than 4 MiB or more than a blob may have.
    """
    if text.lower() == "off":
        return None
    if text.lower() == "auto":
        return AUTOMATIC
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * (_GIB if match[2].upper() == "G" else _MIB) if match else 0
    if not LEAST <= size <= LARGEST_BLOB:
        raise InvalidInputError(
            "Not a size of parts",
            where=where,
            why="it is not 4M to 200G, in whole MiB or GiB",
            hint="Write a size such as 64M or 1G, `auto` for 256M or what a very large file needs, or `off`.",
        )
    return size


def fitting_part_size(inputs: Sequence[Input], asked: int | None) -> int | None:
    """Return the size of parts for *inputs*, or None to push every file as one blob.

    Raises `LocalFileError` for a file that is too large for one blob, or for all parts that an artifact can have, and
    `InvalidInputError` when the parts would be more than that.
    """
    if asked is None:
        _require_blobs(inputs, None)
        return None
    size = fitting = asked or USUAL
    while fitting < LARGEST_BLOB and not _fits(inputs, fitting):
        fitting = min(2 * fitting, LARGEST_BLOB)
    _require_blobs(inputs, fitting)
    if not _fits(inputs, fitting):
        raise LocalFileError(
            "The files are larger than an artifact may be",
            where=max(inputs, key=lambda item: item.size).spec.path,
            why=f"the limits are {MOST_PARTS:,} parts of 200 GiB and a manifest of 4 MiB",
            hint="Push the files as several artifacts.",
        )
    if asked and fitting != size:
        raise InvalidInputError(
            "The parts would be more than an artifact can have",
            where=f"--part-size {size // _MIB}M",
            why=f"{_parts(inputs, size):,} parts; the limits are {MOST_PARTS:,} and a manifest of 4 MiB",
            hint=f"Give --part-size {fitting // _MIB}M, or auto.",
        )
    return fitting


def is_in_parts(item: Input, part_size: int | None) -> bool:
    """Return whether *item* is a file that is larger than a part. An archive that a pull unpacks stays one layer."""
    unpacked = item.folder is not None or UNPACK in item.annotations
    return part_size is not None and not unpacked and item.size > part_size


def advice(inputs: Sequence[Input]) -> str:
    """Return the line for a person who pushes a large file as one blob; empty for other pushes."""
    large = next((item for item in inputs if item.folder is None and item.size > WORTHWHILE), None)
    if large is None:
        return ""
    return (
        f"{large.title} goes over one connection, and begins again if a response is lost. With --part-size auto it "
        "goes in parts: faster, and only what changed is sent again. Other tools then see the parts."
    )


def _require_blobs(inputs: Sequence[Input], part_size: int | None) -> None:
    """Raise `LocalFileError` for a file that is larger than a blob may be, and does not go in parts."""
    for item in inputs:
        if item.folder is None and item.size > LARGEST_BLOB and not is_in_parts(item, part_size):
            archive = UNPACK in item.annotations
            raise LocalFileError(
                "The file is larger than one blob may be",
                where=item.spec.path,
                why=f"it has {item.size:,} bytes; the registry's limit is 200 GiB"
                + ("; an archive that a pull unpacks cannot go in parts" if archive else ""),
                hint="Push it as a file that is not unpacked, with --part-size auto."
                if archive
                else "Give --part-size auto to push it in parts.",
            )


def _parts(inputs: Sequence[Input], part_size: int) -> int:
    return sum(-(-item.size // part_size) for item in inputs if is_in_parts(item, part_size))


def _fits(inputs: Sequence[Input], part_size: int) -> bool:
    """Return whether the descriptors of all files and parts fit into a manifest; no part's is longer than the last."""
    count = _parts(inputs, part_size)
    if not count or count > MOST_PARTS:
        return not count
    needed = _OTHERS
    for item in inputs:
        one = Descriptor(item.spec.media_type or "x" * 80, Digest("sha256:" + "0" * 64), item.size, item.marks)
        times = 1
        if is_in_parts(item, part_size):
            one = replace(one, annotations=part_annotations(one, MOST_PARTS, MOST_PARTS, item.size))
            times = -(-item.size // part_size)
        needed += times * (len(json.dumps(one.to_json(), separators=(",", ":"))) + 1)
    return needed <= MANIFEST_LIMIT
