"""A bounded queue between a thread that produces items and one that consumes them, so that neither waits for the other.

`prefetch` produces in a new thread: packing runs while packed blocks are sent. `consume_in_thread` consumes in one:
inflating runs beside the download.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from ..threads import try_start

QUEUE_SIZE = 2
"""Items that wait for `consume_in_thread`'s consumer."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def prefetch(items: Iterable[_Item], size: int) -> Iterator[_Item]:
    """Yield *items*, up to *size* of them produced before they are asked for. An error of *items* is raised after the
    items before it.

    Closing the iterator waits for the thread, which stops after the item that it is producing.
    """
    queue: _BoundedQueue[_Item] = _BoundedQueue(size)
    thread = threading.Thread(target=queue.fill, args=(items,), name="acrartifact-prefetch", daemon=True)
    if not try_start(thread):
        yield from items
        return
    try:
        yield from queue
    finally:
        queue.close()
        thread.join()


def consume_in_thread(items: Iterable[_Item], consume: Callable[[Iterator[_Item]], _Result]) -> _Result:
    """Return what *consume* makes of *items*, which are produced here while it runs in a new thread.

    Returns or raises when both have ended. An error of *consume* wins over one of *items*: it is about an earlier
    item. *consume* must wait for nothing but its next item.
    """
    queue: _BoundedQueue[_Item] = _BoundedQueue(QUEUE_SIZE)
    result: Future[_Result] = Future()

    def run() -> None:
        try:
            result.set_result(consume(iter(queue)))
        except BaseException as error:  # pylint: disable=broad-except  # raised in the calling thread
            result.set_exception(error)
        queue.close()

    thread = threading.Thread(target=run, name="acrartifact-consumer", daemon=True)
    if not try_start(thread):
        return consume(iter(items))
    queue.fill(items)
    thread.join()
    if result.exception() is None and queue.error is not None:
        raise queue.error
    return result.result()


class _BoundedQueue(Generic[_Item]):
    """At most *size* items, put in by one thread and taken out by another."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._items: deque[_Item] = deque()
        self._ended = self._closed = False
        self.error: BaseException | None = None
        """The error that ended the producer early."""

    def fill(self, items: Iterable[_Item]) -> None:
        """Put in all *items*, waiting for room, until the queue is closed. The consumer gets the error of *items*."""
        try:
            for item in items:
                if not self._put(item):
                    break
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[_Item]:
        """Yield the items in order, then raise the producer's error if there is one."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or bool(self._items))
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Stop the producer: no more items are wanted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _put(self, item: _Item) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._size)
            self._items.append(item)
            self._changed.notify_all()
            return not self._closed
