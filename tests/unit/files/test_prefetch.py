"""Items between two threads: in order, few at a time, and an error in either thread ends both."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from azext_acrartifact.files.prefetch import QUEUE_SIZE, consume_in_thread, prefetch

TIMEOUT = 60.0


def broken() -> Iterator[int]:
    """Yield two items, then fail."""
    yield 1
    yield 2
    raise OSError("connection reset")


def test_all_items_arrive_in_order() -> None:
    assert list(prefetch(iter(range(1000)), 3)) == list(range(1000))
    assert not list(prefetch(iter(()), 1))
    assert consume_in_thread(range(1000), list) == list(range(1000))


def test_some_items_are_produced_before_they_are_asked_for() -> None:
    produced, full = [], threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            produced.append(number)
            if number == 4:
                full.set()
            yield number

    ahead = prefetch(items(), 3)
    assert next(ahead) == 0
    assert full.wait(TIMEOUT)  # one was taken, three are in the queue, one waits for room
    assert next(ahead) == 1
    ahead.close()
    assert len(produced) <= 6


def test_an_error_comes_after_the_items_before_it() -> None:
    ahead = prefetch(broken(), 5)
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(OSError, match="connection reset"):
        next(ahead)


def test_closing_ends_the_thread() -> None:
    def items() -> Iterator[int]:
        while True:
            yield 1

    before = threading.active_count()
    ahead = prefetch(items(), 2)
    assert next(ahead) == 1
    assert threading.active_count() == before + 1
    ahead.close()
    assert threading.active_count() == before


@pytest.mark.usefixtures("no_threads")
def test_without_threads_the_items_are_produced_when_they_are_asked_for() -> None:
    assert list(prefetch(iter(range(5)), 2)) == [0, 1, 2, 3, 4]
    assert consume_in_thread(range(10), list) == list(range(10))


def test_producer_and_consumer_run_at_once() -> None:
    """Let each wait for the other, which would never end in one thread."""
    produced, consumed = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert consumed.wait(TIMEOUT)
        produced.set()
        yield 2

    def consume(found: Iterator[int]) -> list[int]:
        first = next(found)
        consumed.set()
        assert produced.wait(TIMEOUT)
        return [first, *found]

    assert consume_in_thread(items(), consume) == [1, 2]


def test_the_queue_is_bounded() -> None:
    produced, stuck = [], threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            produced.append(number)
            if number == QUEUE_SIZE + 1:
                stuck.set()
            yield number

    def consume(found: Iterator[int]) -> int:
        first = next(found)
        assert stuck.wait(TIMEOUT)
        assert len(produced) == QUEUE_SIZE + 2, "one is consumed, the queue is full, and one waits for room"
        return first + len(list(found))

    assert consume_in_thread(items(), consume) == 99


def test_an_error_of_the_consumer_ends_the_producer() -> None:
    produced = []

    def items() -> Iterator[int]:
        for number in range(1000):
            produced.append(number)
            yield number

    def consume(found: Iterator[int]) -> None:
        next(found)
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        consume_in_thread(items(), consume)
    assert len(produced) <= QUEUE_SIZE + 2


def test_an_error_of_the_producer_ends_the_consumer() -> None:
    seen = []
    before = threading.active_count()
    with pytest.raises(OSError, match="connection reset"):
        consume_in_thread(broken(), lambda found: seen.extend(found))
    assert seen == [1, 2]
    assert threading.active_count() == before


def test_the_error_about_the_earlier_item_wins() -> None:
    def consume(found: Iterator[int]) -> None:
        for number in found:
            if number == 2:
                raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        consume_in_thread(broken(), consume)


def test_a_consumer_cannot_take_an_error_for_the_end() -> None:
    def consume(found: Iterator[int]) -> list[int]:
        seen = []
        try:
            seen.extend(found)
        except OSError:
            pass
        return seen

    with pytest.raises(OSError, match="connection reset"):
        consume_in_thread(broken(), consume)
