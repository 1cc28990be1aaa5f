"""A lock on an open file, which ends with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib

with contextlib.suppress(ImportError):  # Windows: two processes may go on with one upload; the registry decides
    import fcntl


def try_lock(descriptor: int) -> bool:
    """Lock the open file *descriptor*; False when another process holds it. On a file system without locks, and
    on Windows, it counts as free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (OSError, NameError):
        return True
    return True
