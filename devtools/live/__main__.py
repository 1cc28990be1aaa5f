"""`dev.py live SERVER`: test the extension against a registry in Azure, with your `az login`. Not part of CI."""

from __future__ import annotations

import sys

from devtools import environment, steps


def main(arguments: list[str]) -> int:
    """Run tests/live against the registry in the first argument and return pytest's exit code."""
    if not arguments:
        raise steps.Failed("Name a registry: python3 dev.py live myregistry.azurecr.io", 2)
    pytest = [sys.executable, "-m", "pytest", "tests/live", "--timeout", "3600", *arguments[1:]]
    return steps.run("live tests", pytest, {**environment.for_pip(), "ACRARTIFACT_LIVE": arguments[0]})


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
