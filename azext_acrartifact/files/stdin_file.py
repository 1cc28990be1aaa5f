"""Copy standard input to a temporary file, so that an interrupted upload can read its bytes again."""

from __future__ import annotations

from typing import BinaryIO

from .local_file import LocalFile, copy_of

NAME = "standard input"


def copy_stdin(stream: BinaryIO) -> LocalFile:
    """Copy *stream* to a nameless temporary file, which vanishes when it is closed. Raises LocalFileError when there is
    no space for it."""
    return copy_of(stream, NAME)
