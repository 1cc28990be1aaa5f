"""Match one pattern of a .gitignore file, as gitignore(5) describes it, in time linear in the pattern and the path.

`*`, `?` and sets (`[a-z]`, `[!a-z]`, `[[:digit:]]`) stop at `/`; `**` as a component stands for any number of folders.
A pattern with a `/` at its start or inside matches from the top, any other at any depth. A `/` at its end matches
folders only, `!` at its start takes back what earlier patterns matched, and `\\` makes the next character a plain one.
Blanks at the end are dropped. Case matters.

Three rules are kinder than git's: a leading `./` is dropped, a pattern always matches the very name that it spells,
such as `s[1].env`, and the Unicode form does not matter: macOS lists names in another than people type. A pattern that
can match nothing is an error.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import InvalidInputError
from ..linear_match import AnyBut, Chain, Chosen, Literal, Pattern, Repeat
from .names import composed

_ANY, _IN_COMPONENT = AnyBut(), AnyBut("/")
_FOLDERS = Repeat(Chain([Repeat(_ANY), Literal("/")]), 0, 1)
_BELOW = Chain([_ANY, Repeat(_ANY)])
_CLASSES = {
    "alnum": string.ascii_letters + string.digits, "alpha": string.ascii_letters, "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])), "digit": string.digits, "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase, "print": "".join(map(chr, range(32, 127))), "punct": string.punctuation,
    "space": string.whitespace, "upper": string.ascii_uppercase, "xdigit": string.hexdigits,
}  # fmt: skip


@dataclass(frozen=True)
class _Symbol:
    """One character of a component, one wildcard, or one set."""

    pattern: Pattern
    character: str = ""
    """The character, if it stands for itself."""
    stars: int = 0
    """The number of adjacent `*`."""


class _Impossible(Exception):
    """A pattern can match nothing."""


class Glob:
    """A compiled pattern. Raises InvalidInputError when *text* can match nothing."""

    def __init__(self, text: str) -> None:
        self.text = text
        body = composed(_without_blanks(text))
        self.negated = body.startswith("!")
        """Whether it takes back what earlier patterns matched."""
        body = body[self.negated :]
        self._folders_only = body.endswith("/")
        body = body.removesuffix("/")
        self.anchored = "/" in body
        """Whether it matches from the top."""
        self.name = body.removeprefix("./").removeprefix("/")
        """The name that the pattern spells."""
        try:
            components = _components(self.name)
        except _Impossible as error:
            raise InvalidInputError(
                "The pattern can match nothing", where=text, why=str(error), hint="Write it as in a .gitignore file."
            ) from error
        self._components = [None if _is_any_folders(one) else Chain([s.pattern for s in one]) for one in components]
        self._ends_in_stars = all(symbol.stars for symbol in components[-1])
        self._whole = _chained(self._components, self.anchored)
        self._needed = max(map(_longest_text, components), key=len)

    def matches(self, path: str, folder: bool = False) -> bool:
        """Return whether the pattern matches the file or *folder* of this very *path*, relative and with `/`."""
        if self._folders_only and not folder:
            return False
        path = composed(path)
        return self.spells(path) or (self._needed in path and self._whole.matches(path))

    def spells(self, path: str) -> bool:
        """Return whether *path*, which is `composed`, is the pattern itself, taken as plain text."""
        return path == self.name or (not self.anchored and path.rpartition("/")[2] == self.name)

    def may_match_below(self, folder: str) -> bool:
        """Return whether the pattern can match any path below *folder*, which is empty for the top."""
        if not self.anchored:
            return True
        parts = composed(folder).split("/") if folder else []
        if self.name.startswith("".join(f"{part}/" for part in parts)):
            return True
        at = {0}
        for part in parts:
            if any(self._components[number] is None for number in at):
                return True
            at = {number + 1 for number in at if self._matches_component(number, part)} - {len(self._components)}
        return bool(at)

    def covers(self, folder: str) -> bool:
        """Return whether the pattern matches everything below *folder*, such as `docs/**`."""
        return (
            self._ends_in_stars
            and not self._folders_only
            and self._whole.matches(f"{composed(folder)}/x" if folder else "x")
        )

    def _matches_component(self, number: int, part: str) -> bool:
        component = self._components[number]
        return component is not None and component.matches(part)


def _without_blanks(text: str) -> str:
    """Return *text* without blanks at its end, except one behind a backslash."""
    body = text.rstrip(" ")
    escapes = len(body) - len(body.rstrip("\\"))
    return body + " " if escapes % 2 and body != text else body


def _chained(components: Sequence[Pattern | None], anchored: bool) -> Pattern:
    """Return the pattern of a whole path. None among *components* stands for `**`."""
    parts: list[Pattern] = [] if anchored else [_FOLDERS]
    *above, last = components
    for component in above:
        parts += [_FOLDERS] if component is None else [component, Literal("/")]
    return Chain([*parts, _BELOW if last is None else last])


def _is_any_folders(component: Sequence[_Symbol]) -> bool:
    return len(component) == 1 and component[0].stars > 1


def _longest_text(component: Sequence[_Symbol]) -> str:
    return max("".join(symbol.character or "/" for symbol in component).split("/"), key=len)


def _components(body: str) -> list[list[_Symbol]]:
    """Return the symbols of each component of a pattern. Raises _Impossible."""
    found: list[list[_Symbol]] = [[]]
    position = 0
    while position < len(body):
        if body.startswith(("/", "\\/"), position):
            position += len("/") if body[position] == "/" else len("\\/")
            found.append([])
            continue
        symbol, position = _symbol(body, position)
        found[-1].append(symbol)
    for component in found:
        if not component:
            raise _Impossible("it has an empty component" if len(found) > 1 else "it is empty")
        if "".join(symbol.character or "*" for symbol in component) in (".", ".."):
            raise _Impossible("no path in an artifact has the component '.' or '..'")
    return found


def _symbol(body: str, position: int) -> tuple[_Symbol, int]:
    """Return the symbol at *position* and the position after it."""
    character = body[position]
    if character == "\\":
        if position + 1 == len(body):
            raise _Impossible("a backslash at its end has nothing to make plain")
        character = body[position + 1]
        return _Symbol(Literal(character), character), position + 2
    if character == "*":
        stars = len(body) - position - len(body[position:].lstrip("*"))
        return _Symbol(Repeat(_IN_COMPONENT), stars=stars), position + stars
    if character == "?":
        return _Symbol(_IN_COMPONENT), position + 1
    found = _set(body, position + 1) if character == "[" else None
    # `[` without a closing bracket is an ordinary character.
    return found or (_Symbol(Literal(character), character), position + 1)


def _set(body: str, position: int) -> tuple[_Symbol, int] | None:
    """Return the set whose content begins at *position*, and the position after it; None if it is not closed."""
    negated = body[position : position + 1] in ("!", "^")
    position += negated
    ranges: list[tuple[str, str]] = []
    named = ""
    first = position
    while position < len(body) and (body[position] != "]" or position == first):
        if body.startswith("[:", position) and (end := body.find(":]", position + 2)) > 0:
            named += _class(body[position + 2 : end])
            position = end + 2
            continue
        low, position = _member(body, position)
        high = low
        if body.startswith("-", position) and body[position + 1 : position + 2] not in ("", "]"):
            high, position = _member(body, position + 1)
        if low > high:
            raise _Impossible(f"the range {low}-{high} is empty")
        ranges.append((low, high))
    if position >= len(body):
        return None
    if not negated and not named and all(one == ("/", "/") for one in ranges):
        raise _Impossible("no name contains '/'")
    return _Symbol(Chosen(_chooser(ranges, named, negated))), position + 1


def _member(body: str, position: int) -> tuple[str, int]:
    """Return the character of a set at *position* and the position after it."""
    escaped = body[position] == "\\" and position + 1 < len(body)
    return body[position + escaped], position + escaped + 1


def _class(name: str) -> str:
    if name not in _CLASSES:
        raise _Impossible(f"[:{name}:] is none of {', '.join(_CLASSES)}")
    return _CLASSES[name]


def _chooser(ranges: Sequence[tuple[str, str]], named: str, negated: bool) -> Callable[[str], bool]:
    def is_one(character: str) -> bool:
        found = character in named or any(low <= character <= high for low, high in ranges)
        return found is not negated and character != "/"

    return is_one
