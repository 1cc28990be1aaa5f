"""Every public name has a docstring and types."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.conftest import Seed
from tests.house.source import PACKAGES, Function, Module, none

Scope = ast.Module | ast.ClassDef
Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(scope: Scope) -> Iterator[Named]:
    """Yield public classes and functions of a module, and their public methods, at any `if` or `try` depth."""
    for node in _statements(scope):
        if isinstance(node, Named) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.stmt):
            yield node
            if not isinstance(node, Named):
                yield from _statements(node)


def undocumented(modules: list[Module]) -> list[str]:
    """Find modules and public names without a docstring; a method inherits that of a base class, as in `help()`."""
    inherited = set(_inherited(modules))
    found = [f"{module.short}: no docstring" for module in modules if module.text.strip() and not _doc(module.tree)]
    return found + [
        f"{module.at(node.lineno)}: {node.name} has no docstring"
        for module in modules
        for node in public(module.tree)
        if not _doc(node) and not _is_repeated(node) and node not in inherited
    ]


def untyped(modules: list[Module]) -> list[str]:
    """Find public functions with a parameter or a result without annotation."""
    return [
        f"{module.at(node.lineno)}: {node.name} is not typed"
        for module in modules
        for node in public(module.tree)
        if isinstance(node, Function) and not _is_typed(node)
    ]


def _doc(node: ast.Module | Named) -> str | None:
    return ast.get_docstring(node)


def _inherited(modules: list[Module]) -> Iterator[Named]:
    """Yield methods that override a documented method of a base class in the package."""
    classes = {
        node.name: node for module in modules for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)
    }

    def bases(node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        for name in (ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases):
            if name in classes and classes[name] is not node:
                yield classes[name]
                yield from bases(classes[name])

    for node in classes.values():
        documented = {method.name for base in bases(node) for method in public(base) if _doc(method)}
        yield from (method for method in public(node) if method.name in documented)


def _is_repeated(node: Named) -> bool:
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter", "override"})


def _is_typed(function: Function) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    named = [argument for argument in every if argument is not None and argument.arg not in ("self", "cls")]
    return function.returns is not None and all(argument.annotation is not None for argument in named)


@pytest.mark.parametrize("rule", [undocumented, untyped])
@PACKAGES
def test_public_names_are_typed_and_documented(rule: object, modules: list[Module]) -> None:
    assert callable(rule)
    none(rule(modules))


def test_undocumented_and_untyped_names_are_found(seed: Seed) -> None:
    text = '"""D."""\nclass A:\n    """D."""\n    def m(self, x):\n        pass\n    def _p(self, x): pass\n'
    modules = seed("p", {"a.py": text, "b.py": "x = 1\n"})
    assert undocumented(modules) == ["b.py: no docstring", "a.py:4: m has no docstring"]
    assert untyped(modules) == ["a.py:4: m is not typed"]


def test_an_overriding_method_inherits_the_docstring(seed: Seed) -> None:
    base = '"""D."""\nclass A:\n    """D."""\n    def m(self) -> None:\n        """D."""\n'
    text = '"""D."""\nclass B(A):\n    """D."""\n    def m(self) -> None: ...\n    def n(self) -> None: ...\n'
    assert undocumented(seed("p", {"a.py": base, "b.py": text})) == ["b.py:5: n has no docstring"]


def test_a_name_under_a_condition_is_public_too(seed: Seed) -> None:
    text = '"""D."""\nif True:\n    def f() -> None:\n        def inner(x): pass\n'
    assert undocumented(seed("p", {"a.py": text})) == ["a.py:3: f has no docstring"]
