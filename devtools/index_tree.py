"""The tree that the repository of Azure CLI's extensions wants, made from ours (github.com/Azure/azure-cli-extensions).

Its checks are in `scripts/ci` there: the license header in each file, an owner for each folder below `src/`, a service
name for each first word of a command, tests below `azext_acrartifact/tests/latest`.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

from devtools import index_tests, steps
from devtools import wheel as wheels

TESTS = index_tests.NEW_PACKAGE
EXTENSION = Path("src", "acrartifact")
CODEOWNERS = Path(".github", "CODEOWNERS")
SERVICE_NAMES = Path("src", "service_name.json")
NO_OWNER = "@OWNER"
"""Stands in CODEOWNERS for the account of a person who is not named yet."""

_RULE = "# " + "-" * 92
HEADER = f"""\
{_RULE}
# Copyright (c) Microsoft Corporation. All rights reserved.
# Licensed under the MIT License. See License.txt in the project root for license information.
{_RULE}
"""
"""The license header that `azdev verify license` asks for."""

SERVICE = {
    "Command": "az acr",
    "AzureServiceName": "Container Registry",
    "URL": "https://learn.microsoft.com/azure/container-registry",
}
"""The entry of our commands, which the list there has already: Azure CLI's own `az acr` has the same first word."""

_TOP = ("setup.py", "README.md", "HISTORY.rst", "linter_exclusions.yml")
_EXTRAS = "    extras_require=EXTRAS,\n"
_CLASS_CHECKS = "# pylint: disable=too-few-public-methods,too-many-instance-attributes"
_CALL_CHECKS = "# pylint: disable=too-many-positional-arguments"
_FLAKE8_CHECKS = "# flake8: noqa: E128,E203,E704"
_FLAKE8_FINDS = r"\S :|: \.\.\.$|# fmt: skip$"
"""How ruff formats slices and empty functions, and what it leaves as it is."""
_MOST_POSITIONAL = 5
"""pylint's default for max-positional-arguments."""


def write(root: Path, owner: str = NO_OWNER) -> Path:
    """Write our part of the tree into *root*, which may be a clone of the repository; return the extension's folder.

    An older copy of ours is replaced. In files that the clone has already, only our line is added.
    """
    folder = root / EXTENSION
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _TOP:
        _copy(steps.ROOT / name, folder / name)
    for path in _sources():
        _copy(path, folder / path.relative_to(steps.ROOT))
    _write_tests(folder.joinpath(*index_tests.NEW_PACKAGE.split(".")))
    _add_owner(root / CODEOWNERS, owner)
    _add_service(root / SERVICE_NAMES)
    return folder


def with_header(text: str) -> str:
    """Return the Python source *text* with the license header, and with the checks off that our own settings leave out
    (pylintrc, .flake8): the repository there has one file of settings for all extensions."""
    if not text.strip():
        return text
    checks = [line for line, wanted in zip(_CHECKS, _needed(text), strict=True) if wanted]
    return HEADER + "".join(f"{line}\n" for line in checks) + "\n" + text.lstrip("\n")


_CHECKS = (_CLASS_CHECKS, _CALL_CHECKS, _FLAKE8_CHECKS)


def _needed(text: str) -> tuple[bool, bool, bool]:
    """Return which of `_CHECKS` may find something in *text*."""
    nodes = list(ast.walk(ast.parse(text)))
    functions = [node for node in nodes if isinstance(node, index_tests.Function)]
    return (
        any(isinstance(node, ast.ClassDef) for node in nodes),
        any(len(node.args.posonlyargs + node.args.args) > _MOST_POSITIONAL for node in functions),
        re.search(_FLAKE8_FINDS, text, re.MULTILINE) is not None,
    )


def _sources() -> list[Path]:
    """Return the files of the extension's package."""
    found = sorted((steps.ROOT / wheels.PACKAGE).rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8")
    if source.name == "setup.py":
        # The index refuses a wheel that names a package `azure-…`, even in an extra (scripts/ci/test_index.py).
        text = text.replace(_EXTRAS, "")
    _put(target, with_header(text) if source.suffix == ".py" else text)


def _write_tests(folder: Path) -> None:
    """Write the tests that need nothing but the extension, each folder as a package: names of files repeat."""
    for name, text in index_tests.chosen().items():
        _put(folder / name, with_header(text))
    for path in [folder.parent, folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        if not (path / "__init__.py").exists():
            _put(path / "__init__.py", "")
    recorded = steps.ROOT / "tests" / "recorded"
    for source in sorted(recorded.iterdir()):
        if source.suffix in (".http", ".json"):
            (folder / "recorded").mkdir(exist_ok=True)
            shutil.copyfile(source, folder / "recorded" / source.name)


def _add_owner(file: Path, owner: str) -> None:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    path = f"/{EXTENSION.as_posix()}/"
    others = [line for line in lines if line.split()[:1] != [path]]
    while others and not others[-1]:
        others.pop()
    _put(file, "\n".join([*others, *([""] if others else []), f"{path} {owner}"]) + "\n")


def _add_service(file: Path) -> None:
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    if SERVICE["Command"] not in [entry["Command"] for entry in entries]:
        _put(file, json.dumps([*entries, SERVICE], indent=2) + "\n")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
