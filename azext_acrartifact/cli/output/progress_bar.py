"""Progress bars as lines of text that fit the terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from .units import human_size

WIDEST_BAR = 40
NARROWEST_BAR = 8
NAME_ROOM = 38
"""Columns that a name gets before the bar does."""
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


def file_line(one: Bar, columns: int, speed: str = "") -> str:
    """Return a line like `Uploading   [####....]  50% of 10.0 MiB  name`; *speed* stands before the name."""
    amount = f" {_percent(one.share)} of {human_size(one.size)}{speed}"
    return _line(f"{one.verb:11} ", one.share, amount, one.name, columns)


def total_line(moved: int, total: int, speed: str, hidden: int, columns: int) -> str:
    """Return the line for all files; *hidden* files have no line of their own."""
    share = _share(moved, total)
    amount = f" {_percent(share)} of {human_size(total)}{speed}"
    return _line("Total       ", share, amount, f"and {hidden} more files" if hidden else "", columns)


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


def rows(lines: list[str], columns: int) -> int:
    """Return how many rows *lines* take on a terminal with *columns* that wraps them."""
    return sum(max(1, -(-cells(line) // max(1, columns))) for line in lines)


def _line(verb: str, share: float, amount: str, name: str, columns: int) -> str:
    """Return a line that leaves the last column free, since a character there makes some terminals wrap."""
    room = columns - 1
    width = max(0, min(WIDEST_BAR, room - cells(verb) - cells(amount) - 2 - min(NAME_ROOM, cells(name) + 2)))
    drawn = "" if width < NARROWEST_BAR else f"[{'#' * int(width * share):.<{width}}]"
    line = f"{verb}{drawn}{amount}"
    return fit(f"{line}  {fit_middle(name, max(room - cells(line) - 2, 0))}" if name else line, room)


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
