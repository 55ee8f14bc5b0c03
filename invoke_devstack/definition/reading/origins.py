"""Where each value of a definition comes from: the positions that its tree remembers, by dotted key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.definition.syntax.tree import Items, Location, Origin, Steps, Table, dotted

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import ValueType
    from invoke_devstack.errors import Position


def collect_origins(root: Table) -> Mapping[str, Origin]:
    """The origins by dotted key. Worked out on first use: most commands use none."""
    return _Origins(root)


class _Origins(Mapping[str, Origin]):
    def __init__(self, root: Table) -> None:
        self._root = root

    @cached_property
    def _locations(self) -> dict[str, tuple[Steps, Location]]:
        return {dotted(steps): (steps, location) for steps, location in _walk(self._root, FILE, ())}

    def __getitem__(self, key: str) -> Origin:
        steps, location = self._locations[key]
        overridden: list[Position] = []
        older = location.replaced
        while older is not None:
            overridden.append(older.position(steps))
            older = older.replaced
        return Origin(location.position(steps), location.raw, location.variables, tuple(overridden))

    def __iter__(self) -> Iterator[str]:
        return iter(self._locations)

    def __len__(self) -> int:
        return len(self._locations)


def _walk(
    value: Table | Items, kind: ValueType[Any] | None, steps: Steps
) -> Iterator[tuple[Steps, Location]]:
    entries = (
        [(key, item, value.locations.get(key)) for key, item in value.items()]
        if isinstance(value, Table)
        else [(_entry(kind, index, item), item, own) for index, (item, own) in enumerate(value.entries())]
    )
    for step, item, location in entries:
        if location is not None:
            yield (*steps, step), location
        if isinstance(item, Table | Items):
            yield from _walk(item, kind.below(step) if kind else None, (*steps, step))


def _entry(kind: ValueType[Any] | None, index: int, item: object) -> str:
    """The key of a `KEY=value` entry in a list that replaces a mapping; else the index."""
    if kind is not None and kind.pairs and isinstance(item, str):
        return item.partition("=")[0]
    return f"[{index}]"
