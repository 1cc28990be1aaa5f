"""The glossary as rules: one word for each thing, and docstrings that start with a verb."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.house.source import Function, Module

GLOSSARY = {
    r"answer(s|ed|ing)?": "response; of a person: confirm",
    r"(ship|shipped|shipping|shipper|shipments?)": "upload",
    r"(carry|carries|carried|carrying|carriers?)": "copy, send, hold",
    r"feeds?": "source",
    r"(tell|tells|told)": "say, return, report",
    r"spool(s|ed)?": "temporary file",
    r"journals?": "session",
    r"paces?": "concurrency",
    r"pieces?": "chunk (one PATCH), range (one GET), part (of a large file), block (one read)",
    r"(segments?|spans?|extents?)": "chunk, range, part, block",
    r"(patience|bears?|borne)": "timeout",
    r"lacks?": "missing",
    r"(go|goes|going|gone|went) on": "resume, continue",
    r"found out": "resolve, read",
    r"at last": "finally",
    r"(bad|lost|slow|fast|broken|capped|near|far) line": "network, connection",
    r"(hold|holds|held|lose|loses|lost) (the|its|their) line": "network, connection",
    r"line (is|was) worth": "network, connection",
}
"""Words to avoid, as patterns, and the words to use instead."""

FORBIDDEN = re.compile(rf"\b({'|'.join(GLOSSARY)})\b", re.IGNORECASE)

NAMES = frozenset(
    {
        "answer", "answers", "answered", "ship", "shipper", "shipping", "shipment", "shipments", "carry", "carrying",
        "carried", "carrier", "feed", "feeds", "tell", "told", "spool", "journal", "journals", "pace", "paces", "piece",
        "pieces", "patience", "bear", "lacks", "held", "kept", "place", "places", "steady",
    }
)  # fmt: skip
"""Words to avoid in names."""

CLAUSE = re.compile(
    r"(What|Whether|Where|Whose|Who|Why|How|Which|When|That|Those|The|A|An|All|Every|Each|One|Some|Any|Its|It|This|These)\b"
)
"""The start of a noun clause, which says what a function is, but not what it does."""


CODE = re.compile(r"^```.*?^```|`+[^`]*`+|\]\([^)]*\)", re.MULTILINE | re.DOTALL)
"""Code and link targets in a document."""


def riddles(module: Module) -> list[str]:
    """Find docstrings of functions that start with a noun clause; those of properties may (PEP 257)."""
    return [
        f"{module.at(node.lineno)}: {node.name}: {doc.splitlines()[0]}"
        for node in module.functions()
        if (doc := ast.get_docstring(node)) and CLAUSE.match(doc) and not _is_property(node)
    ]


def old_words(module: Module) -> list[str]:
    """Find words to avoid in docstrings, comments and texts."""
    return [
        f"{module.at(line)}: {match.group()!r}: say {_instead(match.group())}"
        for line, text in _prose(module)
        for match in FORBIDDEN.finditer(text)
    ]


def old_names(module: Module) -> list[str]:
    """Find words to avoid in the names that a module defines."""
    found = []
    for line, name in _names(module):
        words = re.findall(r"[A-Z]?[a-z]+", name)
        if used := NAMES & {word.lower() for word in words}:
            found.append(f"{module.at(line)}: {name}: {', '.join(sorted(used))}")
    return found


def old_words_in_document(document: Module) -> list[str]:
    """Find words to avoid in a document, but not in its code."""
    text = CODE.sub(lambda code: "\n" * code.group().count("\n"), document.text)
    return [
        f"{document.at(number)}: {match.group()!r}: say {_instead(match.group())}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in FORBIDDEN.finditer(line)
    ]


def _instead(word: str) -> str:
    return next(better for pattern, better in GLOSSARY.items() if re.fullmatch(pattern, word, re.IGNORECASE))


def _is_property(function: Function) -> bool:
    return any(ast.unparse(decorator).endswith("property") for decorator in function.decorator_list)


def _prose(module: Module) -> Iterator[tuple[int, str]]:
    """Yield comments and string literals with a blank in them, which are texts; others are names or values."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def _names(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | Function):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
