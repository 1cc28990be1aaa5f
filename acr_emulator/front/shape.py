"""The effects of fault rules on a body in transit: pauses, breaks, a corrupt byte, a bandwidth limit."""

from __future__ import annotations

import time
from collections.abc import Callable

from acr_emulator.front.faults import Plan, Rule

_BLOCKS_A_SECOND = 20
_LARGEST_BLOCK = 64 * 1024


class Dropped(ConnectionError):
    """The emulator broke the connection, because of a rule."""


class RateLimiter:
    """Limit one direction of a connection to a number of bytes a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def pass_bytes(self, count: int, rate: float) -> None:
        """Sleep until *count* more bytes fit into *rate*."""
        now = time.monotonic()
        self._next = max(now, self._next) + count / rate
        time.sleep(self._next - now)


class Shape:
    """The rules for one body in one direction. *drop* breaks the connection for a `reset` or `cut` rule."""

    def __init__(self, plan: Plan, where: str, limiter: RateLimiter, drop: Callable[[Rule], None]) -> None:
        self._events = sorted(plan.of("reset", "cut", "stall", where=where), key=lambda rule: rule.after)
        self._corrupt = [rule.offset for rule in plan.of("corrupt")] if where == "response" else []
        cap = plan.first("bandwidth")
        self._rate = cap.rate if cap is not None and cap.rate > 0 else None
        self._limiter = limiter
        self._drop = drop
        self._passed = 0
        self._fire()

    @property
    def idle(self) -> bool:
        """Whether no rule is left, so that bytes can pass unchecked."""
        return not self._events and not self._corrupt and self._rate is None

    def room(self, wanted: int) -> int:
        """Return how many of *wanted* bytes may pass at once."""
        if self._events:
            wanted = min(wanted, self._events[0].after - self._passed)
        if self._rate is not None:
            wanted = min(wanted, _LARGEST_BLOCK, max(1, int(self._rate / _BLOCKS_A_SECOND)))
        return wanted

    def altered(self, block: memoryview) -> memoryview | bytearray:
        """Return the next *block*, with a bit flipped at the offset of every `corrupt` rule."""
        hit = [at - self._passed for at in self._corrupt if 0 <= at - self._passed < len(block)]
        if not hit:
            return block
        changed = bytearray(block)
        for index in hit:
            changed[index] ^= 0x01
        return changed

    def advance(self, count: int) -> None:
        """Note that *count* bytes have passed, and pause or break; raise `Dropped`."""
        self._passed += count
        if self._rate is not None:
            self._limiter.pass_bytes(count, self._rate)
        self._fire()

    def _fire(self) -> None:
        while self._events and self._events[0].after <= self._passed:
            rule = self._events.pop(0)
            if rule.action == "stall":
                time.sleep(rule.seconds)
            else:
                self._drop(rule)
