"""Pieces that a thread makes before they are asked for: packing goes on while what is packed is being sent."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..threads import try_start
from .line import Line

_Piece = TypeVar("_Piece")


def made_ahead(pieces: Iterable[_Piece], most: int) -> Iterator[_Piece]:
    """*pieces*, of which up to *most* are made before they are asked for. Errors of *pieces* come in their place.

    Closing it waits for the thread, which ends after the piece that it is making.
    """
    line: Line[_Piece] = Line(most)
    thread = threading.Thread(target=line.fill, args=(pieces,), name="acrartifact-ahead", daemon=True)
    if not try_start(thread):
        yield from pieces
        return
    try:
        yield from line.pieces()
    finally:
        line.close()
        thread.join()
