"""Python sources as the rules of this folder see them: parsed, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """An import statement's target: *module* in full, relative ones resolved, and the *name* taken from it."""

    module: str
    name: str | None
    line: int

    @property
    def full(self) -> str:
        """The dotted name that is imported, be it a module or something in one."""
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(frozen=True)
class Module:
    """One source file; *name* is its dotted name, that of an `__init__.py` its package's."""

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
        """The package's subfolder that the file is in, or "" at its root."""
        parts = self.name.split(".")
        inside = parts[1:] if self.is_package else parts[1:-1]
        return inside[0] if inside else ""

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def at(self, line: int) -> str:
        """Where: `file:line`, as editors open it."""
        return f"{self.path.name}:{line}" if not self.path.is_relative_to(ROOT) else f"{self.short}:{line}"

    @property
    def short(self) -> str:
        """The path from the checkout."""
        return self.path.relative_to(ROOT).as_posix() if self.path.is_relative_to(ROOT) else self.path.name

    def imports(self) -> Iterator[Import]:
        """Every import, also those in functions, in `try` and under TYPE_CHECKING."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, None, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (Import(base, alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.Call):
                yield from _dynamic(node)

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
        kept = parts[: len(parts) - (node.level - 1)]
        return ".".join([*kept, *([node.module] if node.module else [])])


def _dynamic(call: ast.Call) -> Iterator[Import]:
    """`importlib.import_module("x")` and `__import__("x")` are imports too."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in ("import_module", "__import__") and call.args:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield Import(first.value, None, call.lineno)


def package(folder: Path) -> list[Module]:
    """The modules of the package in *folder*, sorted by path."""
    return [Module(path, _dotted(folder, path)) for path in sorted(folder.rglob("*.py"))]


def extension() -> list[Module]:
    """The extension's modules."""
    return package(ROOT / "azext_acrartifact")


def emulator() -> list[Module]:
    """The emulator's modules."""
    return package(ROOT / "acr_emulator")


def chores() -> list[Module]:
    """dev.py and its modules."""
    return [*package(ROOT / "devtools"), Module(ROOT / "dev.py", "dev")]


def none(found: list[str]) -> None:
    """Fail the test with *found*, one line each, unless there is nothing."""
    if found:
        pytest.fail("\n" + "\n".join(found), pytrace=False)


def _dotted(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
