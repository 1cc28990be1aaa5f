"""Standard streams that are closed, or whose encoding does not have every character."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TextIO

_ASCII = {"…": "~", "└": "`", "├": "|", "│": "|", "─": "-"}
"""Our own symbols, and what stands for them, each as wide as the symbol."""
_ESCAPING = "acrartifact.escape"
"""The error handler that writes JSON's escapes: a stream gets them instead of an error or a gap."""
_MADE: list[TextIO] = []
"""The streams in the place of closed ones."""


def make_streams_usable() -> None:
    """Let this process read and write the standard streams, whatever the shell left of them: a closed one is the null
    device from now on, and none fails for a character.

    A closed stream's number would otherwise go to the next file that is opened, and that file would get its output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            _MADE.append(os.fdopen(os.open(os.devnull, os.O_RDWR), "r" if name == "stdin" else "w", encoding="utf-8"))
            setattr(sys, name, _MADE[-1])
    for stream in (sys.stdout, sys.stderr):
        if not _has(stream, "\uffff") and hasattr(stream, "reconfigure"):
            codecs.register_error(_ESCAPING, _escape)
            stream.reconfigure(errors=_ESCAPING)


def was_closed(stream: object) -> bool:
    """Return whether *stream* is one that `make_streams_usable` opened."""
    return any(made is stream for made in _MADE)


def plain(text: str, stream: TextIO) -> str:
    """Return *text* with ASCII for those of our symbols that *stream* cannot write."""
    return text.translate({ord(symbol): other for symbol, other in _ASCII.items() if not _has(stream, symbol)})


def _has(stream: TextIO, character: str) -> bool:
    try:
        character.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end
