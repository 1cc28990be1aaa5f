"""What a rule does to a body while it passes: pauses, breaks, a wrong byte, a bandwidth cap."""

from __future__ import annotations

import time
from collections.abc import Callable

from acr_emulator.front.faults import Plan, Rule

_SLICES_A_SECOND = 20
_LARGEST_SLICE = 64 * 1024


class Dropped(ConnectionError):
    """The emulator itself broke the connection, as a rule asked."""


class Pacer:
    """Keeps one direction of a connection below a number of bytes a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def pass_bytes(self, count: int, rate: float) -> None:
        """Sleep as long as *count* bytes take at *rate*, less the time that went by anyway."""
        now = time.monotonic()
        self._next = max(now, self._next) + count / rate
        time.sleep(self._next - now)


class Shape:
    """The rules for one body in one direction. *drop* breaks the connection for a `reset` or `cut` rule."""

    def __init__(self, plan: Plan, where: str, pacer: Pacer, drop: Callable[[Rule], None]) -> None:
        self._events = sorted(plan.of("reset", "cut", "stall", where=where), key=lambda rule: rule.after)
        self._corrupt = [rule.offset for rule in plan.of("corrupt")] if where == "response" else []
        cap = plan.first("bandwidth")
        self._rate = cap.rate if cap is not None and cap.rate > 0 else None
        self._pacer = pacer
        self._drop = drop
        self._passed = 0
        self._fire()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do, so that bytes may pass unseen."""
        return not self._events and not self._corrupt and self._rate is None

    def room(self, wanted: int) -> int:
        """How many of *wanted* bytes may pass at once."""
        if self._events:
            wanted = min(wanted, self._events[0].after - self._passed)
        if self._rate is not None:
            wanted = min(wanted, _LARGEST_SLICE, max(1, int(self._rate / _SLICES_A_SECOND)))
        return wanted

    def altered(self, block: memoryview) -> memoryview | bytearray:
        """*block*, which passes next, with one bit flipped at every offset that a `corrupt` rule names."""
        hit = [at - self._passed for at in self._corrupt if 0 <= at - self._passed < len(block)]
        if not hit:
            return block
        changed = bytearray(block)
        for index in hit:
            changed[index] ^= 0x01
        return changed

    def advance(self, count: int) -> None:
        """*count* bytes have passed: pause or break as the rules say. Raises `Dropped`."""
        self._passed += count
        if self._rate is not None:
            self._pacer.pass_bytes(count, self._rate)
        self._fire()

    def _fire(self) -> None:
        while self._events and self._events[0].after <= self._passed:
            rule = self._events.pop(0)
            if rule.action == "stall":
                time.sleep(rule.seconds)
            else:
                self._drop(rule)
