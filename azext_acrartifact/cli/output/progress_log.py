"""Progress as log lines, which `--verbose` shows."""

from __future__ import annotations

import logging
import time
from threading import Event, Lock, Thread

from knack.log import get_logger

from ...oci.descriptor import Descriptor
from ...oci.digest import short
from ...oci.mediatypes import TITLE
from ...text import printable
from ...threads import try_start
from ...transfer.progress import Progress
from .units import human_size

EVERY = 30.0
"""Seconds between two lines about all bytes."""
LARGE = 1024 * 1024
"""Bytes from which content without a title, such as a layer of an image, is shown as a file is."""
_logger = get_logger(__name__)


class LoggedProgress(Progress):
    """Log each event, and the sum of all bytes every *every* seconds, also while nothing moves."""

    def __init__(self, every: float = EVERY) -> None:
        self._every, self._lock, self._ended = every, Lock(), Event()
        self._thread: Thread | None = None
        self._total = self._moved = 0

    def expect(self, size: int) -> None:
        """Add *size* to the total."""
        with self._lock:
            self._total += size

    def advanced(self, blob: Descriptor, size: int) -> None:  # noqa: ARG002
        """Count *size* bytes."""
        with self._lock:
            self._moved += size

    def started(self, blob: Descriptor, verb: str) -> None:
        """Log *verb* and the name of *blob*."""
        if is_file(blob):
            _logger.info("%s", event_line(blob, verb))
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = Thread(target=self._log_all, name="acrartifact-progress", daemon=True)
                try_start(self._thread)

    def finished(self, blob: Descriptor, verb: str) -> None:
        """Log *verb* and the name of *blob*."""
        if is_file(blob):
            _logger.info("%s", event_line(blob, verb))

    def note(self, text: str) -> None:
        """Log *text*."""
        _logger.info("%s", printable(text))

    def close(self) -> None:
        """Log nothing more."""
        self._ended.set()

    def _log_all(self) -> None:
        earlier, since = 0, time.monotonic()
        while not self._ended.wait(self._every):
            with self._lock:
                moved, total = self._moved, self._total
            now = time.monotonic()
            rate = human_size(int(max(0, moved - earlier) / max(now - since, 0.001)))
            percent = int(100 * min(1.0, moved / total)) if total else 100
            _logger.info("%s of %s (%s%%), %s/s", human_size(moved), human_size(total), percent, rate)
            earlier, since = moved, now


def is_logged() -> bool:
    """Return whether any handler takes log lines. Azure CLI sets the level of handlers, and none of its loggers'."""
    logger: logging.Logger | None = _logger
    while logger is not None:
        if any(handler.level <= logging.INFO for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


def is_file(blob: Descriptor) -> bool:
    """Return whether *blob* is a file to a person: it has a title, or is large. A config is none, whose type may stand
    for its title."""
    title = blob.annotations.get(TITLE, "")
    return bool(title and not title.startswith(blob.media_type)) or blob.size >= LARGE


def event_line(blob: Descriptor, verb: str) -> str:
    """Return the line that says what happened to *blob*."""
    name, digest = printable(blob.name), short(blob.digest)
    return " ".join(part for part in (f"{verb:11}", "" if digest in name else digest, name) if part)
