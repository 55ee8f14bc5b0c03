"""The services and what they wait for, as text, Mermaid or SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from invoke_devstack.planning.graph import dependencies, start_order

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _GAP_Y = 150, 44, 60, 24
_COLOURS = {"healthy": "#2e7d32", "running": "#2e7d32", "exited": "#757575", "unhealthy": "#c62828"}


@dataclass(frozen=True, slots=True)
class Node:
    """A service. `needs` maps what it waits for to the condition; `level` is its distance from the start."""

    name: str
    needs: Mapping[str, str]
    level: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes in an order in which they could start."""

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, services: Mapping[str, Service], states: Mapping[str, str]) -> Picture:
        """`states` of the services that have a container, by name."""
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
        places = self._places()
        width = max((x for x, _ in places.values()), default=0) + _BOX_WIDTH + 20
        height = max((y for _, y in places.values()), default=0) + _BOX_HEIGHT + 20
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="14">',
            '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>',
        ]
        for node in self.nodes:
            parts += [_arrow(places[other], places[node.name]) for other in node.needs]
        parts += [_box(node, *places[node.name]) for node in self.nodes]
        return "\n".join([*parts, "</svg>"])

    def _places(self) -> dict[str, tuple[int, int]]:
        filled: dict[int, int] = {}
        places = {}
        for node in self.nodes:
            row = filled.get(node.level, 0)
            filled[node.level] = row + 1
            places[node.name] = (
                10 + node.level * (_BOX_WIDTH + _GAP_X),
                10 + row * (_BOX_HEIGHT + _GAP_Y),
            )
        return places


def _words(condition: str) -> str:
    return {
        "service_started": "started",
        "service_healthy": "healthy",
        "service_completed_successfully": "done",
    }.get(condition, condition)


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _BOX_WIDTH, start[1] + _BOX_HEIGHT // 2
    x2, y2 = end[0], end[1] + _BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    path = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    return f'<path d="{path}" fill="none" stroke="#888" marker-end="url(#a)"/>'


def _box(node: Node, x: int, y: int) -> str:
    colour = _COLOURS.get(node.state, "#1565c0")
    lines = [(node.name, "bold"), (node.state, "normal")] if node.state else [(node.name, "bold")]
    step = _BOX_HEIGHT / (len(lines) + 1)
    texts = "".join(
        f'<text x="{x + _BOX_WIDTH / 2}" y="{y + step * (index + 1) + 5:.0f}" text-anchor="middle" '
        f'font-weight="{weight}">{escape(text)}</text>'
        for index, (text, weight) in enumerate(lines)
    )
    frame = f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" fill="#fff" '
    return f'{frame}stroke="{colour}" stroke-width="2"/>{texts}'
