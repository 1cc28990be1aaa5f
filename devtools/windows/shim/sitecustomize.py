"""Make Wine 8 behave like Windows where CPython notices. Not part of the product."""

from __future__ import annotations

import _winapi
import ctypes
import errno
import msvcrt
import nt
import ntpath
import os
import sys
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

assert sys.platform == "win32"

if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2  # Wine does not implement it; shutil has a loop for older versions of Windows

_KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
_EXCLUSIVE_AND_AT_ONCE = 3
_READ_ONLY = 1
_ACCESS_DENIED = 5
_PRIVILEGE_NOT_HELD = 1314
_MORE_DATA = 234


class _Overlapped(ctypes.Structure):
    """OVERLAPPED of minwinbase.h."""

    _fields_ = (
        ("Internal", ctypes.c_void_p),
        ("InternalHigh", ctypes.c_void_p),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
    )


def _locking(descriptor: int, mode: int, count: int) -> None:
    """Lock or unlock *count* bytes. Wine's own leaves errno at 0 for a locked byte, and cuts the offset to 32 bits."""
    offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    where = ctypes.byref(_Overlapped(0, 0, offset & 0xFFFFFFFF, offset >> 32, None))
    handle = wintypes.HANDLE(msvcrt.get_osfhandle(descriptor))
    if mode == msvcrt.LK_UNLCK:
        done = _KERNEL.UnlockFileEx(handle, 0, count, 0, where)
    else:
        done = _KERNEL.LockFileEx(handle, _EXCLUSIVE_AND_AT_ONCE, 0, count, 0, where)
    if not done:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refusing_read_only(replace: Callable[..., None]) -> Callable[..., None]:
    """Refuse to replace a read-only file, as MoveFileEx of Windows does (ERROR_ACCESS_DENIED)."""

    def checked(source: Any, target: Any, **options: Any) -> None:
        try:
            read_only = os.lstat(target).st_file_attributes & _READ_ONLY
        except OSError:
            read_only = 0
        if read_only and os.path.normcase(os.path.abspath(source)) != os.path.normcase(os.path.abspath(target)):
            raise PermissionError(errno.EACCES, "Access is denied", source, _ACCESS_DENIED, target)
        replace(source, target, **options)

    return checked


def _no_symlink(source: Any, target: Any, *_arguments: Any, **_options: Any) -> None:
    """Refuse a symbolic link, as Windows does without the privilege. Wine makes none, and reports success."""
    raise OSError(errno.EINVAL, "A required privilege is not held by the client", source, _PRIVILEGE_NOT_HELD, target)


def _of_any_length(final_path: Callable[[str], str]) -> Callable[[str], str]:
    """Return a long path as it is: Wine 8 has no links, and finds no final path of more than 260 characters."""

    def found(path: str) -> str:
        try:
            return final_path(path)
        except OSError as error:
            if error.winerror != _MORE_DATA:
                raise
            full = os.path.abspath(path)
            return full if full.startswith("\\\\?\\") else "\\\\?\\" + full

    return found


msvcrt.locking = _locking
ntpath._getfinalpathname = _of_any_length(ntpath._getfinalpathname)
os.replace = nt.replace = _refusing_read_only(os.replace)
os.symlink = nt.symlink = _no_symlink
