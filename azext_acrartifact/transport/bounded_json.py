"""JSON from a server, read within bounds of memory: a megabyte of brackets is a hundred of Python's objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MOST_CONTAINERS = 100_000
"""Objects and lists of one document. A manifest of 4 MiB has fewer: a descriptor takes more than 100 bytes."""
MOST_VALUES = 1_000_000

Pairs = Callable[[list[tuple[str, Any]]], object]


def parse_json(raw: bytes, pairs: Pairs | None = None) -> Any:
    """*raw* as JSON; `ValueError` for what is none, NaN and its like included, and for what would take far more memory
    than it has bytes. *pairs* makes the objects."""
    if raw.count(b"{") + raw.count(b"[") > MOST_CONTAINERS or raw.count(b",") > MOST_VALUES:
        raise ValueError("it has too many parts")
    try:
        # RFC 8259 §8.1: UTF-8, and no mark before it; json would take UTF-16 for the same document.
        return json.loads(raw.decode(), object_pairs_hook=pairs, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is too deep") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
