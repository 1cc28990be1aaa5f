"""Make text from elsewhere safe to print, and shorten it.

The error message of a registry, a title or a tag may contain terminal escapes, forged lines, right-to-left overrides or
logging commands of Azure Pipelines, which an agent runs when it finds them in the output
(https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from .known_secrets import KNOWN

FIELD_LIMIT = 300
LINE_LIMIT = 1 << 20
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# `::` is a command at the start of a line, and az's YAML begins a line after any blank, quote or letter beyond ASCII.
_PIPELINE_COMMAND = re.compile(r"##(?=[a-z]*\[)|(?<![a-z0-9\[]):(?=:)", re.IGNORECASE)

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){0,2}")


def printable(text: object, limit: int = FIELD_LIMIT) -> str:
    """Return *text* on one line of at most *limit* characters, without known secrets and without anything that a
    terminal or an agent obeys."""
    # Secrets first: cut or escaped, one would no longer be recognized.
    raw = KNOWN.hide(str(text))[: limit + 1]
    # Characters that Python calls printable are in none of the unsafe categories.
    safe = raw if raw.isprintable() else "".join(map(_escaped, raw))
    shown = _PIPELINE_COMMAND.sub(lambda match: "# #" if match.group() == "##" else ": ", safe)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def printable_lines(text: str) -> str:
    """Return *text* with each of its lines as `printable`: the last step, since wrapping and joining may have put the
    middle of a text at the beginning of a line."""
    return "\n".join(printable(line, LINE_LIMIT) for line in text.split("\n"))


def optional(value: object) -> str | None:
    """Return `printable` text of at most 1,024 characters for the output; None stays None."""
    return None if value is None else printable(value, 1024)


def first_of(names: Sequence[str], most: int, between: str = ", ") -> str:
    """Return the first *most* of *names*, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def without_tokens(text: str) -> str:
    """Return *text* without signed tokens (RFC 7519): an error that repeats a request may repeat its authorization."""
    return _TOKEN.sub("(a token)", text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
