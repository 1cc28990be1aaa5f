"""Decide whether and when a request is repeated.

This module repeats a request as it was. `transfer` decides where a transfer resumes after a failure.
"""

from __future__ import annotations

import email.utils
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ArtifactError, CancelledError, NotListeningError, StalledError
from ..threads import require_running
from .connection_errors import may_pass
from .messages import Response

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_RETRY_AFTER = 120.0
NOT_LISTENING_BUDGET = 4.0
"""Seconds to wait for a server that refuses connections: it restarts soon, or not at all."""
LONGEST_WAIT = 999_999_999.0
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?")

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Policy:
    """The limits of retries: *tries* in all, with waits that double from *first_wait* to *longest_wait* seconds, which
    take at most *budget* together. Half of each wait is random, so that many clients do not return at once.

    A stall has already cost its timeout, so that it is followed by only *stalls* more tries. The count starts again
    after *headway* bytes, not after any: a server that sends one byte a try would be asked for ever.
    """

    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 8.0
    budget: float = 300.0
    stalls: int = 1
    headway: int = 64 * 1024


@dataclass
class Waiter:
    """Waits between tries, passes the reason to *notice*, and wakes at once when *cancelled* is set."""

    notice: Notice = lambda text: None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep for *seconds*; raises `CancelledError` if the command is cancelled before or meanwhile."""
        # Before the notice: then the requests in flight were aborted, and the reason is no news.
        require_running(self.cancelled)
        self.notice(f"Waiting {seconds:.1f} s: {reason}")
        if self.cancelled.wait(seconds):
            raise CancelledError("Stopped", why="the command was cancelled while it waited")


class Attempts:
    """Counts the tries of one request or transfer and decides about the next one."""

    def __init__(self, policy: Policy, waiter: Waiter) -> None:
        self._policy, self._waiter = policy, waiter
        self._made = self._stalls = self._bytes = 0
        self._waited = 0.0

    def again_after_error(self, error: ArtifactError) -> bool:
        """Wait and return True if *error* may pass and tries are left."""
        self._stalls += isinstance(error, StalledError)
        if self._stalls > self._policy.stalls:
            return False
        budget = NOT_LISTENING_BUDGET if isinstance(error, NotListeningError) else self._policy.budget
        if not may_pass(error) or not self._spend(pause := self._pause(), budget):
            return False
        self._waiter.wait(pause, error.why or error.what)
        return True

    def again_after_response(self, response: Response) -> bool:
        """Close *response*, wait and return True if its status may pass and tries are left. `Retry-After` is obeyed up
        to two minutes; if it is longer, the response is final and the error says for how long."""
        if response.status not in RETRY_STATUSES:
            return False
        asked = retry_after(response)
        if asked is not None and asked > LONGEST_RETRY_AFTER:
            return False
        pause = self._pause() if asked is None else asked + random.uniform(0, 0.1)
        if not self._spend(pause, self._policy.budget):
            return False
        response.close()
        self._waiter.wait(pause, f"the server responded {response.status}")
        return True

    def again(self, reason: str) -> bool:
        """Wait for *reason* and return True if tries are left."""
        pause = self._pause()
        if not self._spend(pause, self._policy.budget):
            return False
        self._waiter.wait(pause, reason)
        return True

    def progressed(self, size: int) -> None:
        """Account for *size* bytes received; once there are `Policy.headway`, start the count of tries again."""
        self._bytes += size
        if self._bytes >= self._policy.headway:
            self._made = self._stalls = self._bytes = 0

    def restarted(self) -> None:
        """Start the count of tries again, for a restart that the caller limits. Stalls count on: they cost time."""
        self._made = 0

    def _pause(self) -> float:
        longest = min(self._policy.longest_wait, self._policy.first_wait * 2.0**self._made)
        return longest / 2 + random.uniform(0, longest / 2)

    def _spend(self, seconds: float, budget: float) -> bool:
        """Account for one more try after a wait of *seconds*; return whether it is left."""
        self._made += 1
        self._waited += seconds
        return self._made < self._policy.tries and self._waited <= budget


def retry_after(response: Response) -> float | None:
    """Return the seconds in `Retry-After`, a number or a date; None without one. RFC 9110 §10.2.3 knows only whole
    seconds, but rate limiters in front of registries count in fractions."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text[:20]), LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, moment - time.time())
