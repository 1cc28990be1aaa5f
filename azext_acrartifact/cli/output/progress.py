"""What a person who waits sees: on a terminal only, on standard error only, never more than ten times a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from typing import Any, TextIO

from knack.log import get_logger

from ...oci.descriptor import Descriptor
from ...oci.digest import short
from ...text import printable
from ...threads import try_start
from ...transfer.progress import Progress
from .progress_bar import Bar, file_line, fit, rows, total_line

REDRAW = 0.1
MOST_BARS = 8
RATE_OVER = 5.0
"""Seconds over which the rate is taken."""
STEADY_AFTER = 1.0
"""Seconds before which it says nothing about the time that is left."""
JUMP = 32 * 1024 * 1024
"""Bytes that no line moves at once: an earlier run left them."""
_logger = get_logger(__name__)


def progress_for(cli_ctx: Any) -> Progress:
    """Lines and bars for a person at a terminal; otherwise notes for `--verbose` alone. Close it at the end.

    A pipeline may fail on any text on standard error, so without a terminal there is none.
    """
    quiet = (
        cli_ctx.only_show_errors
        or not sys.stderr.isatty()
        or cli_ctx.config.getboolean("core", "disable_progress_bar", fallback=False)
        or {"--verbose", "--debug"} & set(cli_ctx.data.get("safe_params") or [])
    )
    return LoggedProgress() if quiet else TerminalProgress(sys.stderr, os.environ.get("TERM") != "dumb")


class LoggedProgress(Progress):
    """Says the same in the log, which `--verbose` shows."""

    def started(self, blob: Descriptor, verb: str) -> None:
        """A log line at the start."""
        _logger.info("%s", _event(blob, verb))

    def finished(self, blob: Descriptor, verb: str) -> None:
        """A log line at the end."""
        _logger.info("%s", _event(blob, verb))

    def note(self, text: str) -> None:
        """A log line."""
        _logger.info("%s", printable(text))


class TerminalProgress(Progress):
    """A line for each file that is done, and below them bars for those under way and for all bytes.

    Events only change numbers; one thread draws. Without *moving*, on a terminal that cannot go back a line, there
    are no bars; nor are there where the system gives no thread to draw them, only the lines.
    """

    def __init__(self, stream: TextIO, moving: bool = True) -> None:
        self._stream, self._moving = stream, moving
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._lines: list[str] = []
        self._bars: dict[str, Bar] = {}
        self._drawn: list[str] = []
        self._total = self._moved = 0
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def expect(self, size: int) -> None:
        """More to come."""
        with self._changed:
            self._total += size

    def started(self, blob: Descriptor, verb: str) -> None:
        """A bar."""
        with self._changed:
            if not self._bars and not self._moved:
                self._samples = deque([(time.monotonic(), 0)])
            self._bars[_name(blob)] = Bar(_name(blob), verb, blob.size)
            self._wake()

    def advanced(self, blob: Descriptor, size: int) -> None:
        """The bars move, perhaps back."""
        with self._changed:
            self._moved += size
            if size > JUMP:
                self._samples = deque((when, moved + size) for when, moved in self._samples)
            one = self._bars.get(_name(blob))
            if one:
                one.moved += size
            self._wake()

    def finished(self, blob: Descriptor, verb: str) -> None:
        """A line in the place of the bar."""
        with self._changed:
            one = self._bars.pop(_name(blob), None)
            if one:
                self._moved += one.size - one.moved
            self._lines.append(_event(blob, verb))
            self._wake()

    def note(self, text: str) -> None:
        """A line."""
        with self._changed:
            self._lines.append(printable(text))
            self._wake()

    def close(self) -> None:
        """Draw what is left to say, without bars."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        # One whose start was interrupted may never begin, and cannot be waited for.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(1)

    def _wake(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._draw_all, name="acrartifact-progress", daemon=True)
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
            self._stream.write(text)
            self._stream.flush()

    def _frame(self, last: bool) -> str:
        """What to write: over the bars of before, the new lines and the bars of now."""
        columns, height = _size(self._stream)
        lines, self._lines = self._lines, []
        bars = [] if last or not self._moving else self._now(columns, height)
        if not lines and bars == self._drawn:
            return ""
        # A terminal that became narrower has wrapped what was drawn: as many rows are gone over. Row by row, since
        # some keep a screen that is cleared at once in what can be scrolled back to.
        back = "\r\x1b[K" + "\x1b[A\x1b[K" * (rows(self._drawn, columns) - 1) if self._drawn else ""
        self._drawn = bars
        return back + "".join(f"{line}\n" for line in lines) + "\n".join(bars)

    def _now(self, columns: int, height: int) -> list[str]:
        if not self._bars:
            return []
        shown = sorted(self._bars.values(), key=lambda one: -one.size)[: max(0, min(MOST_BARS, height - 3))]
        rate, over = self._rate()
        hidden = len(self._bars) - len(shown)
        total = total_line(self._moved, self._total, rate, hidden, columns, steady=over >= STEADY_AFTER)
        return [*(file_line(one, columns) for one in shown), fit(total, columns - 1)]

    def _rate(self) -> tuple[float, float]:
        """Bytes a second in the last seconds, and in how many."""
        now = time.monotonic()
        self._samples.append((now, self._moved))
        while len(self._samples) > 2 and self._samples[1][0] < now - RATE_OVER:
            self._samples.popleft()
        since, moved = self._samples[0]
        return max(0.0, (self._moved - moved) / max(now - since, REDRAW)), now - since


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows of the terminal; standard output may be something else."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


def _event(blob: Descriptor, verb: str) -> str:
    name, digest = _name(blob), short(blob.digest)
    return " ".join(part for part in (f"{verb:11}", "" if digest in name else digest, name) if part)


def _name(blob: Descriptor) -> str:
    return printable(blob.title or blob.media_type)
