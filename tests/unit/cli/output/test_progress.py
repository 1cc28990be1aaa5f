"""Progress on a terminal, line by line."""

from __future__ import annotations

import io
import logging
import threading
import time

import pytest

from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.output.progress import LoggedProgress, TerminalProgress, progress_for
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of, short
from azext_acrartifact.oci.mediatypes import EMPTY_CONFIG, TITLE
from azext_acrartifact.transfer.progress import Progress
from tests.unit.cli.az_command import az_command

CONFIG = Descriptor(EMPTY_CONFIG, digest_of(b"{}"), 2)
LARGE = Descriptor("a/b", digest_of(b"large"), 180_000_000, {TITLE: "large.bin"})
FRAMES = 600
"""Looks at the screen, a twentieth of a second apart, before it counts as dead."""


class Refused(threading.Thread):
    """A thread that the system does not start."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


class Interrupted(threading.Thread):
    """A thread whose start meets a Ctrl-C."""

    def start(self) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("level", "kind"), [(logging.DEBUG, LoggedProgress), (logging.INFO, LoggedProgress), (logging.WARNING, Progress)]
)
def test_lines_are_made_only_for_a_log_that_shows_them(level: int, kind: type[Progress]) -> None:
    """For small files, a line that no handler takes would cost as much as a request."""
    logger, handler = logging.getLogger("cli"), logging.StreamHandler(io.StringIO())
    propagate, before = logger.propagate, logger.level
    handler.setLevel(level)
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    try:
        progress = progress_for(CommandContext(az_command()))
        progress.started(LARGE, "Uploading")
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        logger.setLevel(before)
    assert type(progress) is kind
    assert ("large.bin" in handler.stream.getvalue()) == (kind is LoggedProgress)


def test_the_first_bytes_give_no_estimate() -> None:
    screen = io.StringIO()
    progress: Progress = TerminalProgress(screen, estimate_after=3600.0)
    progress.expect(CONFIG.size + LARGE.size)
    progress.started(CONFIG, "Uploading")
    progress.started(LARGE, "Uploading")
    progress.advanced(CONFIG, CONFIG.size)
    progress.finished(CONFIG, "Uploaded")
    progress.advanced(LARGE, 20_000_000)
    for _ in range(FRAMES):
        if "B/s" in screen.getvalue():
            break
        time.sleep(0.05)
    progress.close()
    assert "11% of 171.7 MiB" in screen.getvalue()
    assert "left" not in screen.getvalue()


def test_a_line_names_what_is_done_and_its_digest_once() -> None:
    screen = io.StringIO()
    progress = TerminalProgress(screen, moving=False)
    digest = short(CONFIG.digest)
    progress.finished(CONFIG, "Mounted")
    progress.finished(Descriptor("a/b", CONFIG.digest, 2, {TITLE: f"a/b ({digest})"}), "Copied")
    progress.close()
    assert screen.getvalue().splitlines() == [f"Mounted     {digest} {EMPTY_CONFIG}", f"Copied      a/b ({digest})"]


def test_without_threads_there_are_lines_and_no_bars() -> None:
    stream = io.StringIO()
    progress = TerminalProgress(stream, thread=Refused)
    progress.expect(1000)
    progress.started(LARGE, "Uploading")
    progress.advanced(LARGE, 500)
    assert stream.getvalue() == ""
    progress.note("Waiting 2.0 s")
    assert stream.getvalue() == "Waiting 2.0 s\n", "at once"
    progress.finished(LARGE, "Uploaded")
    progress.close()
    assert stream.getvalue().endswith("large.bin\n")
    assert len(stream.getvalue().splitlines()) == 2


def test_an_interrupt_while_the_drawing_begins_passes_through() -> None:
    progress = TerminalProgress(io.StringIO(), thread=Interrupted)
    with pytest.raises(KeyboardInterrupt):
        progress.started(LARGE, "Uploading")
    progress.close()
