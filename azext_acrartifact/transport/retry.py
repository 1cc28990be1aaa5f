"""Whether a request is repeated, and when.

Retry and resume are different questions: this module repeats a request that can be repeated as it is; where
a transfer goes on after a break is decided by `transfer`.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ArtifactError, CancelledError, NotListeningError, SilentError
from .connection_errors import passes
from .messages import Response

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_RETRY_AFTER = 120.0
NOT_LISTENING_BUDGET = 4.0
"""Seconds of waiting for a server that refuses connections: it restarts soon, or not at all."""

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Policy:
    """*tries* in all, with waits that double from *first_wait* to *longest_wait* seconds, half of each drawn
    by chance so that many clients do not come back at once; *budget* bounds the waits' sum in seconds.

    Silence has cost its time already: it is met with *silences* more tries. *headway* is how many bytes it takes to
    begin counting afresh: a server that gives one byte a try would otherwise be asked for ever.
    """

    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 8.0
    budget: float = 300.0
    silences: int = 1
    headway: int = 64 * 1024


@dataclass
class Waiter:
    """Waits between tries, tells *notice* why, and wakes at once when *cancelled* is set."""

    notice: Notice = lambda text: None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep for *seconds*; raises `CancelledError` when the work is given up meanwhile."""
        self.notice(f"Waiting {seconds:.1f} s: {reason}")
        if self.cancelled.wait(seconds):
            raise CancelledError("Stopped", why="the command was cancelled while it waited")


class Attempts:
    """Counts the tries of one piece of work and decides about the next one."""

    def __init__(self, policy: Policy, waiter: Waiter) -> None:
        self._policy, self._waiter = policy, waiter
        self._made = self._silences = self._bytes = 0
        self._waited = 0.0

    def again_after_error(self, error: ArtifactError) -> bool:
        """Wait and return True when *error* may pass and tries are left."""
        self._silences += isinstance(error, SilentError)
        if self._silences > self._policy.silences:
            return False
        budget = NOT_LISTENING_BUDGET if isinstance(error, NotListeningError) else self._policy.budget
        if not passes(error) or not self._spend(pause := self._pause(), budget):
            return False
        self._waiter.wait(pause, error.why or error.what)
        return True

    def again_after_answer(self, response: Response) -> bool:
        """Close *response*, wait and return True when it asks to come back and tries are left. A `Retry-After` is
        honoured in full up to two minutes; above that the answer stands, and the error names the number."""
        if response.status not in RETRY_STATUSES:
            return False
        asked = retry_after(response)
        if asked is not None and asked > LONGEST_RETRY_AFTER:
            return False
        pause = self._pause() if asked is None else asked + random.uniform(0, 0.1)
        if not self._spend(pause, self._policy.budget):
            return False
        response.close()
        self._waiter.wait(pause, f"the server answered {response.status}")
        return True

    def progressed(self, size: int) -> None:
        """Account for *size* bytes that have come; once they are worth it, start counting afresh."""
        self._bytes += size
        if self._bytes >= self._policy.headway:
            self._made = self._silences = self._bytes = 0

    def _pause(self) -> float:
        longest = min(self._policy.longest_wait, self._policy.first_wait * 2.0**self._made)
        return longest / 2 + random.uniform(0, longest / 2)

    def _spend(self, seconds: float, budget: float) -> bool:
        """Account for one more try after a wait of *seconds*; False when there is none left."""
        self._made += 1
        self._waited += seconds
        return self._made < self._policy.tries and self._waited <= budget


def retry_after(response: Response) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or a date (RFC 9110 §10.2.3); None without one."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, moment - time.time())
