"""Pieces that one thread makes and another uses, so that neither waits for the other's work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ..threads import try_start
from .line import Line

HELD = 2
"""Pieces that may wait to be used."""

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def hand_over(pieces: Iterable[_Piece], use: Callable[[Iterator[_Piece]], _Result]) -> _Result:
    """What *use* makes of *pieces*, which are made here while it runs in a thread of its own.

    Returns, or raises, when both have come to an end. An error of *use* goes before one of *pieces*: it is about an
    earlier one. *use* must not wait for anything but its next piece.
    """
    line: Line[_Piece] = Line(HELD)
    user = _User(line, use)
    if not try_start(user.thread):
        return use(iter(pieces))
    line.fill(pieces)
    return user.result()


class _User(Generic[_Piece, _Result]):
    def __init__(self, line: Line[_Piece], use: Callable[[Iterator[_Piece]], _Result]) -> None:
        self.thread = threading.Thread(target=self._run, args=(use,), name="acrartifact-handover", daemon=True)
        self._line = line
        self._error: BaseException | None = None
        self._results: list[_Result] = []

    def result(self) -> _Result:
        """What came of it."""
        self.thread.join()
        error = self._error or self._line.broken
        if error is not None:
            raise error
        return self._results[0]

    def _run(self, use: Callable[[Iterator[_Piece]], _Result]) -> None:
        try:
            self._results.append(use(self._line.pieces()))
        # Whatever it is, `result` raises it in the thread that waits for it.
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error
        self._line.close()
