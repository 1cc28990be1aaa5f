"""Measure the coverage of the face in a process of az. Python imports this file at its start.

The measurement begins when az imports the extension, since Azure CLI's own start would take half as long again.
"""

import atexit
import os
import sys
from importlib.abc import MetaPathFinder

FACE = [f"*/azext_acrartifact/{files}" for files in ("_*.py", "c*.py", "cli/*")]


class FirstImport(MetaPathFinder):
    """Finds no module, but notices the first import of the extension."""

    def find_spec(self, name: str, *_: object) -> None:
        """Start to measure when *name* is the extension."""
        if name == "azext_acrartifact":
            sys.meta_path.remove(self)
            try:
                os.getcwd()
            except FileNotFoundError:  # coverage cannot work in a folder that was removed
                return
            from coverage import Coverage

            file = os.environ["FACE_COVERAGE"]
            measured = Coverage(config_file=False, data_file=file, data_suffix=True, branch=True, include=FACE)
            atexit.register(measured.save)
            measured.start()


sys.meta_path.insert(0, FirstImport())
