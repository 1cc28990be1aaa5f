"""What a person who waits sees: on a terminal only, on standard error only, never more than ten times a second."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Any, TextIO

from knack.log import get_logger

from ._format import human_size
from .oci.descriptor import Descriptor
from .oci.digest import short
from .text import printable
from .transfer.progress import Progress

REDRAW = 0.1
_logger = get_logger(__name__)


def progress_for(cli_ctx: Any) -> Progress:
    """Lines and a bar for a person at a terminal; otherwise notes for `--verbose` alone.

    A pipeline may fail on any text on standard error, so without a terminal there is none.
    """
    quiet = (
        cli_ctx.only_show_errors
        or not sys.stderr.isatty()
        or cli_ctx.config.getboolean("core", "disable_progress_bar", fallback=False)
        or {"--verbose", "--debug"} & set(cli_ctx.data.get("safe_params") or [])
    )
    return LoggedProgress() if quiet else TerminalProgress(sys.stderr)


class LoggedProgress(Progress):
    """Says the same in the log, which `--verbose` shows."""

    def started(self, blob: Descriptor, verb: str) -> None:
        """A log line at the start."""
        _logger.info("%-11s %s %s", verb, short(blob.digest), _name(blob))

    def finished(self, blob: Descriptor, verb: str) -> None:
        """A log line at the end."""
        _logger.info("%-11s %s %s", verb, short(blob.digest), _name(blob))

    def note(self, text: str) -> None:
        """A log line."""
        _logger.info("%s", printable(text))


class TerminalProgress(Progress):
    """A line for each file, and below them one bar for all bytes with rate and time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._total = self._moved = 0
        self._began = self._drawn = time.monotonic()

    def expect(self, size: int) -> None:
        """More to come."""
        with self._lock:
            self._total += size
            self._began = time.monotonic()

    def started(self, blob: Descriptor, verb: str) -> None:
        """A line."""
        self._line(f"{verb:11} {short(blob.digest)} {_name(blob)}")

    def advanced(self, blob: Descriptor, size: int) -> None:
        """The bar moves, perhaps back."""
        with self._lock:
            self._moved += size
            now = time.monotonic()
            if now - self._drawn >= REDRAW:
                self._drawn = now
                self._write("\r\x1b[K" + self._bar(now, _name(blob)))

    def finished(self, blob: Descriptor, verb: str) -> None:
        """A line."""
        self._line(f"{verb:11} {short(blob.digest)} {_name(blob)}")

    def note(self, text: str) -> None:
        """A line."""
        self._line(printable(text))

    def _line(self, text: str) -> None:
        with self._lock:
            self._write(f"\r\x1b[K{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _bar(self, now: float, name: str) -> str:
        share = min(1.0, self._moved / self._total) if self._total else 1.0
        rate = self._moved / max(now - self._began, 0.001)
        left = f"{(self._total - self._moved) / rate:.0f} s left" if rate > 0 else ""
        text = f"{share:4.0%} of {human_size(self._total)}  {human_size(int(rate))}/s  {left}"
        columns = shutil.get_terminal_size().columns
        width = max(0, min(40, columns - len(text) - 4))
        filled = int(width * share)
        return f"[{'#' * filled}{'.' * (width - filled)}] {text}  {name}"[: columns - 1]


def _name(blob: Descriptor) -> str:
    return printable(blob.title or blob.media_type)
