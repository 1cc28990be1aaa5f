"""Which requests are tried again, how often, and after which waits."""

from __future__ import annotations

import email.utils
import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.transport.messages import Request, Response
from azext_acrartifact.transport.retry import Attempts, Policy, Waiter, retry_after
from tests.unit.transport.doubles import response_to


class Recorder(Waiter):
    """Records the waits instead of taking them."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float, reason: str) -> None:
        self.waits.append(seconds)


def response(status: int, after: str | None = None) -> Response:
    headers = {"Retry_After": after} if after is not None else {}
    return response_to(Request("GET", "https://h.example/"), status, **headers)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None), ("", None), ("  ", None), ("0", 0.0), ("7", 7.0), (" 12 ", 12.0), ("-5", None), ("0.5", 0.5),
        ("1.", 1.0), (".5", None), ("1.5.2", None), ("1e3", None), ("soon", None), ("٣", None),
        ("9" * 400, 999_999_999.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Foo 2015", None), ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_in_every_spelling(text: str | None, seconds: float | None) -> None:
    assert retry_after(response(429, text)) == seconds


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Za-z]{3}, [0-9]{1,3} [A-Za-z]{3} [0-9]{1,6} [0-9:]{0,9} [-+A-Z0-9]{0,7}")
)
def test_any_retry_after_is_a_finite_wait_or_none(text: str) -> None:
    found = retry_after(response(429, text))
    assert found is None or (found >= 0 and math.isfinite(found))


@given(st.integers(0, 10**9 - 1))
def test_every_number_of_seconds_is_read(seconds: int) -> None:
    assert retry_after(response(429, str(seconds))) == seconds


def test_retry_after_as_a_date_counts_from_now() -> None:
    found = retry_after(response(429, email.utils.formatdate(time.time() + 60, usegmt=True)))
    assert found is not None
    assert 30 < found <= 60


def test_waits_double_up_to_a_limit_and_are_half_random() -> None:
    for _ in range(20):
        waiter = Recorder()
        attempts = Attempts(Policy(tries=6, first_wait=0.5, longest_wait=2.0), waiter)
        broken = errors.ConnectionFailedError("It broke")
        assert [attempts.again_after_error(broken) for _ in range(6)] == [True] * 5 + [False]
        for wait, most in zip(waiter.waits, [0.5, 1.0, 2.0, 2.0, 2.0], strict=True):
            assert most / 2 <= wait <= most


def test_a_server_that_does_not_listen_gets_little_time() -> None:
    waiter = Recorder()
    attempts = Attempts(Policy(), waiter)
    while attempts.again_after_error(errors.NotListeningError("Nothing listens")):
        pass
    assert len(waiter.waits) >= 2
    assert sum(waiter.waits) <= 4.0


def test_waits_are_bounded_in_sum_whatever_progress_is_made() -> None:
    waiter = Recorder()
    attempts = Attempts(Policy(tries=3, first_wait=2.0, longest_wait=2.0, budget=10.0), waiter)
    tries = 0
    while attempts.again_after_error(errors.ConnectionFailedError("It broke")) and tries < 1000:
        attempts.progressed(1 << 30)
        tries += 1
    assert 5 <= tries <= 10
    assert sum(waiter.waits) <= 10.0


def test_a_byte_a_try_does_not_reset_the_count() -> None:
    attempts = Attempts(Policy(tries=3, headway=1000), Recorder())
    tries = 0
    while attempts.again_after_error(errors.ConnectionFailedError("It broke")):
        attempts.progressed(1)
        tries += 1
    assert tries == 2
    attempts = Attempts(Policy(tries=3, headway=1000), Recorder())
    assert attempts.again_after_error(errors.ConnectionFailedError("It broke"))
    for _ in range(4):
        attempts.progressed(500)
        assert attempts.again_after_error(errors.ConnectionFailedError("It broke"))


def test_a_stall_is_tried_once_more_until_there_is_headway() -> None:
    attempts = Attempts(Policy(headway=1000), Recorder())
    assert attempts.again_after_error(errors.StalledError("It stalled"))
    attempts.progressed(999)
    assert not attempts.again_after_error(errors.StalledError("It stalled"))
    attempts.progressed(1)
    assert attempts.again_after_error(errors.StalledError("It stalled"))


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (errors.ConnectionFailedError("x"), True), (errors.TlsError("x"), False),
        (errors.UnresolvedHostError("x"), False), (errors.ProxyError("x"), False), (errors.ProtocolError("x"), False),
    ],
)  # fmt: skip
def test_a_lasting_error_is_not_tried_again(error, again: bool) -> None:
    assert Attempts(Policy(), Recorder()).again_after_error(error) is again


@pytest.mark.parametrize("status", [200, 201, 307, 400, 401, 403, 404, 405, 409, 413, 416, 501])
def test_a_final_status_is_not_tried_again(status: int) -> None:
    assert not Attempts(Policy(), Recorder()).again_after_response(response(status, "0"))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_retry_after_is_honoured_in_full_up_to_two_minutes(status: int) -> None:
    waiter = Recorder()
    attempts = Attempts(Policy(), waiter)
    assert attempts.again_after_response(response(status, "120"))
    assert 120.0 <= waiter.waits[0] <= 120.1
    assert not attempts.again_after_response(response(status, "121"))
    assert not attempts.again_after_response(response(status, "9" * 50))
    assert attempts.again_after_response(response(status, "-1"))
    assert waiter.waits[1] < 10


def test_a_cancelled_wait_ends_at_once() -> None:
    notices: list[str] = []
    waiter = Waiter(notices.append)
    threading.Timer(0.05, waiter.cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(errors.CancelledError):
        waiter.wait(60, "the server is busy")
    assert time.monotonic() - began < 10
    assert notices == ["Waiting 60.0 s: the server is busy"]


def test_a_wait_after_the_cancellation_is_not_announced() -> None:
    notices: list[str] = []
    waiter = Waiter(notices.append)
    waiter.cancelled.set()
    with pytest.raises(errors.CancelledError):
        waiter.wait(60, "the connection ended early")
    assert notices == []
