"""The password of a session: read once, registered, and warned of when others can see it."""

from __future__ import annotations

import contextlib
import io
import logging

import pytest

from azext_acrartifact.cli.arguments import LoginArgument
from azext_acrartifact.cli.session import with_password
from azext_acrartifact.known_secrets import KNOWN


class redirect_stdin(contextlib.redirect_stdout):
    """Replace standard input in a `with` block."""

    _stream = "stdin"


class Stream(io.StringIO):
    """Standard error, which may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_typed_password_is_warned_of_on_a_terminal_only(caplog: pytest.LogCaptureFixture, terminal: bool) -> None:
    """Stay silent in a pipeline, which may fail on any text on standard error."""
    caplog.set_level(logging.WARNING)
    with contextlib.redirect_stderr(Stream(terminal)):
        login = with_password(LoginArgument("me", "a typed one"))
        with_password(LoginArgument(None))
    assert login.password == "a typed one"
    assert ("Use --password-stdin" in caplog.text) is terminal
    assert len(caplog.records) == terminal
    assert KNOWN.hide("a typed one") == "…"


def test_a_password_that_is_read_is_registered(caplog: pytest.LogCaptureFixture) -> None:
    with redirect_stdin(io.StringIO("a read one\r\nmore")), contextlib.redirect_stderr(Stream(True)):
        assert with_password(LoginArgument("me", password_stdin=True)).password == "a read one"
    assert not caplog.records
    assert KNOWN.hide("a read one") == "…"
