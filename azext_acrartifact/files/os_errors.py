"""Turn errors of the operating system into errors that say what failed, on which file, why, and what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from ..errors import LocalFileError

_DENIED = "Check the permissions of the file and of the folder that holds it."
if os.name == "nt":  # which refuses to replace an open file by the same error
    _DENIED += " Another program may have the file open: close it there."
_HINTS = {
    errno.ENOSPC: "Free some space, or choose another folder with --destination.",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
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
# ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION and ERROR_USER_MAPPED_FILE
# (https://learn.microsoft.com/windows/win32/debug/system-error-codes): their errno is EACCES or EINVAL.
_WINDOWS_HINTS = dict.fromkeys((32, 33, 1224), "Another program has the file open: close it there, then try again.")


TEMPORARY_FULL = "Free some space, or set TMPDIR (on Windows: TEMP) to a folder that has some."
"""The hint when there is no space for a temporary copy."""
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def local_error(what: str, where: str, error: OSError, unsupported: str = "", full: str = "") -> LocalFileError:
    """Return a LocalFileError for *error*: *what* ("Cannot write the file") happened to the path *where*. The hint is
    *unsupported*, if given, when the file system may not have what was asked of it, and *full* when it has no space."""
    why = error.strerror or str(error)
    given = unsupported if error.errno in UNSUPPORTED else full if error.errno in _FULL else ""
    on_windows = _WINDOWS_HINTS.get(getattr(error, "winerror", None) or 0, "")
    hint = on_windows or given or _HINTS.get(error.errno or 0, "")
    return LocalFileError(what, where=where, why=why, hint=hint)


UNSUPPORTED = frozenset(
    {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, getattr(errno, "ENOTSUP", errno.ENOSYS)}
)
"""How a file system refuses what it does not have. Mounts of Azure Files and FUSE have one mode for all files
(https://learn.microsoft.com/azure/storage/files/storage-files-smb-limits; man 4 fuse), and some have no fsync."""


def where_supported() -> _WhereSupported:
    """Ignore that the file system does not have what the block does: use it only for what no content depends on."""
    return _WhereSupported()


def naming(what: str, *where: str, unsupported: str = "", full: str = "") -> _Naming:
    """Turn an OSError of the block into a LocalFileError that says *what* failed and *where*: components of a path;
    *unsupported* and *full* as for `local_error`."""
    return _Naming(what, where, unsupported, full)


def on_failure(undo: Callable[..., object], *arguments: object) -> _OnFailure:
    """Call *undo* with *arguments* when the block raises, to close what has no other owner yet."""
    return _OnFailure(undo, arguments)


class _Naming:
    # A generator would cost three times as much, and a pull enters a dozen of these blocks for each file.
    def __init__(self, what: str, where: tuple[str, ...], *hints: str) -> None:
        self._what, self._where, self._hints = what, where, hints

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            raise local_error(self._what, os.path.join(*self._where), error, *self._hints) from error


class _WhereSupported:
    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        return isinstance(error, OSError) and error.errno in UNSUPPORTED


class _OnFailure:
    def __init__(self, undo: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self._undo, self._arguments = undo, arguments

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, _error: object, _traceback: object) -> None:
        if kind is not None:
            self._undo(*self._arguments)
