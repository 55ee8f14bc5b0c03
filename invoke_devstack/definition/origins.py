"""Where each value of a definition comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from invoke_devstack.definition.origin import Origin
from invoke_devstack.definition.tree import Items, Mark, Steps, Table, dotted
from invoke_devstack.errors import Position


def collect_origins(root: Table) -> Mapping[str, Origin]:
    """The origins by dotted key. Worked out when the first one is asked for: most commands ask for none."""
    return _Origins(root)


class _Origins(Mapping[str, Origin]):
    def __init__(self, root: Table) -> None:
        self._root = root

    @cached_property
    def _marks(self) -> dict[str, tuple[Steps, Mark]]:
        return {dotted(steps): (steps, mark) for steps, mark in _walk(self._root, ())}

    def __getitem__(self, key: str) -> Origin:
        steps, mark = self._marks[key]
        overridden: list[Position] = []
        older = mark.replaced
        while older is not None:
            overridden.append(older.position(steps))
            older = older.replaced
        return Origin(mark.position(steps), mark.raw, mark.variables, tuple(overridden))

    def __iter__(self) -> Iterator[str]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)


def _walk(value: Table | Items, steps: Steps) -> Iterator[tuple[Steps, Mark]]:
    entries = (
        [(key, item, value.marks.get(key)) for key, item in value.items()]
        if isinstance(value, Table)
        else [(f"[{index}]", item, mark) for index, (item, mark) in enumerate(value.entries())]
    )
    for step, item, mark in entries:
        own = (*steps, _name(steps, step, item))
        if mark is not None:
            yield own, mark
        if isinstance(item, Table | Items):
            yield from _walk(item, own)


_BY_KEY = frozenset(("annotations", "args", "environment", "extra_hosts", "labels", "sysctls"))


def _name(steps: Steps, step: str, item: object) -> str:
    """The key of a `KEY=value` entry of a list that stands for a mapping; else the step as it is."""
    if steps and steps[-1] in _BY_KEY and isinstance(item, str) and step.startswith("["):
        return item.partition("=")[0]
    return step
