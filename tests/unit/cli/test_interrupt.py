"""Interrupts: their exit codes and what they say."""

from __future__ import annotations

import signal

import pytest

from azext_acrartifact.cli.interrupt import InterruptError, interruptible


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_each_signal_has_its_exit_code(number: signal.Signals, code: int) -> None:
    with pytest.raises(InterruptError) as caught, interruptible("nothing was sent"):
        signal.raise_signal(number)
    assert (caught.value.exit_code, caught.value.message) == (code, "Stopped: nothing was sent")


def test_the_handler_of_before_is_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
