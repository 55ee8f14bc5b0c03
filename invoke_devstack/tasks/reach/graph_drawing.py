"""Services and their dependencies as text, Mermaid or SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from invoke_devstack.planning.graph import dependencies, start_order

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 44, 70, 28, 12
_NARROWEST, _LETTER = 110, 9  # pixels: of a box, and of a bold letter at most
_GREEN, _GREY, _RED, _BLUE = "#2e7d32", "#757575", "#c62828", "#1565c0"
_COLOURS = {
    "healthy": _GREEN,
    "running": _GREEN,
    "done": _GREEN,
    "exited": _GREY,
    "unhealthy": _RED,
    "restarting": _RED,
    "dead": _RED,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A service. `needs` maps each dependency to its condition; `level` is the longest path from a service
    without dependencies."""

    name: str
    needs: Mapping[str, str]
    level: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a service is drawn: upper left corner and width, in pixels."""

    x: int
    y: int
    width: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes, in an order in which they can start."""

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, services: Mapping[str, Service], states: Mapping[str, str]) -> Picture:
        """`states` maps services that have a container to its state."""
        nodes: dict[str, Node] = {}
        for name in start_order(services):
            service = services[name]
            needs = {
                other: service.depends_on[other].condition if other in service.depends_on else "shared"
                for other in dependencies(service)
                if other in services
            }
            level = max((nodes[other].level + 1 for other in needs), default=0)
            nodes[name] = Node(name, needs, level, states.get(name, ""))
        return cls(tuple(nodes.values()))

    def draw(self, style: str) -> str:
        """As `text`, `mermaid` or `svg`."""
        drawings = {"text": self._text, "mermaid": self._mermaid, "svg": self._svg}
        return drawings[style]()

    def data(self) -> list[dict[str, object]]:
        """For `--json`."""
        return [
            {"service": node.name, "state": node.state, "waits_for": dict(node.needs)} for node in self.nodes
        ]

    def _text(self) -> str:
        lines = []
        for node in self.nodes:
            lines.append(f"{node.name}{f'  ({node.state})' if node.state else ''}")
            conditions = [(other, _words(condition)) for other, condition in node.needs.items()]
            lines += [f"  waits for {other} {condition}" for other, condition in conditions]
        return "\n".join(lines)

    def _mermaid(self) -> str:
        ids = {node.name: f"s{index}" for index, node in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        for node in self.nodes:
            state = f"<br/>{node.state}" if node.state else ""
            lines.append(f'    {ids[node.name]}["{node.name}{state}"]')
        for node in self.nodes:
            for other, condition in node.needs.items():
                lines.append(f"    {ids[other]} -->|{_words(condition)}| {ids[node.name]}")
        return "\n".join(lines)

    def _svg(self) -> str:
        """Boxes in columns, dependencies on the left. On white, for pages of any colour."""
        boxes = self._boxes()
        width = max((box.x + box.width for box in boxes.values()), default=0) + _MARGIN
        height = max((box.y for box in boxes.values()), default=0) + _BOX_HEIGHT + _MARGIN
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">',
            '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
        ]
        for node in self.nodes:
            parts += [
                _arrow(boxes[other], boxes[node.name], f"{node.name} waits for {other}: {_words(how)}")
                for other, how in node.needs.items()
            ]
        parts += [_frame(node, boxes[node.name]) for node in self.nodes]
        return "\n".join([*parts, "</svg>"])

    def _boxes(self) -> dict[str, Box]:
        """Every second column is half a row lower, so that arrows across it run between its boxes."""
        row_height = _BOX_HEIGHT + _GAP_Y
        filled: dict[int, int] = {}
        boxes = {}
        for node in self.nodes:
            row = filled.get(node.level, 0)
            filled[node.level] = row + 1
            x = _MARGIN + sum(self._width(level) + _GAP_X for level in range(node.level))
            y = _MARGIN + row * row_height + node.level % 2 * row_height // 2
            boxes[node.name] = Box(x, y, self._width(node.level))
        return boxes

    def _width(self, level: int) -> int:
        """The width of a column: its longest name fits."""
        texts = (text for node in self.nodes if node.level == level for text in (node.name, node.state))
        return max(_NARROWEST, max(len(text) for text in texts) * _LETTER + 2 * _MARGIN)


def _words(condition: str) -> str:
    return {
        "service_started": "started",
        "service_healthy": "healthy",
        "service_completed_successfully": "done",
    }.get(condition, condition)


def _arrow(start: Box, end: Box, words: str) -> str:
    x1, y1 = start.x + start.width, start.y + _BOX_HEIGHT // 2
    x2, y2 = end.x, end.y + _BOX_HEIGHT // 2
    bend = _GAP_X // 2
    path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return (
        f'<path d="{path}" fill="none" stroke="#888" marker-end="url(#a)">'
        f"<title>{escape(words)}</title></path>"
    )


def _frame(node: Node, box: Box) -> str:
    colour = _COLOURS.get(node.state, _BLUE)
    lines = [(node.name, "bold"), (node.state, "normal")] if node.state else [(node.name, "bold")]
    step = _BOX_HEIGHT / (len(lines) + 1)
    texts = "".join(
        f'<text x="{box.x + box.width / 2}" y="{box.y + step * (index + 1) + 5:.0f}" text-anchor="middle" '
        f'font-weight="{weight}">{escape(text)}</text>'
        for index, (text, weight) in enumerate(lines)
    )
    size = f'width="{box.width}" height="{_BOX_HEIGHT}" rx="6" fill="#fff"'
    return f'<rect x="{box.x}" y="{box.y}" {size} stroke="{colour}" stroke-width="2"/>{texts}'
