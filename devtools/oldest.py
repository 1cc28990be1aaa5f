"""`dev.py oldest`: run the functional tests of the main commands with the oldest Azure CLI that the wheel accepts.

That version, `azext.minCliCoreVersion`, is installed with the packages of its time into `.cache/oldest`; pytest and the
emulator stay in `.venv`, whose cryptography it could not load.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path

from devtools import environment, locks, pytests, steps, suite
from devtools import wheel as wheels

FOLDER = steps.ROOT / ".cache" / "oldest"
REQUIREMENTS = steps.ROOT / "requirements" / "oldest.txt"
METADATA = steps.ROOT / wheels.PACKAGE / "azext_metadata.json"

TESTS = (
    "article", "push", "pull", "delete", "list", "tags", "attach", "copy", "layouts", "login", "sign_in", "identities",
    "auth_mode", "sign", "help", "extension", "input_errors",
)  # fmt: skip
"""The files of tests/functional, without `test_` and `.py`, that run if none is named."""


def version(requirements: Path = REQUIREMENTS) -> str:
    """Return the oldest version of Azure CLI that accepts the wheel; raise `steps.Failed` if *requirements* pin
    another one."""
    promised: str = json.loads(METADATA.read_text(encoding="utf-8"))["azext.minCliCoreVersion"]
    pinned = re.search(r"^azure-cli==(\S+)$", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None or pinned[1] != promised:
        raise steps.Failed(f"azext_metadata.json names Azure CLI {promised}; pin it in requirements/oldest.txt.")
    return promised


def ready() -> Path:
    """Install the oldest Azure CLI unless it is installed, and return its Python; raise `steps.Failed` on failure."""
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = FOLDER / ".installed"
    FOLDER.parent.mkdir(exist_ok=True)
    waiting = f"    another dev.py is working on {FOLDER.relative_to(steps.ROOT)}; waiting for it"
    with locks.exclusive(FOLDER.with_suffix(".lock"), lambda: steps.say(waiting)):
        if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
            return python
        stamp.unlink(missing_ok=True)
        variables = environment.for_pip()
        title = f"installing Azure CLI {version()} into {FOLDER.relative_to(steps.ROOT)} (some minutes)"
        steps.must("making its environment", [sys.executable, "-m", "venv", "--clear", str(FOLDER)], variables)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        steps.must(title, [*pip, "--requirement", str(REQUIREMENTS)], variables)
        stamp.write_text(digest, encoding="utf-8")
    return python


def main(arguments: list[str]) -> int:
    """Run `TESTS`, or pytest with *arguments*, with the oldest Azure CLI, and return pytest's exit code."""
    name = f"functional tests with Azure CLI {version()}"
    variables = {**environment.clean(), "AZ_PYTHON": str(ready())}
    files = [f"tests/functional/test_{file}.py" for file in TESTS]
    return pytests.run(name, arguments or files, variables, [] if arguments else suite.workers(2 * suite.CORES))


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
