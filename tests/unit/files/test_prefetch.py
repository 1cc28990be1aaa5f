"""Pieces that are made while others are used."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from azext_acrartifact.files.prefetch import made_ahead

WAIT = 20.0


def test_all_pieces_come_in_their_order() -> None:
    assert list(made_ahead(iter(range(1000)), 3)) == list(range(1000))
    assert not list(made_ahead(iter(()), 1))


def test_pieces_are_made_before_they_are_asked_for_but_not_too_many() -> None:
    made, full = [], threading.Event()

    def pieces() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 4:
                full.set()
            yield number

    ahead = made_ahead(pieces(), 3)
    assert next(ahead) == 0
    assert full.wait(WAIT)  # one was taken, three are held, one waits for room
    assert next(ahead) == 1
    ahead.close()
    assert len(made) <= 6


def test_an_error_comes_after_the_pieces_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("torn")

    ahead = made_ahead(pieces(), 5)
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(OSError, match="torn"):
        next(ahead)


def test_closing_ends_the_thread() -> None:
    def pieces() -> Iterator[int]:
        while True:
            yield 1

    before = threading.active_count()
    ahead = made_ahead(pieces(), 2)
    assert next(ahead) == 1
    assert threading.active_count() == before + 1
    ahead.close()
    assert threading.active_count() == before


def test_a_system_without_threads_to_give_makes_them_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert list(made_ahead(iter(range(5)), 2)) == [0, 1, 2, 3, 4]
