"""Match the patterns of `--include`, `--exclude` and `--media-type`.

As in .gitignore, `*` and `?` stop at `/`, `**` does not, and `[a-z]` and `[!a-z]` match one character. A pattern
without `/` matches a component at any depth, one with `/` matches from the top. A folder that matches includes
everything below it. Case matters. Media types are compared as a whole and without case (RFC 6838, section 4.2); in
their patterns `*` also crosses `/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import InvalidInputError
from ..linear_match import AnyBut, Chain, Chosen, Literal, Pattern, Repeat

# `]` right after `[` or `[!` belongs to the set. `[` without a closing bracket is an ordinary character.
_SYMBOL = re.compile(r"\*\*/?|\*|\?|\[(?:!.|[^!])[^\]]*\]|.", re.DOTALL)
_ANY, _IN_COMPONENT = AnyBut(), AnyBut("/")
_FOLDERS = Repeat(Chain([Repeat(_ANY), Literal("/")]), 0, 1)
_CONTENT = Repeat(Chain([Literal("/"), Repeat(_ANY)]), 0, 1)
_WILDCARDS: dict[str, Pattern] = {
    "**/": _FOLDERS, "**": Repeat(_ANY), "*": Repeat(_IN_COMPONENT), "?": _IN_COMPONENT,
}  # fmt: skip


def _part(symbol: str) -> Pattern:
    if symbol in _WILDCARDS:
        return _WILDCARDS[symbol]
    return _set(symbol) if len(symbol) > 1 else Literal(symbol)


def _set(symbol: str) -> Pattern:
    body = symbol[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    negated = body.startswith("!")
    body = body[negated:].replace("]", "\\]").replace("^", "\\^")
    # Python may give [a--b] and [a&&b] a meaning some day.
    body = re.sub(r"[&~|]|(?<=-)-", r"\\\g<0>", body)
    found = re.compile(f"(?!/)[{'^' if negated else ''}{body}]", re.DOTALL)
    return Chosen(lambda character: found.match(character) is not None)


class Glob:
    """A compiled pattern. Raises InvalidInputError when *pattern* is invalid."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        anchored = pattern.removesuffix("/")
        symbols = _SYMBOL.findall(anchored.removeprefix("./").removeprefix("/"))
        try:
            body = Chain([_part(symbol) for symbol in symbols])
        except re.error as error:
            raise InvalidInputError("The pattern is invalid", where=pattern, why=str(error)) from error
        self._whole = Chain([*([] if "/" in anchored else [_FOLDERS]), body, _CONTENT])
        runs = "".join(symbol if len(symbol) == 1 and symbol not in "*?" else "\0" for symbol in symbols).split("\0")
        self._needed = max(runs, key=len, default="")

    def matches(self, path: str) -> bool:
        """Return whether the pattern matches *path*, relative and with `/`, or a folder above it."""
        return self._needed in path and self._whole.matches(path)


def any_matches(globs: Iterable[Glob], path: str) -> bool:
    """Return whether any of *globs* matches *path*."""
    return any(glob.matches(path) for glob in globs)


def media_type_matches(pattern: str, media_type: str) -> bool:
    """Return whether *media_type* matches *pattern*, where `*` stands for any text. Case is ignored."""
    text = media_type.strip().lower()
    first, *others = pattern.strip().lower().split("*")
    if not others:
        return text == first
    *middle, last = others
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:  # the earliest place for each part leaves most to the others
        position = text.find(part, position, end) + len(part)
        if position < len(part):
            return False
    return True


@dataclass(frozen=True)
class Selection:
    """Selects files of an artifact. Empty lists select everything."""

    include: Sequence[Glob] = field(default=())
    exclude: Sequence[Glob] = field(default=())
    media_types: Sequence[str] = field(default=())

    @classmethod
    def of(cls, include: Iterable[str] = (), exclude: Iterable[str] = (), media_types: Iterable[str] = ()) -> Selection:
        """Compile patterns as the user typed them. Raises InvalidInputError."""
        return cls(tuple(map(Glob, include)), tuple(map(Glob, exclude)), tuple(media_types))

    def has_type(self, media_type: str) -> bool:
        """Return whether files of *media_type* are selected."""
        return not self.media_types or any(media_type_matches(pattern, media_type) for pattern in self.media_types)

    def wants(self, title: str, media_type: str, folder: bool = False) -> bool:
        """Return whether the file *title* of type *media_type* is selected. Exclusion wins.

        A *folder* is selected as a whole, also by a pattern for all its content (`docs/**`).
        """
        if not self.has_type(media_type):
            return False
        names = (title, f"{title}/") if folder else (title,)
        if self.include and not any(any_matches(self.include, name) for name in names):
            return False
        return not any(any_matches(self.exclude, name) for name in names)
