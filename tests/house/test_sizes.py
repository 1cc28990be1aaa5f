"""Files and functions are small enough to read as a whole."""

from __future__ import annotations

import ast
from statistics import median

from tests.house.conftest import Seed
from tests.house.source import PACKAGES, Function, Module, none

FILE_MOST, FILE_MEDIAN = 500, 130
FUNCTION_MOST, FUNCTION_MEDIAN = 80, 10


def length(function: Function) -> int:
    """Return the lines from `def` to the end, without the docstring: documentation makes no function long."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def long_files(modules: list[Module]) -> list[str]:
    """Find files over the limit."""
    return [f"{module.short}: {len(module.lines)} lines" for module in modules if len(module.lines) > FILE_MOST]


def long_functions(modules: list[Module]) -> list[str]:
    """Find functions over the limit."""
    return [
        f"{module.at(function.lineno)}: {function.name} has {length(function)} lines"
        for module in modules
        for function in module.functions()
        if length(function) > FUNCTION_MOST
    ]


@PACKAGES
def test_no_file_is_long(modules: list[Module]) -> None:
    none(long_files(modules))


@PACKAGES
def test_no_function_is_long(modules: list[Module]) -> None:
    none(long_functions(modules))


@PACKAGES
def test_the_median_file_is_small(modules: list[Module]) -> None:
    assert median(len(module.lines) for module in modules if module.lines) <= FILE_MEDIAN


@PACKAGES
def test_the_median_function_is_small(modules: list[Module]) -> None:
    lengths = [length(function) for module in modules for function in module.functions()]
    assert median(lengths) <= FUNCTION_MEDIAN


def test_a_long_file_and_a_long_function_are_found(seed: Seed) -> None:
    body = "def f():\n" + "    x = 1\n" * FUNCTION_MOST
    modules = seed("p", {"a.py": body, "b.py": "x = 1\n" * (FILE_MOST + 1), "c.py": "x = 1\n" * FILE_MOST})
    assert len(long_functions(modules)) == 1
    assert len(long_files(modules)) == 1


def test_a_docstring_makes_no_function_long(seed: Seed) -> None:
    text = 'def f():\n    """' + "x\n" * FUNCTION_MOST + '"""\n    return 1\n'
    assert long_functions(seed("p", {"a.py": text})) == []
