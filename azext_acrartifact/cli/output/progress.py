"""Progress for a person at a terminal, on standard error, drawn at most ten times a second."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from threading import Condition, Thread
from typing import TextIO

from ...oci.descriptor import Descriptor
from ...text import printable
from ...threads import try_start
from ...transfer.progress import Progress
from ..context import CommandContext
from .progress_bar import Bar, differences, file_line, fit_middle, rows, speed_text, total_line
from .progress_log import LoggedProgress, event_line, is_file, is_logged
from .streams import plain

REDRAW = 0.1
MOST_BARS = 8
MOST_LINES = 10
"""Files that get a line each when they are done. Of more, the last few are shown, and the others are counted."""
LAST = 3
SMALL = 64 * 1024
"""Bytes beside one file that need no bar, such as its config."""
RATE_OVER = 5.0
"""Seconds over which the rate is measured."""
JUMP = 32 * 1024 * 1024
"""Bytes that no network moves at once: a larger advance is content of an earlier run, and no part of the rate."""


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
    return LoggedProgress() if is_logged() else Progress()


class TerminalProgress(Progress):
    """A line for each of the first finished files, and below them the last few of many, and bars for the files in
    progress and for all bytes; one file alone has one bar.

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
        self._last: deque[str] = deque(maxlen=LAST)
        self._done = 0
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
            if is_file(blob):
                self._bars[_name(blob)] = Bar(_name(blob), verb, blob.size)
                self._wake()

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Move the bars by *size*, which may be negative."""
        with self._changed:
            if size > JUMP:
                self._jump(size)
            else:
                self._moved += size
            one = self._bars.get(_name(blob))
            if one:
                one.moved += size
            self._wake()

    def finished(self, blob: Descriptor, verb: str) -> None:
        """Replace the bar by a line."""
        with self._changed:
            one = self._bars.pop(_name(blob), None)
            if one:
                self._jump(one.size - one.moved)
            if is_file(blob):
                self._done += 1
                (self._lines if self._done <= MOST_LINES else self._last).append(event_line(blob, verb))
                self._wake()

    def note(self, text: str) -> None:
        """Add a line."""
        with self._changed:
            if not self._bars:
                self._keep_last()
            self._lines.append(printable(text))
            self._wake()

    def close(self) -> None:
        """Draw the last lines and remove the bars."""
        with self._changed:
            self._closed = True
            self._keep_last()
            self._changed.notify_all()
        # A thread whose start was interrupted may never run, and cannot be joined.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(1)

    def _jump(self, size: int) -> None:
        """Count *size* bytes that were not transferred now: they are no part of the rate."""
        self._moved += size
        self._samples = deque((when, moved + size) for when, moved in self._samples)

    def _keep_last(self) -> None:
        """Make lines of the last files, and of the number of those before them."""
        if self._last:
            more = self._done - MOST_LINES - len(self._last)
            self._lines += [*([f"and {more} more files"] if more > 0 else []), *self._last]
            self._last.clear()

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
        most = LAST if self._done > MOST_LINES else MOST_BARS
        most = max(0, min(most, height - 3 - len(self._last)))
        shown = sorted(self._bars.values(), key=lambda one: -one.size)[:most]
        rate, over = self._rate()
        speed = speed_text(self._moved, self._total, rate, over >= self._estimate_after)
        if not self._done and len(self._bars) == len(shown) == 1 and self._total - shown[0].size < SMALL:
            return [file_line(shown[0], columns, speed)]
        total = total_line(self._moved, self._total, speed, len(self._bars) - len(shown), columns)
        recent = [fit_middle(line, columns - 1) for line in self._last]
        apart = differences([one.name for one in shown])
        bars = [file_line(one, columns, differs=index) for one, index in zip(shown, apart, strict=True)]
        return [*recent, *bars, total]

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


def _name(blob: Descriptor) -> str:
    return printable(blob.name)
