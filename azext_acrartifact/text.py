"""Text that came from elsewhere, made safe to show.

A registry's error message, a title or a tag may hold terminal escapes, forged lines, right-to-left
overrides or Azure Pipelines' logging commands, which an agent obeys when it finds them in the output
(https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands).
"""

from __future__ import annotations

import re
import unicodedata

FIELD_LIMIT = 300
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PIPELINE_COMMAND = re.compile(r"##(?=\[|vso\[)|(?<!\S)::", re.IGNORECASE)

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){0,2}")


def printable(text: object, limit: int = FIELD_LIMIT) -> str:
    """*text* on one line of at most *limit* characters, with nothing that a terminal or an agent obeys."""
    raw = str(text)[: limit + 1]
    # What Python calls printable has none of the unsafe categories.
    safe = raw if raw.isprintable() else "".join(map(_escaped, raw))
    shown = _PIPELINE_COMMAND.sub(lambda match: " ".join(match.group()), safe)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def optional(value: object) -> str | None:
    """`printable` for a field of the output, at most 1,024 characters; None stays None."""
    return None if value is None else printable(value, 1024)


def without_tokens(text: str) -> str:
    """*text* without the signed tokens (RFC 7519) in it: what repeats a request may repeat its authorization."""
    return _TOKEN.sub("(a token)", text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
