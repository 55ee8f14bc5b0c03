"""Puts the spans of a trace in the order of a waterfall, and brings clocks that differ together. Pure.

A request is nested: what a service does for a call lies within that call. Where it does not, the clocks of
two machines differ, and the spans of that service are moved as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from invoke_devstack.traces.rows import CLIENT, CONSUMER, SERVER


class Node:
    """A span. `place` is where it ran: spans of one place have one clock. Times are nanoseconds."""

    __slots__ = (
        "children", "depth", "end", "id", "kind", "orphan", "parent", "place", "row", "self_time", "shift",
        "start",
    )  # fmt: skip

    def __init__(
        self, id_: bytes, parent: bytes, start: int, end: int, kind: int, place: object, row: object = None
    ) -> None:
        self.id, self.parent, self.start, self.end, self.kind = id_, parent, start, end, kind
        self.place, self.row = place, row
        self.children: list[Node] = []
        self.depth = self.shift = self.self_time = 0
        self.orphan = False


_by_start = attrgetter("start", "id")


def arrange(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, each after its parent, with `depth`, `shift`, `orphan` and `self_time`; `start` and `end`
    include the shift."""
    by_id = {node.id: node for node in nodes}
    roots: list[Node] = []
    for node in nodes:
        parent = by_id.get(node.parent) if node.parent != node.id else None
        if parent is None:
            node.orphan = bool(node.parent)
            roots.append(node)
        else:
            parent.children.append(node)
    placed = _walk(sorted(roots, key=_by_start))
    if len(placed) < len(nodes):
        placed += _walk_circles(nodes, placed)
    return placed


def _walk(roots: Iterable[Node]) -> list[Node]:
    placed: list[Node] = []
    waiting = list(reversed(list(roots)))
    while waiting:
        node = waiting.pop()
        placed.append(node)
        for child in node.children:
            child.depth = node.depth + 1
            _shift(child, node)
        node.children.sort(key=_by_start)
        node.self_time = _own_time(node)
        waiting.extend(reversed(node.children))
    return placed


def _walk_circles(nodes: Sequence[Node], placed: Iterable[Node]) -> list[Node]:
    """Spans that are each other's parents: the earliest of a circle becomes a root."""
    found: list[Node] = []
    seen = {node.id for node in placed}
    for node in sorted(nodes, key=_by_start):
        if node.id in seen:
            continue
        node.orphan = True
        circle = _reached(node, seen)
        found += _walk([node]) if circle else []
        seen |= circle
    return found


def _reached(root: Node, seen: set[bytes]) -> set[bytes]:
    """What is below the root, whose circle is cut where it comes back to it."""
    reached = {root.id}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.children = [item for item in node.children if item.id not in reached and item.id not in seen]
        reached |= {item.id for item in node.children}
        waiting += node.children
    return reached


def _shift(child: Node, parent: Node) -> None:
    """Adds what is wrong with the child's clock to its times. The parent's are right already."""
    added = parent.shift if child.place == parent.place else _difference(child, parent)
    if added:
        child.shift = added
        child.start += added
        child.end += added


def _difference(child: Node, parent: Node) -> int:
    duration, around = child.end - child.start, parent.end - parent.start
    is_call = child.kind == SERVER and parent.kind == CLIENT
    early = child.start < parent.start
    late = is_call and (child.start > parent.end or (child.end > parent.end and duration <= around))
    if not (early or late):
        return 0
    if child.kind == CONSUMER or duration > around:
        return parent.start - child.start
    return parent.start + (around - duration) // 2 - child.start


def _own_time(node: Node) -> int:
    """The time in which no child ran. The children are in order."""
    covered, until = 0, node.start
    for child in node.children:
        begin, end = max(child.start, until), min(child.end, node.end)
        if end > begin:
            covered += end - begin
            until = end
    return node.end - node.start - covered
