"""Standard input as a file: an upload that breaks must be able to read its bytes again."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import BinaryIO

from .hashing import BLOCK
from .local_file import LocalFile
from .os_errors import naming

NAME = "standard input"


def spooled(stream: BinaryIO) -> LocalFile:
    """All that *stream* gives, in a file without a name that is gone when it is closed. Raises `LocalFileError` when
    there is no space for it."""
    with naming("Cannot keep a copy", NAME), tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, BLOCK)
        copy.flush()
        return LocalFile(NAME, os.dup(copy.fileno()))
