"""Progress for a person at a terminal, on standard error, drawn at most ten times a second."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import deque
from threading import Condition, Thread
from typing import TextIO

from knack.log import get_logger

from ...oci.descriptor import Descriptor
from ...oci.digest import short
from ...text import printable
from ...threads import try_start
from ...transfer.progress import Progress
from ..context import CommandContext
from .progress_bar import Bar, file_line, fit, rows, total_line
from .streams import plain

REDRAW = 0.1
MOST_BARS = 8
RATE_OVER = 5.0
"""Seconds over which the rate is measured."""
JUMP = 32 * 1024 * 1024
"""Bytes that no network moves at once: a larger advance is content of an earlier run, and no part of the rate."""
_logger = get_logger(__name__)


def progress_for(cmd: CommandContext) -> Progress:
    """Return lines and bars for a terminal, otherwise log lines, if any log shows them. Close it at the end.

    A pipeline may fail on any text on standard error, so without a terminal there is none.
    """
    quiet = (
        cmd.only_show_errors
        or not sys.stderr.isatty()
        or cmd.is_on("core", "disable_progress_bar")
        or {"--verbose", "--debug"} & cmd.options
    )
    if not quiet:
        return TerminalProgress(sys.stderr, os.environ.get("TERM") != "dumb")
    return LoggedProgress() if _is_logged() else Progress()


def _is_logged() -> bool:
    """Return whether any handler takes log lines. Azure CLI sets the level of handlers, and none of its loggers'."""
    logger: logging.Logger | None = _logger
    while logger is not None:
        if any(handler.level <= logging.INFO for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


class LoggedProgress(Progress):
    """Progress as log lines, which `--verbose` shows."""

    def started(self, blob: Descriptor, verb: str) -> None:
        """Log *verb* and the name of *blob*."""
        _logger.info("%s", _event(blob, verb))

    finished = started

    def note(self, text: str) -> None:
        """Log *text*."""
        _logger.info("%s", printable(text))


class TerminalProgress(Progress):
    """A line for each finished file, and below them bars for the files in progress and for all bytes.

    Events only change numbers; one *thread* draws. There are no bars if it cannot be started, or if the terminal cannot
    move its cursor (*moving* is False). The remaining time is shown after *estimate_after* seconds.
    """

    def __init__(
        self, stream: TextIO, moving: bool = True, *, estimate_after: float = 1.0, thread: type[Thread] = Thread
    ) -> None:
        self._stream, self._moving, self._estimate_after = stream, moving, estimate_after
        self._thread_type = thread
        self._changed = Condition()
        self._thread: Thread | None = None
        self._closed = False
        self._lines: list[str] = []
        self._bars: dict[str, Bar] = {}
        self._drawn: list[str] = []
        self._total = self._moved = 0
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def expect(self, size: int) -> None:
        """Add *size* to the total."""
        with self._changed:
            self._total += size

    def started(self, blob: Descriptor, verb: str) -> None:
        """Add a bar."""
        with self._changed:
            if not self._bars and not self._moved:
                self._samples = deque([(time.monotonic(), 0)])
            self._bars[_name(blob)] = Bar(_name(blob), verb, blob.size)
            self._wake()

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Move the bars by *size*, which may be negative."""
        with self._changed:
            self._moved += size
            if size > JUMP:
                self._samples = deque((when, moved + size) for when, moved in self._samples)
            one = self._bars.get(_name(blob))
            if one:
                one.moved += size
            self._wake()

    def finished(self, blob: Descriptor, verb: str) -> None:
        """Replace the bar by a line."""
        with self._changed:
            one = self._bars.pop(_name(blob), None)
            if one:
                self._moved += one.size - one.moved
            self._lines.append(_event(blob, verb))
            self._wake()

    def note(self, text: str) -> None:
        """Add a line."""
        with self._changed:
            self._lines.append(printable(text))
            self._wake()

    def close(self) -> None:
        """Draw the last lines and remove the bars."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        # A thread whose start was interrupted may never run, and cannot be joined.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(1)

    def _wake(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = self._thread_type(target=self._draw_all, name="acrartifact-progress", daemon=True)
            if not try_start(self._thread):
                self._thread = None
                self._write(self._frame(True))

    def _draw_all(self) -> None:
        while True:
            with self._changed:
                closed = self._changed.wait_for(lambda: self._closed, REDRAW)
                text = self._frame(closed)
            self._write(text)
            if closed:
                return

    def _write(self, text: str) -> None:
        if text:
            self._stream.write(plain(text, self._stream))
            self._stream.flush()

    def _frame(self, last: bool) -> str:
        """Return the text to write: it erases the drawn bars, and adds the new lines and the present bars."""
        columns, height = _size(self._stream)
        lines, self._lines = self._lines, []
        bars = [] if last or not self._moving else self._bar_lines(columns, height)
        if not lines and bars == self._drawn:
            return ""
        # A terminal that became narrower has wrapped the bars, so there are more rows to erase. They are erased one by
        # one, since some terminals move an erased screen into their scrollback.
        back = "\r\x1b[K" + "\x1b[A\x1b[K" * (rows(self._drawn, columns) - 1) if self._drawn else ""
        self._drawn = bars
        return back + "".join(f"{line}\n" for line in lines) + "\n".join(bars)

    def _bar_lines(self, columns: int, height: int) -> list[str]:
        if not self._bars:
            return []
        shown = sorted(self._bars.values(), key=lambda one: -one.size)[: max(0, min(MOST_BARS, height - 3))]
        rate, over = self._rate()
        hidden = len(self._bars) - len(shown)
        total = total_line(self._moved, self._total, rate, hidden, columns, estimate=over >= self._estimate_after)
        return [*(file_line(one, columns) for one in shown), fit(total, columns - 1)]

    def _rate(self) -> tuple[float, float]:
        """Return the bytes per second of the last seconds, and the number of these seconds."""
        now = time.monotonic()
        self._samples.append((now, self._moved))
        while len(self._samples) > 2 and self._samples[1][0] < now - RATE_OVER:
            self._samples.popleft()
        since, moved = self._samples[0]
        return max(0.0, (self._moved - moved) / max(now - since, REDRAW)), now - since


def _size(stream: TextIO) -> tuple[int, int]:
    """Return the columns and rows of the terminal on *stream*."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


def _event(blob: Descriptor, verb: str) -> str:
    name, digest = _name(blob), short(blob.digest)
    return " ".join(part for part in (f"{verb:11}", "" if digest in name else digest, name) if part)


def _name(blob: Descriptor) -> str:
    return printable(blob.name)
