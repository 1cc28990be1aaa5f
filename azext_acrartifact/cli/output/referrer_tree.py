"""The referrers of an artifact as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...oci.mediatypes import CREATED
from ...text import printable_lines

Row = dict[str, Any]
UNKNOWN = "(unknown type)"
_TIME_WIDTH = len("2026-11-29T16:55:00.123456789+01:00")


def referrers_tree(result: Row) -> str:
    """Return the tree: a line for each type, and below it one for each whole digest."""
    return printable_lines("\n".join([str(result["reference"]), *_branches(result["referrers"], "")]))


def referrers_table(result: Row) -> list[Row]:
    """Return a row for the artifact, and below it one for each referrer with the digest that it is attached to.

    `Created` is what their annotations say; without any, there is no such column.
    """
    root = {"Digest": result["digest"], "ArtifactType": str(result["mediaType"] or ""), "AttachedTo": "", "Created": ""}
    rows = [root, *_rows(result["referrers"], result["digest"])]
    if not any(row["Created"] for row in rows):
        for row in rows:
            del row["Created"]
    return rows


def _branches(referrers: Sequence[Row], indent: str) -> Iterator[str]:
    groups: dict[str, list[Row]] = {}
    for item in referrers:
        groups.setdefault(_kind(item), []).append(item)
    for kind, deeper, items in _drawn(list(groups.items()), indent):
        yield kind
        for digest, below, [item] in _drawn([(item["digest"], [item]) for item in items], deeper):
            yield digest
            yield from _branches(item["referrers"], below)


def _drawn(entries: Sequence[tuple[str, list[Row]]], indent: str) -> Iterator[tuple[str, str, list[Row]]]:
    """Yield the line of each entry, the indent of the entries below it, and those entries."""
    for number, (text, items) in enumerate(entries, 1):
        last = number == len(entries)
        yield indent + ("└── " if last else "├── ") + text, indent + ("    " if last else "│   "), items


def _rows(referrers: Sequence[Row], subject: str) -> Iterator[Row]:
    for item in referrers:
        yield {
            "Digest": item["digest"],
            "ArtifactType": _kind(item),
            "AttachedTo": subject,
            "Created": item["annotations"].get(CREATED, "")[:_TIME_WIDTH],
        }
        yield from _rows(item["referrers"], item["digest"])


def _kind(item: Row) -> str:
    """Return the type, and of a signature the tool that made it."""
    kind, tool = item["artifactType"] or UNKNOWN, item.get("signature")
    return f"{kind} (signature of {tool})" if tool else str(kind)
