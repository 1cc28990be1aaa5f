"""Copy standard input to a temporary file, so that an interrupted upload can read its bytes again."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import BinaryIO

from .hashing import BLOCK
from .local_file import LocalFile
from .os_errors import naming

NAME = "standard input"


def copy_stdin(stream: BinaryIO) -> LocalFile:
    """Copy *stream* to a nameless temporary file, which vanishes when it is closed. Raises LocalFileError when there is
    no space for it."""
    with naming("Cannot make a temporary copy", NAME), tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, BLOCK)
        copy.flush()
        return LocalFile(NAME, os.dup(copy.fileno()))
