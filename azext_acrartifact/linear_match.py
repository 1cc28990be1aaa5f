"""Match a whole text in time that is bounded by the pattern's size and the text's length, whatever both are.

`re` tries one way after another, which takes minutes for a hostile text and a pattern like `.*-dev-.*-x`. Here, all
ways are followed at once: the positions that a part of a pattern can reach are the bits of one integer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence


class Text:
    """A text, with the positions of each of its characters as bits."""

    def __init__(self, text: str) -> None:
        self.positions: dict[str, int] = {}
        for number, character in enumerate(text):
            self.positions[character] = self.positions.get(character, 0) | 1 << number
        self.end = 1 << len(text)
        self.everywhere = 2 * self.end - 1


class Pattern(ABC):
    """A part of a pattern. *steps* bounds the work of matching it, for a text of *LONGEST* characters."""

    LONGEST = 129
    steps = 1

    @abstractmethod
    def ends(self, text: Text, starts: int) -> int:
        """Return the positions where a match ends that begins at one of *starts*."""

    def matches(self, text: str) -> bool:
        """Return whether this matches the whole *text*."""
        found = Text(text)
        return bool(self.ends(found, 1) & found.end)


class Character(Pattern):
    """One character of some kind."""

    @abstractmethod
    def where(self, text: Text) -> int:
        """Return the positions of such characters."""

    def ends(self, text: Text, starts: int) -> int:
        """Return the positions after such a character."""
        return (starts & self.where(text)) << 1


class Chosen(Character):
    """One character for which *is_one* is true."""

    def __init__(self, is_one: Callable[[str], bool]) -> None:
        self._is_one = is_one
        self._known: dict[str, bool] = {}

    def where(self, text: Text) -> int:
        """Return the positions of such characters."""
        found = 0
        for character, positions in text.positions.items():
            is_one = self._known.get(character)
            if is_one is None:
                is_one = self._known[character] = self._is_one(character)
            if is_one:
                found |= positions
        return found


class Literal(Character):
    """One given character."""

    def __init__(self, character: str) -> None:
        self._character = character

    def where(self, text: Text) -> int:
        """Return the positions of the character."""
        return text.positions.get(self._character, 0)


class AnyBut(Character):
    """Any character except those of *characters*."""

    def __init__(self, characters: str = "") -> None:
        self._characters = characters

    def where(self, text: Text) -> int:
        """Return the positions of all other characters."""
        found = text.end - 1
        for character in self._characters:
            found &= ~text.positions.get(character, 0)
        return found


class Chain(Pattern):
    """Parts one after the other."""

    def __init__(self, parts: Sequence[Pattern]) -> None:
        self._parts = parts
        self.steps = sum(part.steps for part in parts) + 1

    def ends(self, text: Text, starts: int) -> int:
        """Return the positions after the last part."""
        for part in self._parts:
            if not starts:
                break
            starts = part.ends(text, starts)
        return starts


class Either(Pattern):
    """One of several parts."""

    def __init__(self, parts: Sequence[Pattern]) -> None:
        self._parts = parts
        self.steps = sum(part.steps for part in parts) + 1

    def ends(self, text: Text, starts: int) -> int:
        """Return the positions after any of the parts."""
        found = 0
        for part in self._parts:
            found |= part.ends(text, starts)
        return found


class Repeat(Pattern):
    """A part *least* to *most* times; without *most*, any number of times."""

    def __init__(self, part: Pattern, least: int = 0, most: int | None = None) -> None:
        self._part, self._least, self._most = part, least, most
        self._run_of = part if isinstance(part, Character) and least == 0 and most is None else None
        # A run of one character is found in steps that double.
        times = self.LONGEST.bit_length() if self._run_of else min(self.LONGEST, self.LONGEST if most is None else most)
        self.steps = 1 + part.steps * times

    def ends(self, text: Text, starts: int) -> int:
        """Return the positions after each allowed number of repetitions."""
        if self._run_of:
            return _run(self._run_of.where(text), starts)
        # Beyond the text's length, one more repetition is of nothing, and changes nothing.
        for _ in range(min(self._least, text.end.bit_length())):
            starts = self._part.ends(text, starts)
        found = new = starts
        left = -1 if self._most is None else self._most - self._least
        while new and left:
            new = self._part.ends(text, new) & ~found
            found |= new
            left -= 1
        return found


def _run(where: int, starts: int) -> int:
    """Return all positions that are reached from *starts* through positions in *where*, in ever longer steps."""
    length = 1
    while where:
        starts |= (starts & where) << length
        where &= where >> length
        length *= 2
    return starts


class Look(Pattern):
    """A condition for a position: whether *part* matches there, *ahead* or behind, or does not if *negated*."""

    def __init__(self, part: Pattern, ahead: bool, negated: bool) -> None:
        self._part, self._ahead, self._negated = part, ahead, negated
        self.steps = 1 + part.steps * (self.LONGEST if ahead else 1)

    def ends(self, text: Text, starts: int) -> int:
        """Return those of *starts* that fulfil the condition."""
        if self._ahead:
            bits = (1 << number for number in range(starts.bit_length()) if starts >> number & 1)
            found = sum(bit for bit in bits if self._part.ends(text, bit))
        else:
            found = self._part.ends(text, text.everywhere)
        return starts & ~found if self._negated else starts & found


class At(Pattern):
    """A condition for a position that *where* returns all positions for."""

    def __init__(self, where: Callable[[Text], int]) -> None:
        self._where = where

    def ends(self, text: Text, starts: int) -> int:
        """Return those of *starts* that fulfil the condition."""
        return starts & self._where(text)
