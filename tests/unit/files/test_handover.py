"""Pieces from one thread to another: in order, few at a time, and whatever ends it ends both."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from azext_acrartifact.files.handover import HELD, hand_over

LIMIT = 60.0


def refuse_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a system does that has none left."""

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)


def test_all_pieces_come_in_order() -> None:
    assert hand_over(range(1000), list) == list(range(1000))


def test_both_work_at_once() -> None:
    """Each waits for the other, which without a second thread would never end."""
    made, used = threading.Event(), threading.Event()

    def pieces() -> Iterator[int]:
        yield 1
        assert used.wait(LIMIT)
        made.set()
        yield 2

    def use(found: Iterator[int]) -> list[int]:
        first = next(found)
        used.set()
        assert made.wait(LIMIT)
        return [first, *found]

    assert hand_over(pieces(), use) == [1, 2]


def test_few_pieces_wait() -> None:
    made = []
    stuck = threading.Event()

    def pieces() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == HELD + 1:
                stuck.set()
            yield number

    def use(found: Iterator[int]) -> int:
        first = next(found)
        assert stuck.wait(LIMIT)
        # One used, some held, and one in the hand of who makes them.
        assert len(made) == HELD + 2
        return first + len(list(found))

    assert hand_over(pieces(), use) == 99


def test_without_threads_it_goes_on_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_threads(monkeypatch)
    assert hand_over(range(10), list) == list(range(10))


def test_an_error_of_who_uses_them_ends_the_making() -> None:
    made = []

    def pieces() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    def use(found: Iterator[int]) -> None:
        next(found)
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        hand_over(pieces(), use)
    assert len(made) <= HELD + 2


def broken() -> Iterator[int]:
    """Two pieces, and then no more."""
    yield 1
    yield 2
    raise OSError("the line broke")


def test_an_error_of_who_makes_them_ends_the_use() -> None:
    seen = []
    with pytest.raises(OSError, match="the line broke"):
        hand_over(broken(), lambda found: seen.extend(found))
    assert seen == [1, 2]
    assert not [thread for thread in threading.enumerate() if thread.name == "acrartifact-handover"]


def test_an_error_about_an_earlier_piece_goes_first() -> None:
    def use(found: Iterator[int]) -> None:
        for number in found:
            if number == 2:
                raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        hand_over(broken(), use)


def test_what_broke_is_not_taken_for_the_end() -> None:
    def use(found: Iterator[int]) -> list[int]:
        seen = []
        try:
            seen.extend(found)
        except OSError:
            pass
        return seen

    with pytest.raises(OSError, match="the line broke"):
        hand_over(broken(), use)
