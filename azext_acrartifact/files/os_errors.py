"""Turn errors of the operating system into errors that say what failed, on which file, why, and what to do."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import LocalFileError

_HINTS = {
    errno.ENOSPC: "Free some space, or choose another folder with --destination.",
    errno.EACCES: "Check the permissions of the file and of the folder that holds it.",
    errno.EPERM: "Check the permissions of the file and of the folder that holds it.",
    errno.EROFS: "The file system is read-only: choose another folder.",
    errno.ENAMETOOLONG: "Choose a folder with a shorter path.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "A component of the path is a file, not a folder.",
    errno.EISDIR: "It is a folder; remove or rename it first.",
    errno.ELOOP: "A symbolic link is in the way; remove or rename it first.",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n), or lower --concurrency.",
    errno.EXDEV: "The folder is on another file system than its parent folder.",
}
# On Windows, EDQUOT may be missing.
_HINTS[getattr(errno, "EDQUOT", errno.ENOSPC)] = "The disk quota is used up: free some space, or choose another folder."
_HINTS[errno.ENOSPC] = "Free some space, or choose another folder with --destination."


def local_error(what: str, where: str, error: OSError) -> LocalFileError:
    """Return a LocalFileError for *error*: *what* ("Cannot write the file") happened to the path *where*."""
    why = error.strerror or str(error)
    return LocalFileError(what, where=where, why=why, hint=_HINTS.get(error.errno or 0, ""))


@contextmanager
def naming(what: str, where: object) -> Iterator[None]:
    """Turn an OSError of the block into a LocalFileError that says *what* failed and *where*."""
    try:
        yield
    except OSError as error:
        raise local_error(what, str(where), error) from error


@contextmanager
def on_failure(undo: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Call *undo* with *arguments* when the block raises, to close what has no other owner yet."""
    try:
        yield
    except BaseException:
        undo(*arguments)
        raise
