"""A plot of lines as SVG, written by hand: what `up` and `down` take by the number of services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 760, 420, 60, 30, 50, 200
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#17becf", "#7f7f7f")


@dataclass(frozen=True)
class Point:
    """`line` took `seconds` at `size` services."""

    line: str
    size: int
    seconds: float


def draw(points: Sequence[Point], title: str) -> str:
    """The SVG's text. Lines of Compose are dashed."""
    largest = max(point.size for point in points)
    longest = max(point.seconds for point in points)

    def x(size: float) -> float:
        return _LEFT + size / largest * (_WIDTH - _LEFT - _RIGHT)

    def y(seconds: float) -> float:
        return _HEIGHT - _BOTTOM - seconds / longest * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 18, title, weight="bold"),
        _line(x(0), y(0), x(largest), y(0), "#333"),
        _line(x(0), y(0), x(0), y(longest), "#333"),
        _text(x(largest / 2), _HEIGHT - 12, "services", anchor="middle"),
    ]
    for size in sorted({point.size for point in points}):
        parts.append(_text(x(size), y(0) + 18, str(size), anchor="middle"))
    for step in range(5):
        seconds = longest * step / 4
        parts.append(_line(x(0), y(seconds), x(largest), y(seconds), "#ddd"))
        parts.append(_text(_LEFT - 8, y(seconds) + 4, f"{seconds:.1f} s", anchor="end"))
    for index, name in enumerate(dict.fromkeys(point.line for point in points)):
        own = sorted((point.size, point.seconds) for point in points if point.line == name)
        colour = _COLOURS[index // 2 % len(_COLOURS)]
        dashes = ' stroke-dasharray="6 4"' if "compose" in name else ""
        path = " ".join(f"{x(size):.1f},{y(seconds):.1f}" for size, seconds in own)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        row = _TOP + 16 * index
        parts.append(_line(_WIDTH - _RIGHT + 10, row, _WIDTH - _RIGHT + 35, row, colour, dashes))
        parts.append(_text(_WIDTH - _RIGHT + 40, row + 4, name))
    return "\n".join([*parts, "</svg>", ""])


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {place}>{escape(text)}</text>"
