"""The open descriptors of this process, on Linux and Windows."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import ctypes
    import msvcrt

    _path_of_handle = ctypes.WinDLL("kernel32").GetFinalPathNameByHandleW
    _path_of_handle.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32]
    _MOST = 512  # https://learn.microsoft.com/cpp/c-runtime-library/reference/setmaxstdio

    def _open_paths() -> Iterator[str]:
        buffer = ctypes.create_unicode_buffer(1 << 15)
        for number in range(_MOST):
            with contextlib.suppress(OSError):
                if _path_of_handle(msvcrt.get_osfhandle(number), buffer, len(buffer), 0):
                    yield buffer.value.removeprefix("\\\\?\\")

else:

    def _open_paths() -> Iterator[str]:
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as the one of this listing
                yield os.readlink(f"/proc/self/fd/{number}")


def open_below(folder: Path) -> list[str]:
    """Return the paths of open descriptors in *folder* and below it. Others are not the test's business."""
    root = os.path.realpath(folder)
    return [target for target in _open_paths() if target == root or target.startswith(root + os.sep)]
