"""Measure the memory of this process."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of psapi.h."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            ("QuotaPeakPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPagedPoolUsage", ctypes.c_size_t),
            ("QuotaPeakNonPagedPoolUsage", ctypes.c_size_t),
            ("QuotaNonPagedPoolUsage", ctypes.c_size_t),
            ("PagefileUsage", ctypes.c_size_t),
            ("PeakPagefileUsage", ctypes.c_size_t),
        )

    _KERNEL = ctypes.WinDLL("kernel32")
    _KERNEL.GetCurrentProcess.restype = wintypes.HANDLE
    _KERNEL.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Counters), wintypes.DWORD)

    def process_memory() -> int:
        """Return the bytes of memory that this process has, or 0 where the system does not say."""
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        known = _KERNEL.K32GetProcessMemoryInfo(_KERNEL.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
        return counters.WorkingSetSize if known else 0

else:
    import resource
    from pathlib import Path

    _STATUS = Path("/proc/self/statm")

    def process_memory() -> int:
        """Return the bytes of memory that this process has, or its most so far where the system does not say."""
        try:
            return int(_STATUS.read_bytes().split()[1]) * resource.getpagesize()
        except (OSError, ValueError, IndexError):
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return most if sys.platform == "darwin" else most * 1024
