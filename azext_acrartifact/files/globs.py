"""Which files a pattern means: `--include`, `--exclude` and `--media-type`.

The rule, as in .gitignore: `*` and `?` stop at `/`, `**` does not, `[a-z]` and `[!a-z]` are one character. A pattern
without `/` is looked for in every component of a path, one with `/` is matched from the top; either way, what it
matches it takes with everything below. Case counts. Media types are compared whole and without case
(RFC 6838, section 4.2); there, `*` also crosses `/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError

# A bracket right after the opening one, or after `!`, is a member of the set; without another, `[` is itself.
_SYMBOL = re.compile(r"\*\*/?|\*|\?|\[(?:!.|[^!])[^\]]*\]|.", re.DOTALL)


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translate(symbol: str) -> str:
    if symbol in _WILDCARDS:
        return _WILDCARDS[symbol]
    if len(symbol) > 1:
        body = symbol[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        negated = body.startswith("!")
        body = body[negated:].replace("]", "\\]").replace("^", "\\^")
        # What Python's sets may mean some day: [a--b], [a&&b].
        body = re.sub(r"[&~|]|(?<=-)-", r"\\\g<0>", body)
        return f"(?!/)[{'^' if negated else ''}{body}]"
    return re.escape(symbol)


class Glob:
    """One pattern, compiled. Raises InvalidInputError when it cannot be."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        anchored = pattern.removesuffix("/")
        body = "".join(map(_translate, _SYMBOL.findall(anchored.removeprefix("./").removeprefix("/"))))
        start = "" if "/" in anchored else "(?:.*/)?"
        try:
            self._regex = re.compile(f"{start}(?:{body})(?:/.*)?", re.DOTALL)
        except re.error as error:
            raise InvalidInputError("The pattern cannot be read", where=pattern, why=str(error)) from error

    def matches(self, path: str) -> bool:
        """Whether *path*, relative and with `/`, is meant, itself or by a folder above it."""
        return self._regex.fullmatch(path) is not None


def any_matches(globs: Iterable[Glob], path: str) -> bool:
    """Whether one of *globs* means *path*."""
    return any(glob.matches(path) for glob in globs)


def media_type_matches(pattern: str, media_type: str) -> bool:
    """Whether *media_type* is *pattern*, in which `*` stands for any text; case does not count."""
    parts = map(re.escape, pattern.strip().lower().split("*"))
    return re.fullmatch(".*".join(parts), media_type.strip().lower(), re.DOTALL) is not None


@dataclass(frozen=True)
class Selection:
    """What of an artifact is asked for. Empty lists mean everything."""

    include: Sequence[Glob] = field(default=())
    exclude: Sequence[Glob] = field(default=())
    media_types: Sequence[str] = field(default=())

    @classmethod
    def of(cls, include: Iterable[str] = (), exclude: Iterable[str] = (), media_types: Iterable[str] = ()) -> Selection:
        """A selection from patterns as the user typed them."""
        return cls(tuple(map(Glob, include)), tuple(map(Glob, exclude)), tuple(media_types))

    def wants(self, title: str, media_type: str, folder: bool = False) -> bool:
        """Whether the file *title* of type *media_type* is asked for; exclusion wins.

        A *folder* is one piece, so a pattern for all that it holds (`docs/**`) means it as well.
        """
        if self.media_types and not any(media_type_matches(pattern, media_type) for pattern in self.media_types):
            return False
        names = (title, f"{title}/") if folder else (title,)
        if self.include and not any(any_matches(self.include, name) for name in names):
            return False
        return not any(any_matches(self.exclude, name) for name in names)
