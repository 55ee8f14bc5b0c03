"""Puts one tree over another: several files, `extends`, `!reset` (Compose Specification, "Merge").

Mappings are merged key by key and lists are appended. A type changes that with `promote` (both sides get one
form first) and `merge` (a rule of its own). Then, of list entries that mean the same, the last one stays
(`unique`). This module has the walk over the trees and the rules that the declarations use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invoke_devstack.definition.attributes.part import Rewrite, ValueType
from invoke_devstack.definition.syntax.scalars import to_text
from invoke_devstack.definition.syntax.tree import (
    Items,
    Location,
    Steps,
    Table,
    dotted,
    fail,
    items_of,
    kind_of,
)

AnyType = ValueType[Any] | None


def merge(base: Table, over: Table, kind: AnyType, steps: Steps = ()) -> Table:
    """`over` put over `base`, which is changed and returned. Raises DefinitionError if they do not fit."""
    for key, value in over.items():
        location = over.location_of(key)
        if key not in base:
            base.put(key, value, location)
            continue
        below = kind.below(key) if kind else None
        older = base.location_of(key)
        merged = _merged(base[key], value, below, (*steps, key), location)
        base.put(key, merged, older if merged is base[key] else location.over(older))
    return base


def _merged(base: Any, over: Any, kind: AnyType, steps: Steps, location: Location) -> Any:
    if kind is not None and kind.promote is not None:
        base, over = kind.promote(base, location, steps), kind.promote(over, location, steps)
    if kind is not None and kind.merge is not None:
        return kind.merge(base, over, kind, steps, location)
    if over is None:
        return base
    if isinstance(base, Table | Items) and not isinstance(over, base.__class__):
        message = f"`{dotted(steps)}` is {kind_of(over)}, but overrides {kind_of(base)}"
        raise fail(message, location, steps)
    if isinstance(base, Table):
        return merge(base, over, kind, steps)
    if isinstance(base, Items):
        _append(base, over)
        return base
    return over


def _append(base: Items, over: Items) -> None:
    for value, location in list(over.entries()):
        base.add(value, location)


def replace(base: Any, over: Any, kind: AnyType, steps: Steps, location: Location) -> Any:
    """Merge rule: the override alone stays."""
    return over


def append_new(base: Items, over: Items, kind: AnyType, steps: Steps, location: Location) -> Items:
    """Merge rule: appends the entries that are not in the base."""
    known = set(base)
    for value, own in over.entries():
        if value not in known:
            base.add(value, own)
    return base


def as_list(value: Any, location: Location, steps: Steps) -> Items:
    """`KEY=value` texts of a mapping; lists as they are; a single text as a list."""
    match value:
        case Table():
            entries = [
                (text, value.location_of(key))
                for key, item in value.items()
                for text in _pairs(key, item, value)
            ]
            return items_of(sorted(entries, key=lambda entry: entry[0]), value.location)
        case Items():
            return value
        case str():
            return items_of([(value, location)], location)
        case None:
            return Items(location)
    message = f"`{dotted(steps)}` must be a list or a mapping, not {kind_of(value)}"
    raise fail(message, location, steps)


def _pairs(key: str, value: Any, table: Table) -> list[str]:
    if value is None:
        return [key]
    values = value if isinstance(value, Items) else [value]
    if any(isinstance(item, dict | list) for item in values):
        raise fail(f"`{key}` must be a single value, not {kind_of(value)}", table.location_of(key))
    return [f"{key}={to_text(item)}" for item in values]


def by_name(value: Any, location: Location, steps: Steps) -> Table:
    """A list of names as a mapping to nothing."""
    if isinstance(value, Table):
        return value
    if value is None:
        return Table(location)
    if not isinstance(value, Items) or not all(isinstance(item, str) for item in value):
        raise fail(f"`{dotted(steps)}` must be a list of names or a mapping", location, steps)
    result = Table(value.location)
    for name, own in value.entries():
        result.put(name, None, own)
    return result


def unique_by(identity: Callable[[Any, Location, Steps], str]) -> Rewrite:
    """Of the list entries with the same identity, keeps the last one, where the first one stood."""

    def unique(value: Any, location: Location, steps: Steps) -> Any:
        if not isinstance(value, Items):
            return value
        places: dict[str, int] = {}
        result = Items(value.location)
        for number, (item, own) in enumerate(value.entries()):
            name = identity(item, own, (*steps, f"[{number}]"))
            if name in places:
                place = places[name]
                result[place] = item
                result.locations[place] = own.over(result.locations[place])
            else:
                places[name] = len(result)
                result.add(item, own)
        return result

    return unique


def pair_key(value: Any, location: Location, steps: Steps) -> str:
    """Identity: the key of a `KEY=value` text."""
    if not isinstance(value, str):
        raise fail(f"`{dotted(steps)}` must be a string, not {kind_of(value)}", location, steps)
    return value.partition("=")[0]


def target(value: Any, location: Location, steps: Steps) -> str:
    """Identity: the path in the container, of a mount or device in long form."""
    if not isinstance(value, Table):
        return ""
    found = value.get("target")
    if not isinstance(found, str):
        raise fail(f"`{dotted(steps)}` needs a `target`", location, steps, "Add the path in the container.")
    return found


def drop_reset(value: Any, resets: list[Steps]) -> None:
    """Removes what `!reset` and `!override` of a later document name."""
    for steps in resets:
        table = value
        for step in steps[:-1]:
            table = table.get(step) if isinstance(table, Table) else None
        if isinstance(table, Table) and steps:
            table.pop(steps[-1], None)
