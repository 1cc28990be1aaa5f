"""Open folders, by descriptor on POSIX systems and by path on Windows."""

import errno
import os

from ..system_path import system_path
from .handle import Folder
from .posix import DescriptorFolder
from .windows import PathFolder


def open_folder(path: str) -> Folder:
    """Open the folder *path*, which the user chose: links on it are followed. Raises OSError."""
    if os.open in os.supports_dir_fd:
        return DescriptorFolder(os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)), path)
    if not os.path.isdir(system_path(path)):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return PathFolder(os.path.realpath(system_path(path)))
