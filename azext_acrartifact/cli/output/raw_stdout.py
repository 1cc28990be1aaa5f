"""Standard output for what is no JSON."""

from __future__ import annotations

import os
import shutil
import sys
from typing import IO

from ...errors import LocalFileError

_BLOCK = 1024 * 1024


def write_raw(content: IO[bytes]) -> None:
    """Write all of *content* to standard output, and close it. Raises `LocalFileError` when nobody reads it, or the
    disk that it goes to is full."""
    try:
        with content:
            shutil.copyfileobj(content, sys.stdout.buffer, _BLOCK)
            sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would be tried once more at exit, and end in a traceback.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise LocalFileError("Cannot write to standard output", why=error.strerror or str(error)) from error
