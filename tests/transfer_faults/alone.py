"""Push the file `large` of a folder in a process of its own, which starts faster than `az`.

Arguments: FOLDER SESSIONS REPOSITORY [PART_SIZE]. Parts of the sizes that a user can name are sent with real sizes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from azext_acrartifact.operations.part_size import LEAST
from azext_acrartifact.transfer.sizes import DEFAULT_SIZES
from tests.transfer_faults.engine import Engine, make_small


def main(folder: str, sessions: str, repository: str, part_size: str = "") -> None:
    """Push it with small sizes, on what the environment names as Azure."""
    os.chdir(folder)
    size = int(part_size) if part_size else None
    engine = Engine(Path(sessions), concurrency=8 if size else None, part_size=size)
    if size is not None and size >= LEAST:
        engine.sizes = DEFAULT_SIZES
    else:
        make_small(pytest.MonkeyPatch())
    engine.push(repository, ["large"])


if __name__ == "__main__":
    main(*sys.argv[1:])
