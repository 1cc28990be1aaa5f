"""The limits of one transfer, in one place.

A server may accept a chunk and then forget it, or break every download a little later. Each request then makes
progress, and the transfer none. Therefore only bytes beyond the highest point so far count as progress, and the bytes
that are sent or fetched are limited by the blob's size.
"""

from __future__ import annotations

import threading

from ..errors import ArtifactError, ConnectionFailedError
from ..transport.messages import Response
from ..transport.retry import Attempts

MOST_TIMES = 3
"""How many times its size a blob may cost since the last progress, in addition to one chunk."""
MOST_TIMES_IN_ALL = 32
"""How many times its size a blob may cost, whatever progress it makes."""
MOST_RESTARTS = 3
"""Restarts in a row without a confirmed byte beyond the highest point so far."""
MOST_LOST_SESSIONS = 7
"""The same after upload sessions that were lost. When each eighth response is lost, a blob of four chunks loses one
session in three: after three restarts, one push of 16 such blobs in ten would be given up."""
_HINT = (
    "Run the command again: it resumes where it can. If it stops again, check the proxy, or ask the registry's owner "
    "why it loses data."
)


class TransferBudget:
    """The bytes that the transfer of one blob may cost: `MOST_TIMES` its *size* and *spare*, anew after each *spare*
    bytes that are confirmed beyond the highest point so far. *verb* as in `sent`. All threads of the transfer share it.

    An upload whose sessions are lost, each later than the one before, gets to its end in that way. A server that only
    confirms a little more each time does not renew the budget before it is spent.
    """

    def __init__(self, verb: str, spare: int, size: int, where: str = "") -> None:
        self.size = size
        """The size of the blob, or as much of it as is known."""
        self.where = where
        """The name or digest of the blob, for errors; empty while it is not known."""
        self._verb, self._spare = verb, spare
        self._spent = self._spent_before = self._highest = self._returned = 0
        self._lock = threading.Lock()

    def spend(self, count: int) -> None:
        """Account for *count* bytes that were sent or fetched."""
        with self._lock:
            self._spent += count

    def confirmed(self, position: int) -> None:
        """Account for the bytes before *position*, all of which have arrived."""
        with self._lock:
            if position >= self._highest + self._spare:
                self._highest, self._spent_before, self._returned = position, self._spent, 0

    def returned(self, count: int) -> None:
        """Allow *count* more bytes, since the receiver lost them and asks for them again."""
        with self._lock:
            self._returned += count

    def require(self, count: int) -> None:
        """Raise `ConnectionFailedError` unless *count* more bytes are within the budget. Call it before a request."""
        with self._lock:
            now = self._spent - self._spent_before + count - self._returned
            in_all = self._spent + count
        if now > MOST_TIMES * self.size + self._spare or in_all > MOST_TIMES_IN_ALL * self.size + self._spare:
            raise ConnectionFailedError(
                "The transfer does not get to its end", where=self.where, why=self.figures, hint=_HINT
            )

    def explain(self, error: ArtifactError) -> ArtifactError:
        """Add to *error* what the transfer has cost, unless it says so."""
        if self.figures not in error.why:
            error.why = "; ".join(filter(None, (error.why, self.figures)))
            error.args = (error.message,)
        return error

    @property
    def figures(self) -> str:
        """The bytes that the transfer has cost."""
        return f"{self._verb} {self._spent:,} bytes for a blob of {self.size:,}"


class Tries:
    """The tries and restarts of a run of bytes from *start* on. Only bytes beyond the highest point renew them."""

    def __init__(self, attempts: Attempts, start: int = 0) -> None:
        self.highest = start
        """The bytes that have arrived, at the highest point so far."""
        self._attempts = attempts
        self._restarts = 0

    def confirmed(self, position: int) -> None:
        """Account for the bytes before *position*, all of which have arrived."""
        if position > self.highest:
            self._attempts.progressed(position - self.highest)
            self.highest, self._restarts = position, 0

    def may_restart(self, most: int = MOST_RESTARTS) -> bool:
        """Account for one more restart, whose tries are counted anew; return whether *most* allow it."""
        self._restarts += 1
        self._attempts.restarted()
        return self._restarts <= most

    def again_after_error(self, error: ArtifactError) -> bool:
        """Wait and return True if *error* may pass and tries are left."""
        return self._attempts.again_after_error(error)

    def again_after_response(self, response: Response) -> bool:
        """Close *response*, wait and return True if its status may pass and tries are left."""
        return self._attempts.again_after_response(response)
