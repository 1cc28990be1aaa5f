"""All connections share one rate, and nothing waits once the command is cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.rate_cap import LONGEST_CREDIT, RateCap
from tests.support.server import ScriptedServer, respond
from tests.support.threads import run_all

MEGABIT = 125_000


class Clock(threading.Event):
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return True


@pytest.mark.parametrize("megabits", [0.5, 8, 1000])
@pytest.mark.parametrize("block", [1, 16_384, 1 << 20])
def test_bytes_take_their_time(megabits: float, block: int) -> None:
    clock = Clock()
    cap = RateCap(megabits, clock, clock)
    for _ in range(100):
        cap.passed(block)
    assert clock.now - 100 == pytest.approx(100 * block / (megabits * MEGABIT))


def test_a_pause_earns_no_burst() -> None:
    clock = Clock()
    cap = RateCap(8, clock, clock)
    clock.now += 60
    cap.passed(8 * MEGABIT)
    assert clock.now == pytest.approx(161 - LONGEST_CREDIT)


def test_threads_share_the_rate() -> None:
    cap, began = RateCap(16, threading.Event()), time.monotonic()
    run_all([lambda: [cap.passed(10_000) for _ in range(25)]] * 8)
    assert time.monotonic() - began > 0.95 - LONGEST_CREDIT


def test_a_cancelled_command_does_not_wait() -> None:
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    began = time.monotonic()
    RateCap(0.001, cancelled).passed(1 << 20)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("sent", "received"), [(400_000, 0), (0, 400_000), (200_000, 200_000)])
def test_requests_and_responses_count(serve: Callable[..., ScriptedServer], sent: int, received: int) -> None:
    clock = Clock()
    client = HttpClient(Network("unit/1", cap=RateCap(8, clock, clock)))
    server = serve(*[respond(200, bytes(received))] * 3)
    for _ in range(3):
        client.send(Request("PUT", server.url + "/", body=bytes(sent), bulk=True)).content(received)
    client.close()
    assert clock.now - 100 == pytest.approx(1.2, rel=0.01)
