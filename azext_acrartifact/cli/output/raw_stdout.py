"""Standard output for bytes that are not JSON."""

from __future__ import annotations

import os
import shutil
import sys
from typing import IO

from ...errors import LocalFileError
from .streams import was_closed

_BLOCK = 1024 * 1024


def write_raw(content: IO[bytes]) -> None:
    """Write *content* to standard output and close *content*. Raises `LocalFileError` if standard output is closed, and
    for a closed pipe or a full disk."""
    if was_closed(sys.stdout):
        content.close()
        raise LocalFileError("Cannot write to standard output", why="it is closed", hint="Redirect it to a file.")
    try:
        with content:
            shutil.copyfileobj(content, sys.stdout.buffer, _BLOCK)
            sys.stdout.buffer.flush()
    except OSError as error:
        # At exit, Python would write the rest of the buffer once more and show a traceback.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise LocalFileError("Cannot write to standard output", why=error.strerror or str(error)) from error
