"""The chart of speeds compared with oras, as SVG without scripts or fonts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABELS, ROW, BAR, TOP = 960, 430, 26, 14, 52
MOST = 100.0
LEAST = 0.25
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Bar:
    """One bar: *label* is *times* as fast as oras; *goal* is marked if there is one."""

    label: str
    times: float
    goal: float | None


def svg(bars: Sequence[Bar], title: str) -> str:
    """Draw *bars* on a logarithmic axis; those that miss their goal are orange."""
    height = TOP + ROW * len(bars) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="20" font-size="15" fill="#1f2328">{escape(title)}</text>',
        *[_tick(value, height) for value in TICKS],
        *[part for number, bar in enumerate(bars) for part in _bar(bar, TOP + ROW * number)],
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def position(times: float) -> float:
    """Return the x coordinate of *times*, in user units."""
    inside = min(max(times, LEAST), MOST)
    share = math.log(inside / LEAST) / math.log(MOST / LEAST)
    return round(LABELS + share * (WIDTH - LABELS - 60), 1)


def _tick(value: float, height: int) -> str:
    x, colour = position(value), "#57606a" if value == 1 else "#d0d7de"
    line = f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{height - 12}" stroke="{colour}"/>'
    return line + f'<text x="{x}" y="{TOP - 12}" text-anchor="middle" fill="#57606a">{value:g} ×</text>'


def _bar(bar: Bar, y: int) -> list[str]:
    start, end = sorted((position(1), position(bar.times)))
    reached = bar.goal is None or bar.times >= bar.goal
    middle = y + BAR - 3
    parts = [
        f'<text x="{LABELS - 8}" y="{middle}" text-anchor="end" fill="#1f2328">{escape(bar.label)}</text>',
        f'<rect x="{start}" y="{y}" width="{max(end - start, 1):.1f}" height="{BAR}" '
        f'fill="{"#0969da" if reached else "#bc4c00"}"/>',
        f'<text x="{end + 5}" y="{middle}" fill="#1f2328">{bar.times:.2f}</text>',
    ]
    if bar.goal is not None:
        x = position(bar.goal)
        parts.append(
            f'<line x1="{x}" y1="{y - 3}" x2="{x}" y2="{y + BAR + 3}" stroke="#1a7f37" stroke-width="2">'
            f"<title>goal {bar.goal:g}</title></line>"
        )
    return parts
