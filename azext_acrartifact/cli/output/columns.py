"""Fit the rows of a table into a terminal. Where nobody reads along, in a pipe or a file, every text is whole."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from .progress_bar import cells, differences, fit_name

Row = dict[str, Any]
SHORT_DIGITS = 12
DIGEST_WIDTH = len("sha256:") + 64
"""Hexadecimal digits of a shortened digest, which the commands take as well."""
_LEAST = 14
"""Columns that a shortened text keeps."""
MOST_APART = 200
"""Names that are compared so that shortened ones do not look alike: the time grows with the square."""
_READABLE = 24
"""Columns of a type that still say something; with fewer, it is left out so that names stay whole."""
_DIGEST = re.compile(rf"(sha(?:256|512):[0-9a-f]{{{SHORT_DIGITS}}})[0-9a-f]{{52,}}")
_TYPES = ("ArtifactType", "MediaType", "Type")
_DROPPED = ("MediaType", "ArtifactType", "Created", "Reason", "Updated", "Holds", "Algorithm")
"""Columns to leave out of a terminal that is too narrow for all, in this order."""


def terminal_width(stream: TextIO) -> int | None:
    """Return the columns of the terminal on *stream*; None if it is no terminal."""
    try:
        return (os.get_terminal_size(stream.fileno()).columns or 80) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def fitted(rows: list[Row], width: int | None) -> list[Row]:
    """Return *rows* for a terminal of *width* columns: first digests are shortened, then types, then the widest
    names, and finally columns are left out, types before they become unreadable. With None, nothing is."""
    if width is None or not rows or not _excess(rows, width):
        return rows
    rows = [{name: short_digests(cell) for name, cell in row.items()} for row in rows]
    cut, dropped = _cut(rows, width), [name for name in _DROPPED if name in rows[0]]
    while dropped and (_excess(cut, width) or _is_unreadable(cut, rows, dropped[0])):
        rows = [{name: cell for name, cell in row.items() if name != dropped[0]} for row in rows]
        cut, dropped = _cut(rows, width), dropped[1:]
    return cut


def _is_unreadable(cut: list[Row], rows: list[Row], name: str) -> bool:
    """Return whether *name* is a type of which *cut* shows too little."""
    return name in _TYPES and _sizes(cut)[name] < min(_READABLE, _sizes(rows)[name])


def _cut(rows: list[Row], width: int) -> list[Row]:
    """Return *rows* with texts shortened to `_LEAST` columns at least: types first, since a name is needed to type the
    next command. What is left goes to the types."""
    types = [name for name in _TYPES if name in rows[0]]
    names = [name for name in _CUTS if name in rows[0] and name not in types]
    cut = rows
    for columns in (types, names):
        while over := _excess(cut, width):
            wide = sorted(((size, name) for name, size in _sizes(cut).items() if name in columns), reverse=True)
            if not wide or wide[0][0] <= _LEAST:
                break
            size, widest = wide[0]
            second = wide[1][0] if len(wide) > 1 else _LEAST
            cut = _shortened(cut, cut, widest, max(size - over, min(size - 1, second), _LEAST))
    for name in types[:1]:
        cut = _shortened(cut, rows, name, _sizes(cut)[name] + width - _width(cut))
    return cut


def _shortened(rows: list[Row], whole: list[Row], name: str, room: int) -> list[Row]:
    """Return *rows* with the texts that *whole* has in the column *name*, in *room* columns."""
    cut, texts = _CUTS[name], [str(full[name] or "") for full in whole]
    short = [cut(text, room) for text in texts]
    if cut is without_middle and len(set(short)) < len(set(texts)) <= MOST_APART:
        short = [fit_name(text, room, index) for text, index in zip(texts, differences(texts), strict=True)]
    return [{**row, name: text} for row, text in zip(rows, short, strict=True)]


def tags_text(tags: Sequence[str]) -> str:
    """Return *tags* as one text."""
    return ", ".join(tags)


def _sizes(rows: list[Row]) -> dict[str, int]:
    """Return the width of each column; a heading takes two more columns than its letters."""
    return {name: max(len(name) + 2, *(cells(str(row.get(name) or "")) for row in rows)) for name in rows[0]}


def _width(rows: list[Row]) -> int:
    sizes = _sizes(rows)
    return sum(sizes.values()) + 2 * (len(sizes) - 1)


def _excess(rows: list[Row], width: int) -> int:
    return max(0, _width(rows) - width)


def short_digests(cell: Any) -> Any:
    """Return *cell* with digests that commands still take."""
    return _DIGEST.sub(r"\1", cell) if isinstance(cell, str) else cell


def _without_beginning(text: str, room: int) -> str:
    """Return the end of *text*, which says more of a media type than its beginning."""
    return text if len(text) <= room else f"…{text[1 - room :]}"


def without_middle(text: str, room: int) -> str:
    """Return the beginning and the end of *text*, in at most *room* characters; a digest at its end stays whole."""
    if len(text) <= room:
        return text
    digest = len(text) - text.rfind("@") if "@" in text else 0
    end = digest if room // 2 < digest <= room - 4 else room // 2
    return f"{text[: room - end - 1]}…{text[-end:]}"


def _fewer_tags(text: str, room: int) -> str:
    """Return the first of the tags in *text* that have room whole, and the number of the others."""
    if len(text) <= room:
        return text
    shown, *rest = re.sub(r" \+[0-9]+$", "", text).split(", ")
    hidden = len(rest) + (int(text.rpartition(" +")[2]) if re.search(r" \+[0-9]+$", text) else 0)
    while rest and len(f"{shown}, {rest[0]} +{hidden - 1}") <= room:
        shown, hidden = f"{shown}, {rest.pop(0)}", hidden - 1
    count = f" +{hidden}" if hidden else ""
    return without_middle(shown, max(room - len(count), 3)) + count


_CUTS: dict[str, Callable[[str, int], str]] = {
    **dict.fromkeys(_TYPES, _without_beginning),
    **dict.fromkeys(
        ("Artifact", "File", "Identity", "KeptIn", "Layout", "Name", "Holds", "Reason", "Ask for"), without_middle
    ),
    **dict.fromkeys(("Reference", "Repository", "LoginServer", "Signer", "Tag"), without_middle),
    "Tags": _fewer_tags,
}
