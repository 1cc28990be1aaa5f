"""Parse JSON from a server within limits of memory: a megabyte of brackets becomes a hundred of Python's objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MOST_CONTAINERS = 100_000
"""Objects and arrays of one document. A manifest of 4 MiB has fewer: a descriptor takes more than 100 bytes."""
MOST_VALUES = 1_000_000

Pairs = Callable[[list[tuple[str, Any]]], object]


def parse_json(
    raw: bytes,
    pairs: Pairs | None = None,
    *,
    most_containers: int = MOST_CONTAINERS,
    most_values: int = MOST_VALUES,
) -> Any:
    """Parse *raw*; *pairs* makes the objects. `ValueError` if it is not JSON (NaN and Infinity are not), or if it would
    take far more memory than it has bytes."""
    if raw.count(b"{") + raw.count(b"[") > most_containers or raw.count(b",") > most_values:
        raise ValueError("it has too many objects or values")
    try:
        # RFC 8259 §8.1: UTF-8 without a byte order mark; json.loads would accept UTF-16 too.
        return json.loads(raw.decode(), object_pairs_hook=pairs, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return *pairs* as an object, for `parse_json`. `ValueError` if a key appears twice, of which another reader might
    take the other value."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key appears twice")
    return fields


def as_list(value: object) -> list[Any]:
    """Return *value* if it is a list. Null and an absent member are an empty one: ACR's are from Go, whose encoder
    writes null for a slice that nothing was added to. Raises `ValueError` for anything else."""
    if value is not None and not isinstance(value, list):
        raise ValueError("not a list")
    return value or []


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
