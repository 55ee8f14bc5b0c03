"""Checks that the values of a file are of the kinds that their keys are declared with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.syntax.scalars import to_text
from invoke_devstack.definition.syntax.tree import (
    Items,
    Location,
    Steps,
    Table,
    dotted,
    kind_of,
    shortened,
)
from invoke_devstack.errors import DefinitionError, did_you_mean

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import ValueType


def check(
    value: Any, kind: ValueType[Any], location: Location, steps: Steps = (), *, repeats: bool = False
) -> None:
    """Raises DefinitionError at the first place where `value` is not of `kind`. `repeats`: a list whose
    entries must differ may have one twice."""
    match value:
        case Table() if kind.part is not None:
            _check_part(value, kind, location, steps, repeats)
        case Table() if kind.values is not None:
            _check_values(value, kind, kind.values, steps, repeats)
        case Items() if kind.items is not None:
            _check_items(value, kind.items, kind.distinct and not repeats, steps, repeats)
        case str() if kind.text:
            _check_text(value, kind, location, steps)
        case bool() if kind.boolean:
            return
        case None if kind.nothing:
            return
        case int() | float() if not isinstance(value, bool) and _is_number(value, kind):
            _check_number(value, kind, location, steps)
        case _:
            raise _wrong(f"must be {wanted(kind)}, not {kind_of(value)}", location, steps)


def _is_number(value: float, kind: ValueType[Any]) -> bool:
    if not math.isfinite(value):
        return False
    return kind.number or (kind.integer and value == int(value))


def _check_number(value: float, kind: ValueType[Any], location: Location, steps: Steps) -> None:
    if kind.lowest is not None and value < kind.lowest:
        raise _wrong(f"must be at least {kind.lowest}, but is {value}", location, steps)
    if kind.highest is not None and value > kind.highest:
        raise _wrong(f"must be at most {kind.highest}, but is {value}", location, steps)


def _check_text(value: str, kind: ValueType[Any], location: Location, steps: Steps) -> None:
    if kind.choices and value not in kind.choices:
        hint = did_you_mean(value, kind.choices)
        raise _wrong(f"must be {_either(kind.choices)}, not `{shortened(value)}`", location, steps, hint)
    if kind.pattern is not None and not kind.pattern.search(value):
        raise _wrong(f"must be {kind.expected}, not `{shortened(value)}`", location, steps)


def _either(choices: tuple[str, ...]) -> str:
    return _joined([f"`{choice}`" for choice in choices])


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _check_items(value: Items, kind: ValueType[Any], distinct: bool, steps: Steps, repeats: bool) -> None:
    seen: set[tuple[bool, str]] = set()
    for index, (item, location) in enumerate(value.entries()):
        own = (*steps, f"[{index}]")
        check(item, kind, location, own, repeats=repeats)
        if not distinct or isinstance(item, dict | list):
            continue
        text = to_text(item)
        # As Compose does: "1" and then 1 is a duplicate, 1 and then "1" is not.
        if (isinstance(item, str), text) in seen or (True, text) in seen:
            message = f"is a duplicate of an earlier entry, `{shortened(str(item))}`"
            raise _wrong(message, location, own, "Keep one of them.")
        seen.add((isinstance(item, str), text))


def _check_part(value: Table, kind: ValueType[Any], location: Location, steps: Steps, repeats: bool) -> None:
    assert kind.part is not None
    keys = kind.part.keys
    for key, item in value.items():
        own = keys.get(key)
        if own is not None:
            check(item, own.kind, value.location_of(key), (*steps, key), repeats=repeats)
        elif not kind.lenient and not (kind.part.extensible and key.startswith("x-")):
            raise _unknown_key(key, value, kind, steps)
    if kind.lenient:
        return
    for name, own in keys.items():
        if own.required and name not in value:
            hint = f"Add `{name}: …` below `{dotted(steps)}`."
            raise _wrong(f"needs `{name}`", location, steps, hint)


def _check_values(
    value: Table, kind: ValueType[Any], values: ValueType[Any], steps: Steps, repeats: bool
) -> None:
    for key, item in value.items():
        if kind.names.match(key):
            check(item, values, value.location_of(key), (*steps, key), repeats=repeats)
        elif not kind.lenient:
            raise DefinitionError(
                f"invalid name `{key}` {_where(steps)}",
                hint="Use letters, digits, `.`, `_` and `-`.",
                position=value.location_of(key).key_position((*steps, key)),
            )


def _unknown_key(key: str, table: Table, kind: ValueType[Any], steps: Steps) -> DefinitionError:
    assert kind.part is not None
    known = sorted(name for name in kind.part.keys if not name.startswith("x-"))
    hint = did_you_mean(key, known, f"Known keys: {', '.join(known)}.")
    if not steps and _is_service(table[key]):
        hint = f"Put `{key}` below `services:`."
    elif kind.part.extensible:
        hint += " Keys of your own must start with `x-`."
    position = table.location_of(key).key_position((*steps, key))
    return DefinitionError(f"unknown key `{key}` {_where(steps)}", hint=hint, position=position)


def _is_service(value: Any) -> bool:
    """Whether a value at the top level is a service, as in a file of version 1, which has no `services`."""
    return isinstance(value, Table) and not {"image", "build", "extends"}.isdisjoint(value)


def _where(steps: Steps) -> str:
    return f"in `{dotted(steps)}`" if steps else "at the top level of the file"


def wanted(kind: ValueType[Any]) -> str:
    """What is accepted, in words."""
    kinds = {
        "a string": kind.text,
        "a number": kind.number,
        "an integer": kind.integer and not kind.number,
        "true or false": kind.boolean,
        "a list": kind.items is not None,
        "a mapping": kind.part is not None or kind.values is not None,
        "empty": kind.nothing,
    }
    return _joined([words for words, accepted in kinds.items() if accepted])


def _wrong(message: str, location: Location, steps: Steps, hint: str = "") -> DefinitionError:
    subject = f"`{dotted(steps)}`" if steps else "the file"
    return DefinitionError(f"{subject} {message}", hint=hint, position=location.position(steps))
