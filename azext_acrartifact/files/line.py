"""Pieces that wait in line between the thread that makes them and the one that uses them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

_Piece = TypeVar("_Piece")


class Line(Generic[_Piece]):
    """Room for *most* pieces; one thread fills it and another takes from it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._held: deque[_Piece] = deque()
        self._ended = self._closed = False
        self.broken: BaseException | None = None
        """What ended the making of pieces before its time."""

    def fill(self, pieces: Iterable[_Piece]) -> None:
        """Put in all *pieces* as there is room, until nobody wants them any more. What making them raises is raised
        where they are taken."""
        try:
            for piece in pieces:
                if not self._put(piece):
                    break
        except BaseException as error:  # pylint: disable=broad-except
            self.broken = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def pieces(self) -> Iterator[_Piece]:
        """What was put in, in order; raises what broke the making, after all that came before."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or bool(self._held))
                if not self._held:
                    break
                piece = self._held.popleft()
                self._changed.notify_all()
            yield piece
        if self.broken is not None:
            raise self.broken

    def close(self) -> None:
        """Say that no more pieces are wanted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, piece: _Piece) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._held) < self._most)
            self._held.append(piece)
            self._changed.notify_all()
            return not self._closed
