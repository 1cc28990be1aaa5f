"""Pieces that a thread makes before they are asked for: packing goes on while what is packed is being sent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from ..threads import try_start

_Piece = TypeVar("_Piece")


def made_ahead(pieces: Iterator[_Piece], most: int) -> Iterator[_Piece]:
    """*pieces*, of which up to *most* are made before they are asked for. Errors of *pieces* come in their place.

    Closing it ends the thread; *pieces* is closed then too, if it can be.
    """
    maker: _Maker[_Piece] = _Maker(pieces, most)
    if not try_start(maker.thread):
        yield from pieces
        return
    try:
        yield from maker.made()
    finally:
        maker.stop()


class _Maker(Generic[_Piece]):
    def __init__(self, pieces: Iterator[_Piece], most: int) -> None:
        self.thread = threading.Thread(target=self._run, name="acrartifact-ahead", daemon=True)
        self._pieces, self._most = pieces, most
        self._changed = threading.Condition()
        self._made: deque[_Piece] = deque()
        self._ended = self._stopped = False
        self._error: BaseException | None = None

    def made(self) -> Iterator[_Piece]:
        """The pieces in their order; raises what making the next one raised."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or bool(self._made))
                if not self._made:
                    break
                piece = self._made.popleft()
                self._changed.notify_all()
            yield piece
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Wait for the thread, which makes no other piece."""
        with self._changed:
            self._stopped = True
            self._made.clear()
            self._changed.notify_all()
        self.thread.join()

    def _run(self) -> None:
        try:
            for piece in self._pieces:
                if not self._put(piece):
                    break
            if hasattr(self._pieces, "close"):
                self._pieces.close()
        # Whatever it is, `made` raises it in the thread that asks for the piece.
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, piece: _Piece) -> bool:
        """Hold *piece* as soon as there is room; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._made) < self._most)
            self._made.append(piece)
            self._changed.notify_all()
            return not self._stopped
