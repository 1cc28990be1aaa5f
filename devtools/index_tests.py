"""Choose the unit tests that need nothing but the extension, for the repository of Azure CLI's extensions.

The emulator stays here, and so does every test, fixture and helper that needs it, directly or through another one. A
file that is left without a test is left out.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from devtools import steps

NEW_PACKAGE = "azext_acrartifact.tests.latest"
"""The package that replaces `tests`."""

_OURS = ("acr_emulator", "bench", "dev", "devtools", "tests")
_FOLDERS = ("unit", "support", "fuzz", "recorded")

Function = ast.FunctionDef | ast.AsyncFunctionDef
_WHOLE = "*"


@dataclass
class TestModule:
    """A file of tests, by its dotted *name*; *missing* are names in it that are not to be had elsewhere."""

    name: str
    path: Path
    missing: set[str] = field(default_factory=set)
    gone: set[ast.stmt] = field(default_factory=set)

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)

    @property
    def remaining(self) -> list[ast.stmt]:
        """The statements that need nothing that is missing."""
        return [statement for statement in self.tree.body if statement not in self.gone]

    @property
    def has_tests(self) -> bool:
        """Whether a test remains."""
        return any(isinstance(node, Function) and node.name.startswith("test_") for node in self.remaining)

    def pruned(self) -> str:
        """Return the source without the statements that are gone, with imports from `NEW_PACKAGE`."""
        lines = self.text.splitlines(keepends=True)
        for node in self.gone:
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            lines[start - 1 : node.end_lineno] = [""] * ((node.end_lineno or start) - start + 1)
        text = re.sub(r"^(\s*(?:from|import) )tests\.", rf"\1{NEW_PACKAGE}.", "".join(lines), flags=re.MULTILINE)
        return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"


@functools.cache
def chosen(tests: Path = steps.ROOT / "tests") -> dict[str, str]:
    """Return the files that go along, relative to *tests*, with their new content."""
    modules = _modules(tests)
    while sum(_prune(module, modules) for module in modules.values()):
        pass
    starts = [name for name, module in modules.items() if module.has_tests and module.path.name.startswith("test_")]
    conftests = [f"{'.'.join(name.split('.')[:depth])}.conftest" for name in starts for depth in range(1, 9)]
    found = _closure([*starts, *(name for name in dict.fromkeys(conftests) if name in modules)], modules)
    return {modules[name].path.relative_to(tests).as_posix(): modules[name].pruned() for name in sorted(found)}


def _modules(tests: Path) -> dict[str, TestModule]:
    paths = [tests / "conftest.py", *(path for folder in _FOLDERS for path in sorted((tests / folder).rglob("*.py")))]
    names = {path: ".".join(["tests", *path.relative_to(tests).with_suffix("").parts]) for path in paths}
    return {name: TestModule(name, path) for path, name in names.items() if path.exists()}


def _prune(module: TestModule, modules: dict[str, TestModule]) -> int:
    """Mark what needs something missing, and return how much more of it there was."""
    before = len(module.gone)
    for node in module.remaining:
        if _needs_missing(node, module, modules):
            module.gone.add(node)
            module.missing |= _defined(node)
    return len(module.gone) - before


def _needs_missing(node: ast.stmt, module: TestModule, modules: dict[str, TestModule]) -> bool:
    if any(_is_missing(name, modules) for name in _imported(node)):
        return True
    if _used(node) & module.missing and not isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return any(_is_missing_fixture(name, module, modules) for name in _fixtures_of(node))


@functools.cache
def _imported(node: ast.AST) -> list[tuple[str, str]]:
    """Return the module and the name of each import in *node*, also in functions."""
    found: list[tuple[str, str]] = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            found += [(alias.name, "") for alias in inner.names]
        elif isinstance(inner, ast.ImportFrom):
            found += [(inner.module or "", alias.name) for alias in inner.names]
    return found


@functools.cache
def _used(node: ast.AST) -> set[str]:
    """Return the names in *node*."""
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def _is_missing(imported: tuple[str, str], modules: dict[str, TestModule]) -> bool:
    source, name = imported
    if source.split(".")[0] not in _OURS:
        return False
    if found := modules.get(source):
        return name in found.missing
    return f"{source}.{name}" not in modules


@functools.cache
def _fixtures_of(node: ast.stmt) -> set[str]:
    """Return the fixtures that a test or fixture asks for."""
    if not isinstance(node, Function):
        return set()
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    if not node.name.startswith("test_") and not any("fixture" in text for text in decorators):
        return set()
    used = {name for text in decorators if "usefixtures" in text for name in re.findall(r"'(\w+)'", text)}
    return used | {argument.arg for argument in node.args.args}


def _is_missing_fixture(name: str, module: TestModule, modules: dict[str, TestModule]) -> bool:
    """Return whether the nearest definition of the fixture *name* is missing."""
    parts = module.name.split(".")
    above = [".".join([*parts[:depth], "conftest"]) for depth in range(len(parts) - 1, 0, -1)]
    for definer in [module.name, *(conftest for conftest in above if conftest != module.name)]:
        found = modules.get(definer)
        if found and any(name in _defined(node) for node in found.tree.body):
            return name in found.missing
    return False


@functools.cache
def _defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines."""
    if isinstance(node, Function | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def _closure(starts: list[str], modules: dict[str, TestModule]) -> set[str]:
    """Return *starts* and the modules that they import."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for node in modules[name].remaining:
            for source, imported in _imported(node):
                waiting += [n for n in (source, f"{source}.{imported}") if n in modules]
    return found
