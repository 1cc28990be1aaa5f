"""The reference as Markdown, from what `--help` shows."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from devtools.docs.help_texts import GROUP

_GLOBAL = "Global Arguments"
_PAGE = re.compile(r"\bdocs/[\w-]+\.md\b")
_MARKUP = re.compile(r"([\\*_\[\]<>|])")
_OPTION = re.compile(r"(?<!\S)(--?[a-z][a-z-]*) (?!-)")
_WIDTH = 76
"""Characters in a line of an example."""


def pages(commands: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page: `index`, and one for each of *commands*."""
    group = next(found for found in commands if found["command"] == GROUP)
    verbs = [found for found in commands if found is not group]
    rows = [f"| [{_name(found)}]({_name(found)}.md) | {_prose(found['summary'])} |" for found in verbs]
    shared = [argument for argument in verbs[0]["arguments"] if argument["group"] == _GLOBAL]
    introduction = [
        f"# az {GROUP}",
        "",
        *_paragraphs(group),
        "These pages are made from the commands' own `--help`.",
        "",
    ]
    table = ["| Command | What it does |", "|---|---|", *rows, ""]
    yield "index", "\n".join([*introduction, *table, "## Arguments of every command", "", *_table(shared)])
    for found in verbs:
        yield _name(found), "\n".join(_command(found))


def _command(found: dict[str, Any]) -> Iterator[str]:
    yield from (f"# {_name(found)}", "", *_paragraphs(found), "## Examples", "")
    for example in found["examples"]:
        yield from (_prose(example["name"]), "", "```sh", _wrapped(example["text"]), "```", "")
    arguments = [argument for argument in found["arguments"] if argument["group"] != _GLOBAL]
    order = sorted(arguments, key=lambda argument: (_rank(argument["group"]), not argument["required"]))
    for group, members in itertools.groupby(order, key=lambda argument: _title(argument["group"])):
        yield from (f"## {group}", "", *_table(list(members)))
    yield from ("[Arguments of every command](index.md#arguments-of-every-command) come besides.", "")


def _paragraphs(found: dict[str, Any]) -> list[str]:
    texts = [_prose(found["summary"]), *(_prose(text) for text in found["more"].strip().splitlines())]
    return [line for text in texts if text for line in (text, "")]


def _table(arguments: list[dict[str, Any]]) -> list[str]:
    return ["| Argument | Description |", "|---|---|", *map(_row, arguments), ""]


def _row(argument: dict[str, Any]) -> str:
    names = " ".join(f"`{name}`" for name in argument["names"].split())
    parts = ["**Required.**"] if argument["required"] else []
    parts.append(_prose(argument["summary"]))
    if argument["choices"]:
        parts.append(f"Values: {', '.join(f'`{choice}`' for choice in argument['choices'])}.")
    if argument["default"] not in (None, "", False) and not str(argument["default"]).startswith("=="):
        parts.append(f"Default: `{argument['default']}`.")
    return f"| {names} | {' '.join(parts)} |"


def _rank(group: str) -> tuple[int, str]:
    """Return the place of a *group*: the reference first, then the command's own arguments, then shared ones."""
    return {"Positional": 0, "": 1}.get(group, 2), group


def _title(group: str) -> str:
    return "Arguments" if group in ("", "Positional") else group.replace(" Arguments", " arguments")


def _name(found: dict[str, Any]) -> str:
    return str(found["command"]).rpartition(" ")[2]


def _prose(text: str) -> str:
    """Return *text* with its code as code, and nothing else of it as markup."""
    parts = _PAGE.sub(r"`\g<0>`", " ".join(text.split())).split("`")
    return "`".join(part if number % 2 else _MARKUP.sub(r"\\\1", part) for number, part in enumerate(parts))


def _wrapped(text: str) -> str:
    """Return a command on lines that a phone can show; an option stays with its first value."""
    glued = _OPTION.sub("\\1\0", " ".join(text.split()))
    lines = textwrap.wrap(glued, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return " \\\n    ".join(lines).replace("\0", " ")
