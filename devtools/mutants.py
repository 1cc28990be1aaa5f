"""Mutants for `dev.py mutate`: a module with one check less.

Each mutant removes or loosens one element of a check: a condition, an operand, a bound, a call that only checks,
a `raise`, the end of a regular expression, an element of a list of refused values, a caught error, a flag. Texts of
messages stay.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_LIMIT = re.compile(r"(LIMIT|MOST|FLOOR|DEEPEST|LONGEST)")
_LOOSER: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


@dataclass(frozen=True)
class Mutant:
    """A changed module: its whole *text*, and *what* was changed in *line* of the original."""

    line: int
    what: str
    text: str


_Found = Iterator[tuple[ast.AST, str]]
"""Nodes, each with the text that replaces it."""


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield every mutant of *source*, in the order of its lines."""
    seen: set[str] = set()
    found = sorted(_replacements(ast.parse(source)), key=lambda item: getattr(item[0], "lineno", 0))
    for node, replacement in found:
        text = _replaced(source, node, replacement)
        if text not in seen and text != source:
            seen.add(text)
            yield Mutant(getattr(node, "lineno", 0), f"{_shown(ast.unparse(node))} -> {replacement}", text)


def _replacements(tree: ast.AST) -> _Found:
    for node in _checks(tree):
        for kind, loosen in _LOOSENERS.items():
            if isinstance(node, kind):
                yield from loosen(node)


def _checks(node: ast.AST) -> Iterator[ast.AST]:
    """Yield *node* and the nodes below it, without annotations and the texts of messages."""
    yield node
    if isinstance(node, (ast.JoinedStr, ast.Raise)) or _is_error(node):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _checks(child)


def _is_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")


def _if(node: ast.If) -> _Found:
    yield node.test, "False"


def _either(node: ast.IfExp) -> _Found:
    yield node.test, "False"
    yield node.test, "True"


def _operands(node: ast.BoolOp) -> _Found:
    for number in range(len(node.values)):
        rest = _without(node.values, number)
        yield node, _expression(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))


def _bounds(node: ast.Compare) -> _Found:
    for number, operator in enumerate(node.ops):
        if type(operator) in _LOOSER:
            changed = copy.deepcopy(node)
            changed.ops[number] = _LOOSER[type(operator)]()
            yield node, _expression(changed)
    if len(node.ops) > 1:
        yield node, _expression(ast.Compare(node.left, node.ops[:-1], node.comparators[:-1]))
        yield node, _expression(ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:]))


def _call(node: ast.Call) -> _Found:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in ("min", "max", "filter") and len(node.args) == 2:
        yield from ((node, _expression(argument)) for argument in node.args[name == "filter" :])
    for keyword in node.keywords:
        # `zip(…, strict=True)` is an assertion.
        value = keyword.value if keyword.arg != "strict" else None
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            yield value, str(not value.value)


def _attribute(node: ast.Attribute) -> _Found:
    if node.attr == "fullmatch":
        yield node, f"{ast.unparse(node.value)}.match"


def _statement(node: ast.Expr) -> _Found:
    if isinstance(node.value, ast.Call):
        yield node, "pass"


def _raise(node: ast.Raise) -> _Found:
    yield node, "pass"


def _filters(node: ast.comprehension) -> _Found:
    yield from ((test, "True") for test in node.ifs)


def _elements(node: ast.Set | ast.Tuple) -> _Found:
    """Remove each element of a set, or of a tuple of caught errors."""
    for number in range(len(node.elts) if len(node.elts) > 1 else 0):
        rest = _without(node.elts, number)
        yield node, ast.unparse(ast.Set(rest) if isinstance(node, ast.Set) else ast.Tuple(rest, ast.Load()))


def _caught(node: ast.ExceptHandler) -> _Found:
    if isinstance(node.type, ast.Tuple):
        yield from _elements(node.type)


def _flags(node: ast.BinOp) -> _Found:
    if isinstance(node.op, ast.BitOr):
        yield node, _expression(node.left)
        yield node, _expression(node.right)


def _limit(node: ast.Assign) -> _Found:
    if isinstance(node.targets[0], ast.Name) and _LIMIT.search(node.targets[0].id):
        yield node.value, f"1000 * ({ast.unparse(node.value)})"


_LOOSENERS: dict[type[ast.AST], Callable[..., _Found]] = {
    ast.If: _if,
    ast.IfExp: _either,
    ast.BoolOp: _operands,
    ast.Compare: _bounds,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Expr: _statement,
    ast.Raise: _raise,
    ast.comprehension: _filters,
    ast.Set: _elements,
    ast.ExceptHandler: _caught,
    ast.BinOp: _flags,
    ast.Assign: _limit,
}


def _without(nodes: list[ast.expr], number: int) -> list[ast.expr]:
    return [*nodes[:number], *nodes[number + 1 :]]


def _expression(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def _replaced(source: str, node: ast.AST, replacement: str) -> str:
    """Return *source* with *replacement* instead of *node*; columns of the syntax tree count bytes."""
    position = ast.expr(
        **{name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    )
    lines = source.encode().splitlines(keepends=True)
    start = _length(lines[: position.lineno - 1]) + position.col_offset
    end = _length(lines[: (position.end_lineno or 1) - 1]) + (position.end_col_offset or 0)
    whole = b"".join(lines)
    return (whole[:start] + replacement.encode() + whole[end:]).decode()


def _length(lines: list[bytes]) -> int:
    return sum(len(line) for line in lines)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else line[:89] + "…"
