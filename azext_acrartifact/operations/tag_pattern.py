"""Regular expressions in the filters of a purge: Python's syntax, matched without backtracking."""

from __future__ import annotations

import re

from ..linear_match import AnyBut, At, Chain, Chosen, Either, Literal, Look, Pattern, Repeat, Text

MOST_STEPS = 300_000
"""Most work for one name: some hundredths of a second."""
DEEPEST = 20
_TOKEN = re.compile(
    r"\\x..|\\u....|\\U........|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\(\?[aimsu]+\)|\(\?(?:P<\w+>|<?[=!]|[aimsu-]*:)|\(\?|\{\d+\}|\{\d*,\d*\}|.",
    re.DOTALL,
)
_WORD = Chosen(lambda character: character == "_" or character.isalnum())
_LOOKS = {"(?=": (True, False), "(?!": (True, True), "(?<=": (False, False), "(?<!": (False, True)}


def _boundaries(text: Text) -> int:
    words = _WORD.where(text)
    return words ^ words << 1


_AT = {
    "^": lambda text: 1,
    "\\A": lambda text: 1,
    "$": lambda text: text.end,
    "\\Z": lambda text: text.end,
    "\\b": _boundaries,
    "\\B": lambda text: text.everywhere & ~_boundaries(text),
}


def parse_pattern(text: str) -> Pattern:
    """Parse a regular expression. Raises ValueError for what this cannot match, and `re.error` for what is none."""
    re.compile(text)
    found = _Parser(text).parse()
    if found.steps > MOST_STEPS:
        raise ValueError("it repeats too much")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._next = 0
        self._flags = ""
        self._depth = 0

    def parse(self) -> Pattern:
        """Return the pattern."""
        if start := re.match(r"\(\?([aimsu]+)\)", self._peek()):
            self._flags = start[1]
            self._next = 1
        return self._either()

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        self._next += 1
        return str(self._tokens[self._next - 1])

    def _either(self) -> Pattern:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("its groups are nested too deep")
        branches = [self._sequence()]
        while self._peek() == "|":
            self._take()
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Either(branches)

    def _sequence(self) -> Pattern:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._one()))
        return parts[0] if len(parts) == 1 else Chain(parts)

    def _one(self) -> Pattern:
        token = self._take()
        if token[0] == "(":
            return self._group(token)
        if token in _AT:
            return At(_AT[token])
        if token[0] == "\\" and token[1].isdigit():
            raise ValueError("it refers back to a group")
        if token == ".":
            return AnyBut("" if "s" in self._flags else "\n")
        if len(token) == 1 and "i" not in self._flags:
            return Literal(token)
        flags = f"(?{self._flags})" if self._flags else ""
        compiled = re.compile(flags + token)
        return Chosen(lambda character: compiled.match(character) is not None)

    def _group(self, token: str) -> Pattern:
        before = self._flags
        if token in _LOOKS:
            found: Pattern = Look(self._either(), *_LOOKS[token])
        elif token == "(" or token.startswith("(?P<"):
            found = self._either()
        elif token.endswith(":"):
            on, _, off = token[2:-1].partition("-")
            self._flags = "".join(sorted({*self._flags, *on} - {*off}))
            found = self._either()
        else:
            raise ValueError(f"it uses {token}, which is not supported")
        self._flags = before
        self._take()
        return found

    def _repeated(self, part: Pattern) -> Pattern:
        token = self._peek()
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(token)
        if token[:1] == "{" and len(token) > 1:
            least, comma, most = token[1:-1].partition(",")
            bounds = int(least or 0), int(most) if most else None if comma else int(least)
        if bounds is None:
            return part
        self._take()
        if self._peek() == "?":  # a lazy repetition matches the same texts
            self._take()
        elif self._peek() == "+":
            raise ValueError("it uses a possessive repetition, which is not supported")
        least_times, most_times = bounds
        if least_times == 1 and most_times is None:
            return Chain([part, Repeat(part)])
        return Repeat(part, least_times, most_times)
