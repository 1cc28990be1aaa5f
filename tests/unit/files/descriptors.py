"""The open descriptors of this process, on Linux."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def open_below(folder: Path) -> list[str]:
    """Return the paths of open descriptors in *folder* and below it. Others are not the test's business."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as the one of this listing
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    root = os.path.realpath(folder)
    return [target for target in found if target == root or target.startswith(f"{root}/")]
