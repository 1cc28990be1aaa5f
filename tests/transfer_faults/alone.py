"""Push the file `large` of a folder in a process of its own, which starts faster than `az`.

Arguments: FOLDER SESSIONS REPOSITORY.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.transfer_faults.engine import Engine, make_small


def main(folder: str, sessions: str, repository: str) -> None:
    """Push it with small sizes, on what the environment names as Azure."""
    os.chdir(folder)
    make_small(pytest.MonkeyPatch())
    Engine(Path(sessions)).push(repository, ["large"])


if __name__ == "__main__":
    main(*sys.argv[1:])
