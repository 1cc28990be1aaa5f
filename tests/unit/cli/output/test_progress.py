"""Progress on a terminal, line by line."""

from __future__ import annotations

import io
import logging
import threading
import time

import pytest

from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.output.progress import LoggedProgress, TerminalProgress, progress_for
from azext_acrartifact.cli.output.progress_log import event_line
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


def seen(screen: io.StringIO, text: str) -> bool:
    """Return whether *text* appears on the *screen*."""
    for _ in range(FRAMES):
        if text in screen.getvalue():
            return True
        time.sleep(0.05)
    return False


def file(number: int) -> Descriptor:
    """Return one of many files."""
    return Descriptor("a/b", digest_of(str(number).encode()), 100, {TITLE: f"file-{number}.txt"})


def test_one_file_has_one_bar_with_its_speed_and_the_config_none() -> None:
    screen = io.StringIO()
    progress = TerminalProgress(screen, estimate_after=0.0)
    progress.expect(CONFIG.size + LARGE.size)
    for blob in (CONFIG, LARGE):
        progress.started(blob, "Uploading")
    progress.advanced(LARGE, 90_000_000)
    assert seen(screen, "50% of 171.7 MiB")
    progress.finished(CONFIG, "Uploaded")
    progress.finished(LARGE, "Uploaded")
    progress.close()
    shown = screen.getvalue()
    assert "B/s" in shown
    assert "Total" not in shown
    assert EMPTY_CONFIG not in shown
    assert shown.count("Uploaded") == 1


def test_of_many_files_the_last_few_are_shown_and_the_others_counted() -> None:
    screen = io.StringIO()
    progress = TerminalProgress(screen, moving=False)
    for number in range(2000):
        progress.finished(file(number), "Uploaded")
    progress.note("Pushed")
    progress.close()
    lines = [line.split()[-1] for line in screen.getvalue().splitlines()]
    expected = [*(f"file-{number}.txt" for number in range(10)), "files"]
    assert lines == [*expected, *(f"file-{number}.txt" for number in range(1997, 2000)), "Pushed"]
    assert "and 1987 more files" in screen.getvalue()


def test_a_log_says_every_few_seconds_how_much_has_moved(caplog: pytest.LogCaptureFixture) -> None:
    progress = LoggedProgress(every=0.05)
    with caplog.at_level(logging.INFO):
        progress.expect(LARGE.size)
        progress.started(LARGE, "Uploading")
        progress.advanced(LARGE, 90_000_000)
        for _ in range(FRAMES):
            if sum("85.8 MiB of 171.7 MiB (50%), " in text for text in caplog.messages) > 1:
                break
            time.sleep(0.05)
        progress.close()
    assert sum("(50%), 0 B/s" in text for text in caplog.messages) >= 1, "also while nothing moves"


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
    digest = short(CONFIG.digest)
    assert event_line(CONFIG, "Mounted") == f"Mounted     {digest} {EMPTY_CONFIG}"
    copied = Descriptor("a/b", CONFIG.digest, 2, {TITLE: f"a/b ({digest})"})
    assert event_line(copied, "Copied") == f"Copied      a/b ({digest})"


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
