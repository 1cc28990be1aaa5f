"""Progress bars as lines of text that fit the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .units import human_size

WIDEST_BAR = 40
NARROWEST_BAR = 8
NAME_ROOM = 36
"""Columns that a name gets before the bar does."""
NAME_LEAST = 16
"""Columns that a name gets before the size, the rate and the remaining time do."""
FREE = 3
"""Columns at the end of a line that stay free: a character in the last one makes some terminals wrap, and Ctrl-C is
shown as two."""
LONGEST_LEFT = 99 * 3600
"""Seconds; a longer time is not shown."""


@dataclass
class Bar:
    """The progress of one file; *size* and *moved* are in bytes."""

    name: str
    verb: str
    size: int
    moved: int = 0

    @property
    def share(self) -> float:
        """The share that has moved, from 0 to 1."""
        return _share(self.moved, self.size)


def file_line(one: Bar, columns: int, speed: str = "", differs: int = 0) -> str:
    """Return a line like `Uploading   [####....]  50% of 10.0 MiB  name`; *speed* stands before the name. Of a long
    name, the characters around the index *differs* are shown."""
    room, least = columns - FREE, min(NAME_LEAST, cells(one.name))
    shapes = list(_shorter(f"{one.verb:11} ", one.share, one.size, speed))
    verb, amount = next((shape for shape in shapes if cells("".join(shape)) + 2 + least <= room), shapes[-1])
    left = room - cells(verb) - cells(amount) - 2
    width = max(0, min(WIDEST_BAR, left - 2 - min(NAME_ROOM, cells(one.name))))
    drawn = _drawn(one.share, width)
    return fit(f"{verb}{drawn}{amount}  {fit_name(one.name, max(0, left - cells(drawn)), differs)}".rstrip(), room)


def total_line(moved: int, total: int, speed: str, hidden: int, columns: int) -> str:
    """Return the line for all files; *hidden* files have no line of their own."""
    room, share = columns - FREE, _share(moved, total)
    more = f"  and {hidden} more files" if hidden else ""
    verb, whole = f"{'Total':11} ", f" {_percent(share)} of {human_size(total)}{speed}"
    if cells(verb + whole + more) <= room:
        return f"{verb}{_drawn(share, min(WIDEST_BAR, room - cells(verb + whole + more) - 2))}{whole}{more}"
    lines = (verb + amount for verb, amount in _shorter(verb, share, total, speed))
    return fit(next((line for line in lines if cells(line) <= room), ""), room)


def _shorter(verb: str, share: float, size: int, speed: str) -> Iterator[tuple[str, str]]:
    """Yield verb and amount, each time with less: without the time, the rate, the size, and finally the verb."""
    amount = f" {_percent(share)} of {human_size(size)}{speed}"
    while amount:
        yield verb, amount
        amount = amount.rpartition("  ")[0].rstrip()
    yield verb, f" {_percent(share)}"
    yield "", _percent(share)


def _drawn(share: float, width: int) -> str:
    return "" if width < NARROWEST_BAR else f"[{'#' * int(width * share):.<{width}}]"


def speed_text(moved: int, total: int, rate: float, estimate: bool = True) -> str:
    """Return *rate*, in bytes per second, as a text. With *estimate*, it has the remaining time once a hundredth of
    *total* has moved."""
    text = f"  {human_size(int(rate))}/s"
    if estimate and 0.01 <= _share(moved, total) < 1 <= rate and (total - moved) / rate <= LONGEST_LEFT:
        text += f"  {_duration((total - moved) / rate)} left"
    return text


def _share(moved: int, total: int) -> float:
    return min(1.0, max(0.0, moved / total)) if total else 1.0


def cells(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    return sum(map(_cells, text))


def fit(text: str, columns: int) -> str:
    """Return *text*, cut to at most *columns* with `…` at its end."""
    if cells(text) <= columns:
        return text
    shown, room = "", columns - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        shown += character
    return shown + "…" if columns > 0 else ""


def fit_middle(text: str, columns: int) -> str:
    """Return *text*, cut to at most *columns* with `…` after its beginning: parts of a model differ at their ends."""
    if cells(text) <= columns:
        return text
    end, room = "", columns * 2 // 3
    for character in reversed(text):
        room -= _cells(character)
        if room < 0:
            break
        end = character + end
    return fit(text, columns - cells(end)) + end


def fit_name(name: str, columns: int, differs: int = 0) -> str:
    """Return *name*, cut to at most *columns*, with the characters around the index *differs*."""
    cut = fit_middle(name, columns)
    beginning, _, end = cut.partition("…")
    if cut == name or differs < len(beginning) or differs >= len(name) - len(end):
        return cut
    return fit(f"…{name[max(0, differs - columns // 4) :]}", columns)


def differences(names: Sequence[str]) -> list[int]:
    """Return for each of *names* the index from which it differs from the others."""
    return [max((_same(name, other) for other in names if other != name), default=0) for name in names]


def _same(name: str, other: str) -> int:
    """Return the number of characters at the beginning that are the same."""
    pairs = enumerate(zip(name, other, strict=False))
    return next((index for index, (one, two) in pairs if one != two), min(len(name), len(other)))


def rows(lines: list[str], columns: int) -> int:
    """Return how many rows *lines* take on a terminal with *columns* that wraps them."""
    return sum(max(1, -(-cells(line) // max(1, columns))) for line in lines)


def _percent(share: float) -> str:
    """Return *share* in per cent, rounded down, so that 100 % means all."""
    return f"{int(share * 100):3}%"


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"
