"""Python sources for the rules of this folder: parsed, never imported."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """An imported *module*, with its absolute name, and the *name* imported from it."""

    module: str
    name: str | None
    line: int

    @property
    def full(self) -> str:
        """The dotted name of the imported module or object."""
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(frozen=True)
class Module:
    """One source file; *name* is its dotted name, for an `__init__.py` that of the package."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def folder(self) -> str:
        """The subfolder of the package, or "" at its root."""
        parts = self.name.split(".")
        inside = parts[1:] if self.is_package else parts[1:-1]
        return inside[0] if inside else ""

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def at(self, line: int) -> str:
        """Return `file:line`, as editors open it."""
        return f"{self.path.name}:{line}" if not self.path.is_relative_to(ROOT) else f"{self.short}:{line}"

    @property
    def short(self) -> str:
        """The path relative to the checkout."""
        return self.path.relative_to(ROOT).as_posix() if self.path.is_relative_to(ROOT) else self.path.name

    def imports(self) -> Iterator[Import]:
        """Yield every import, also in functions, in `try` and under TYPE_CHECKING."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, None, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (Import(base, alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.Call):
                yield from _dynamic(node)

    def functions(self) -> Iterator[Function]:
        """Return every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
        parents = parts[: len(parts) - (node.level - 1)]
        return ".".join([*parents, *([node.module] if node.module else [])])


def _dynamic(call: ast.Call) -> Iterator[Import]:
    """Yield the import of `importlib.import_module("x")` or `__import__("x")`."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in ("import_module", "__import__") and call.args:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield Import(first.value, None, call.lineno)


def package(folder: Path) -> list[Module]:
    """Return the modules of the package in *folder*, sorted by path."""
    return [Module(path, _dotted(folder, path)) for path in sorted(folder.rglob("*.py"))]


@functools.cache
def extension() -> list[Module]:
    """Return the extension's modules."""
    return package(ROOT / "azext_acrartifact")


@functools.cache
def emulator() -> list[Module]:
    """Return the emulator's modules."""
    return package(ROOT / "acr_emulator")


@functools.cache
def chores() -> list[Module]:
    """Return dev.py and its modules."""
    return [*package(ROOT / "devtools"), Module(ROOT / "dev.py", "dev")]


def none(found: list[str]) -> None:
    """Fail the test if *found* is not empty, with one line for each."""
    if found:
        pytest.fail("\n" + "\n".join(found), pytrace=False)


def _dotted(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PACKAGES = pytest.mark.parametrize(
    "modules", [extension(), emulator(), chores()], ids=["extension", "emulator", "chores"]
)
"""Runs a test for each package."""
