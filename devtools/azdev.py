"""Azure CLI's own checks of an extension (https://github.com/Azure/azure-cli-dev-tools), without `azdev setup`.

`azdev setup` needs clones of two repositories and a network. A temporary folder replaces it: environment variables
for the settings, a copy of the extension in a folder of its name, and the one file that every azdev command
otherwise fetches.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import environment, steps, venv, wheel

RULE_TYPES = ("params", "commands", "command_groups", "help_entries")
"""All but `command_test_coverage`, which compares git branches and fetches a page; tests/ has our own."""

_SETTINGS = ("linter_exclusions.yml", "pylintrc", ".flake8")
"""Files that azdev looks for at the top of an extension's repository."""

_PATTERNS = ("QUO_PATTERN", "END_PATTERN", "DOCS_END_PATTERN", "NOT_END_PATTERN", "NUMBER_SIGN_PATTERN")


def style() -> int:
    """Run pylint and flake8 with Azure CLI's settings and return the exit code."""
    return _azdev("azdev style", "style", "acrartifact")


def linter() -> int:
    """Check commands, parameters and help, except `linter_exclusions.yml`; return the exit code."""
    return _azdev("azdev linter", "linter", "acrartifact", "--rule-types", *RULE_TYPES, "--min-severity", "high")


def scan() -> int:
    """Search the extension for secrets; return 1 if there is one. azdev exits with 0 and writes a report only then."""
    with _workspace() as (folder, variables):
        report = folder.parent / "scan.json"
        options = ["--directory-path", str(folder / wheel.PACKAGE), "--recursive", "--scan-result-path", str(report)]
        code = steps.run("azdev scan", [program(), "scan", *options], variables, folder)
        if code or not report.exists():
            return code
        found = json.loads(report.read_text(encoding="utf-8"))
    for path, secrets in found.items():
        for secret in secrets:
            steps.say(f"{Path(path).name}: {secret['secret_name']}")
    return 1


def _azdev(title: str, *arguments: str) -> int:
    if os.name == "nt":
        steps.say(f"{title}: skipped on Windows, where environment variables cannot configure azdev")
        return 0
    with _workspace() as (folder, variables):
        return steps.run(title, [program(), *arguments], variables, folder)


@contextmanager
def _workspace() -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield a copy of the extension called `acrartifact`, and the environment in which azdev finds it."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        folder = root / "acrartifact"
        folder.mkdir()
        wheel.stage(folder)
        for name in _SETTINGS:
            shutil.copyfile(steps.ROOT / name, folder / name)
        yield folder, configured(root, folder, folder)


def configured(root: Path, repository: Path, folder: Path) -> dict[str, str]:
    """Write azdev's settings into *root*, and return the environment in which it works on the extension in *folder* of
    *repository*, whose settings of pylint and flake8 it takes."""
    _configure(root)
    variables = _variables(root, repository, folder)
    steps.must("egg-info", [sys.executable, "setup.py", "--quiet", "egg_info"], variables, folder)
    return variables


def program() -> str:
    """Return the path of azdev in the virtual environment."""
    return str(venv.OURS.scripts / "azdev")


def _configure(root: Path) -> None:
    """Write azdev's settings, and the file that it would fetch at every start (azdev/operations/cmdcov)."""
    import azdev  # type: ignore[import-untyped]

    rules = Path(azdev.__file__).parent / "config"
    # azdev appends VIRTUAL_ENV, an absolute path, to this folder's name.
    shutil.copytree(rules, Path(f"{root}/azdev/env_config{venv.OURS.folder}/config_files"))
    coverage = root / "cli" / "scripts" / "ci" / "cmdcov.yml"
    coverage.parent.mkdir(parents=True)
    lines = ["CMD_PATTERN: [x, x, x, x]", *(f"{name}: x" for name in _PATTERNS), "EXCLUDE_MODULES: []"]
    coverage.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _variables(root: Path, repository: Path, folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(venv.OURS.scripts), os.environ.get("PATH", "")])
    ours = {
        "PATH": path,
        "VIRTUAL_ENV": str(venv.OURS.folder),
        "AZDEV_CONFIG_DIR": str(root / "azdev"),
        "AZDEV_EXT_REPO_PATHS": str(repository),
        "AZDEV_CLI_REPO_PATH": str(root / "cli"),
        "AZURE_CONFIG_DIR": str(root / "azure"),
        "AZURE_EXTENSION_DIR": str(root / "extensions"),
        "AZURE_EXTENSION_DEV_SOURCES": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
    }
    return {**environment.clean(), **ours}
