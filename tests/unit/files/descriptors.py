"""What this process has open, as Linux tells it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def open_below(folder: Path) -> list[str]:
    """What is open of *folder* and below it; whatever else a process opens meanwhile is none of a test's business."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since, as what listed them is
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    root = os.path.realpath(folder)
    return [target for target in found if target == root or target.startswith(f"{root}/")]
