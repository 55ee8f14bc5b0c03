"""Fills variables into a file's values, and casts texts to numbers and booleans as their keys declare it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.definition.syntax.template import (
    DOUBLING,
    RequiredVariableError,
    TemplateError,
    substitute,
)
from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table, VariableOrigin, dotted, fail
from invoke_devstack.local_files.reading import LARGEST

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import ValueType
    from invoke_devstack.definition.reading.environment import Environment
    from invoke_devstack.definition.reading.missing import Missing
    from invoke_devstack.definition.reading.unset import UnsetVariables


def rewrite(
    step: str, value: Any, kind: ValueType[Any], location: Location, steps: Steps = (), *context: Any
) -> Any:
    """`value` after `step` (`unique`, `expand`, `complete`, `verify` or `resolve`), in place where possible.
    `context` goes to each rule. A value is rewritten before those below it."""
    rule = getattr(kind, step)
    if rule is not None:
        value = rule(value, location, steps, *context)
    if isinstance(value, Table):
        _rewrite_table(step, value, kind, steps, context)
    elif isinstance(value, Items) and kind.items is not None and kind.items.has_below(step):
        for index, (item, own) in enumerate(value.entries()):
            value[index] = rewrite(step, item, kind.items, own, (*steps, f"[{index}]"), *context)
    return value


def _rewrite_table(
    step: str, table: Table, kind: ValueType[Any], steps: Steps, context: tuple[Any, ...]
) -> None:
    keys = kind.keys_with(step)
    if kind.values is not None and kind.values.has_below(step):
        keys = dict.fromkeys(table, kind.values)
    for key, own in keys.items():
        if key in table:
            table[key] = rewrite(step, table[key], own, table.location_of(key), (*steps, key), *context)


def interpolate(root: Table, environment: Environment, unset: UnsetVariables, missing: Missing) -> None:
    """Replaces the variables in all values of `root`, in place, and notes which are not set, and which must
    be. Raises DefinitionError with the position."""
    _Interpolation(environment, unset, missing).fill_table(root, (), FILE)


class _Interpolation:
    def __init__(self, environment: Environment, unset: UnsetVariables, missing: Missing) -> None:
        self.environment = environment
        self.unset = unset
        self.missing = missing
        self.expanded = 0  # characters of all values

    def fill_table(self, table: Table, steps: Steps, kind: ValueType[Any] | None) -> None:
        for key, item in table.items():
            if isinstance(item, str | Table | Items):
                below = kind.below(key) if kind else None
                own = (*steps, key)
                table[key], table.locations[key] = self._filled(item, table.location_of(key), own, below)

    def _fill_items(self, items: Items, steps: Steps, kind: ValueType[Any] | None) -> None:
        below = kind.items if kind else None
        for index, (item, location) in enumerate(items.entries()):
            if isinstance(item, str | Table | Items):
                own = (*steps, f"[{index}]")
                items[index], items.locations[index] = self._filled(item, location, own, below)

    def _filled(
        self, value: Any, location: Location, steps: Steps, kind: ValueType[Any] | None
    ) -> tuple[Any, Location]:
        if isinstance(value, Table):
            self.fill_table(value, steps, kind)
        elif isinstance(value, Items):
            self._fill_items(value, steps, kind)
        else:
            text, location = self._substituted(value, location, steps)
            return _cast(text, location, steps, kind), location
        return value, location

    def _miss(self, error: RequiredVariableError, location: Location, steps: Steps) -> None:
        hint = f"Set it in the environment, or in `.env`: {error.name}=…"
        self.missing.add(fail(f"`{dotted(steps)}`: {error}", location, steps, hint), error.name)

    def _substituted(self, text: str, location: Location, steps: Steps) -> tuple[str, Location]:
        if "$" not in text:
            return text, location
        used: dict[str, VariableOrigin] = {}

        def lookup(name: str) -> str | None:
            value = self.environment.get(name)
            used[name] = VariableOrigin(name, value or "", self.environment.source(name))
            return value

        try:
            result = substitute(
                text,
                lookup,
                on_blank=lambda name: self.unset.add(name, location, steps),
                on_required=lambda error: self._miss(error, location, steps),
            )
        except TemplateError as error:
            raise fail(f"`{dotted(steps)}`: {error}", location, steps, error.hint) from None
        self.expanded += len(result)
        if self.expanded > LARGEST:
            text = f"`{dotted(steps)}`: the values are larger than {LARGEST >> 20} MB in total"
            raise fail(text, location, steps, DOUBLING)
        return result, replace(location, raw=text, variables=tuple(used.values()))


def _cast(text: str, location: Location, steps: Steps, kind: ValueType[Any] | None) -> Any:
    if kind is None or kind.cast is None:
        return text
    try:
        return kind.cast(text)
    except ValueError as error:
        raise fail(f"`{dotted(steps)}`: {error}", location, steps) from None
