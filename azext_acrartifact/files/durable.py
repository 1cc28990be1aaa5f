"""Write what the system still holds of a file to the disk."""

from __future__ import annotations

import errno
import os
import sys

from .os_errors import UNSUPPORTED, where_supported

_NO_FULL_SYNC = UNSUPPORTED | {errno.ENOTTY}
"""How FAT and network mounts refuse F_FULLFSYNC."""


def make_durable(descriptor: int) -> None:
    """Write the file to the disk, unless its file system cannot. Raises OSError."""
    with where_supported():
        if not _synced_fully(descriptor):
            os.fsync(descriptor)


if sys.platform == "win32":

    def _synced_fully(_descriptor: int) -> bool:
        return False

else:
    import fcntl

    def _synced_fully(descriptor: int) -> bool:
        """Return whether the drive itself has written the file: on macOS, fsync leaves it in the drive's cache
        (fsync(2) of macOS). Raises OSError."""
        command = getattr(fcntl, "F_FULLFSYNC", None)
        if command is None:
            return False
        try:
            fcntl.fcntl(descriptor, command)
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
            return False
        return True
