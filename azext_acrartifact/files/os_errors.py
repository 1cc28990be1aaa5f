"""What the operating system says about a file, as an error that names cause and remedy."""

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
    errno.ENOTDIR: "A part of the path is a file, not a folder.",
    errno.EISDIR: "It is a folder; remove or rename it first.",
    errno.ELOOP: "A symbolic link stands in the way; remove or rename it first.",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n), or lower --concurrency.",
    errno.EXDEV: "The folder lies on another file system than the one that holds it.",
}
# Windows has no EDQUOT that is worth a name.
_HINTS[getattr(errno, "EDQUOT", errno.ENOSPC)] = "The disk quota is used up: free some space, or choose another folder."
_HINTS[errno.ENOSPC] = "Free some space, or choose another folder with --destination."


def local_error(what: str, where: str, error: OSError) -> LocalFileError:
    """*error* of the operating system about the path *where*, while *what* ("Cannot write the file")."""
    why = error.strerror or str(error)
    return LocalFileError(what, where=where, why=why, hint=_HINTS.get(error.errno or 0, ""))


@contextmanager
def naming(what: str, where: object) -> Iterator[None]:
    """Turn an OSError of the block into a LocalFileError that says *what* failed, and *where*."""
    try:
        yield
    except OSError as error:
        raise local_error(what, str(where), error) from error


@contextmanager
def on_failure(undo: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Have *undo* done, with *arguments*, when the block raises: what was opened for it has no other owner yet."""
    try:
        yield
    except BaseException:
        undo(*arguments)
        raise
