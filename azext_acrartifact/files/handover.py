"""Pieces that one thread makes and another uses, so that neither waits for the other's work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ..threads import try_start

HELD = 2
"""Pieces that may wait to be used."""

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def hand_over(pieces: Iterable[_Piece], use: Callable[[Iterator[_Piece]], _Result]) -> _Result:
    """What *use* makes of *pieces*, which are made here while it runs in a thread of its own.

    Returns, or raises, when both have come to an end. An error of *use* goes before one of *pieces*: it is about an
    earlier one. *use* must not wait for anything but its next piece.
    """
    line: _Line[_Piece, _Result] = _Line(use)
    if not try_start(line.thread):
        return use(iter(pieces))
    try:
        for piece in pieces:
            if not line.put(piece):
                break
    except BaseException as error:  # pylint: disable=broad-except
        line.end(error)
    else:
        line.end(None)
    return line.result()


class _Line(Generic[_Piece, _Result]):
    def __init__(self, use: Callable[[Iterator[_Piece]], _Result]) -> None:
        self.thread = threading.Thread(target=self._run, args=(use,), name="acrartifact-handover", daemon=True)
        self._changed = threading.Condition()
        self._held: deque[_Piece] = deque()
        self._ended = self._done = False
        self._broken: BaseException | None = None
        self._error: BaseException | None = None
        self._results: list[_Result] = []

    def put(self, piece: _Piece) -> bool:
        """Hand over *piece* as soon as there is room; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or len(self._held) < HELD)
            self._held.append(piece)
            self._changed.notify_all()
            return not self._done

    def end(self, broken: BaseException | None) -> None:
        """Say that no more pieces come, and why, if something broke."""
        with self._changed:
            self._ended, self._broken = True, broken
            self._changed.notify_all()

    def result(self) -> _Result:
        """What came of it."""
        self.thread.join()
        error = self._error or self._broken
        if error is not None:
            raise error
        return self._results[0]

    def _run(self, use: Callable[[Iterator[_Piece]], _Result]) -> None:
        try:
            self._results.append(use(self._pieces()))
        # Whatever it is, `result` raises it in the thread that waits for it.
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error
        with self._changed:
            self._done = True
            self._changed.notify_all()

    def _pieces(self) -> Iterator[_Piece]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or bool(self._held))
                if not self._held:
                    break
                piece = self._held.popleft()
                self._changed.notify_all()
            yield piece
        if self._broken is not None:
            raise self._broken
