"""`dev.py shell`: a shell in which `az acr artifact` works, on a local Azure that stops with the shell."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from devtools import session, steps, wheel


def program() -> str:
    """Return the user's shell."""
    return os.environ.get("COMSPEC", "cmd.exe") if os.name == "nt" else os.environ.get("SHELL", "/bin/sh")


def main(arguments: list[str]) -> int:
    """Open the shell, or run *arguments* instead, and return the exit code."""
    with tempfile.TemporaryDirectory() as temporary, session.opened(Path(temporary)) as opened:
        steps.must("az login", opened.az(*" ".join(session.sign_in()).split(), "--output", "none"), opened.variables)
        add = opened.az("extension", "add", "--source", str(wheel.build()), "--yes")
        steps.must("az extension add", add, opened.variables)
        steps.say(f"Try: az acr artifact push {session.REGISTRY}.azurecr.io/samples/artifact:1.0 --file README.md")
        return steps.call(arguments or [program()], opened.variables)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
