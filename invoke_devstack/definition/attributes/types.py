"""The value types that keys of several parts have. A type that only one part has is next to that part.

A name says what a file may hold. `T.but(cast=None)` is the same type with a step left out, which some keys
need because Compose leaves it out there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from invoke_devstack.definition.attributes import decode, merge
from invoke_devstack.definition.attributes.part import Merge, Part, Rewrite, ValueType
from invoke_devstack.definition.syntax.scalars import parse_boolean, parse_float, parse_integer, to_text
from invoke_devstack.definition.syntax.tree import Items, Location, Steps, Table, items_of, table_of
from invoke_devstack.definition.syntax.units import Bytes, Seconds

Value = TypeVar("Value")
PartType = TypeVar("PartType", bound=Part)

ANY_TEXT = re.compile(r".+")
NAME = re.compile(r"[a-zA-Z0-9._-]+\Z")
_NO_MAPPING: Mapping[str, Any] = {}

TEXT: ValueType[str | None] = ValueType(decode.text, None, text=True)
FLAG: ValueType[bool] = ValueType(decode.flag, False, boolean=True)
SWITCH: ValueType[bool] = FLAG.but(text=True, cast=parse_boolean)
SWITCH_OR_TEXT: ValueType[str | None] = TEXT.but(boolean=True, expand=lambda value, *_: to_text(value))
COUNT: ValueType[int | None] = ValueType(decode.number, None, integer=True, text=True, cast=parse_integer)
NUMBER: ValueType[int | None] = COUNT.but(integer=False, number=True)
POSITIVE: ValueType[int | None] = NUMBER.but(decode=decode.count)
FRACTION: ValueType[float | None] = ValueType(decode.fraction, None, number=True, text=True, cast=parse_float)
SIZE: ValueType[Bytes | None] = ValueType(decode.size, None, number=True, text=True)
WHOLE_SIZE: ValueType[Bytes | None] = SIZE.but(number=False, integer=True)
TEXT_SIZE: ValueType[Bytes | None] = SIZE.but(number=False)
DURATION: ValueType[Seconds | None] = ValueType(decode.duration, None, text=True)

TEXTS: ValueType[tuple[str, ...]] = ValueType(decode.texts, (), items=TEXT)
DISTINCT_TEXTS: ValueType[tuple[str, ...]] = TEXTS.but(distinct=True)
TEXT_OR_LIST: ValueType[tuple[str, ...]] = DISTINCT_TEXTS.but(text=True)
COMMAND: ValueType[tuple[str, ...] | None] = ValueType(
    decode.command, None, text=True, items=TEXT, nothing=True
)

SCALAR: ValueType[str | None] = TEXT.but(number=True, boolean=True, nothing=True)
LABELS: ValueType[Mapping[str, str]] = ValueType(
    decode.labels, _NO_MAPPING, items=TEXT, distinct=True, values=SCALAR, names=ANY_TEXT, pairs=True
)
VARIABLES: ValueType[Mapping[str, str | None]] = LABELS.but(decode=decode.variables)
OPTIONS: ValueType[Mapping[str, str]] = ValueType(
    decode.labels, _NO_MAPPING, values=TEXT.but(number=True), names=ANY_TEXT, lenient=True
)
TEXT_OPTIONS: ValueType[Mapping[str, str]] = OPTIONS.but(decode=decode.mapping_of(decode.text))
TEXT_MAPPING: ValueType[Mapping[str, str]] = OPTIONS.but(values=TEXT, lenient=False)


def merged(kind: ValueType[Value]) -> ValueType[Value]:
    """Lists and mappings that merge as lists, of which the last entry with a key stays."""
    return kind.but(promote=merge.as_list, unique=merge.unique_by(merge.pair_key))


def unique(kind: ValueType[Value]) -> ValueType[Value]:
    """Lists in which merging leaves each entry once."""
    return kind.but(unique=merge.unique_by(merge.pair_key))


def one_of(*choices: str) -> ValueType[Any]:
    """A text that is one of `choices`."""
    return TEXT.but(choices=choices)


def between(kind: ValueType[Value], lowest: int, highest: int | None = None) -> ValueType[Value]:
    """A number within limits."""
    return kind.but(lowest=lowest, highest=highest)


def part(kind: type[PartType], *, lenient: bool = False, **settings: Any) -> ValueType[PartType | None]:
    """A mapping with the keys of a part. `lenient` ignores unknown keys and requires none."""
    decoder = partial(decode.decode_part, kind, lenient=lenient)
    return ValueType(decoder, None, part=kind, lenient=lenient, **settings)


def list_of(kind: ValueType[Value | None], **settings: Any) -> ValueType[tuple[Value, ...]]:
    """A list of values of one type."""
    decoder: Any = decode.list_of(kind.decode)
    return ValueType(decoder, (), items=kind, **settings)


def paths_of(kind: ValueType[Value], resolve: Rewrite) -> ValueType[Value]:
    """A mapping whose values are paths."""
    assert kind.values is not None
    return kind.but(values=kind.values.but(resolve=resolve))


def named(kind: ValueType[Value | None], **settings: Any) -> ValueType[Mapping[str, Value]]:
    """A mapping of names to values of one type."""
    decoder: Any = decode.mapping_of(kind.decode)
    return ValueType(decoder, _NO_MAPPING, values=kind, **{"names": NAME, **settings})


def named_or_nothing(kind: ValueType[Value | None], **settings: Any) -> ValueType[Mapping[str, Value | None]]:
    """The same, where a name alone is enough."""
    decoder: Any = decode.mapping_of(decode.nullable(kind.decode))
    values = kind.but(nothing=True)
    return ValueType(decoder, _NO_MAPPING, values=values, **{"names": NAME, **settings})


def replaced(kind: ValueType[Value]) -> ValueType[Value]:
    """A value that an override replaces as a whole."""
    rule: Merge = merge.replace
    return kind.but(merge=rule)


def listed(value: Any, location: Location, steps: Steps) -> Any:
    """Long form of a single text: a list of it."""
    return items_of([(value, location)], location) if isinstance(value, str) else value


def text_as(key: str) -> Rewrite:
    """Long form of a text: a mapping with the text at `key`."""
    return lambda value, location, steps: (
        table_of({key: value}, location) if isinstance(value, str) else value
    )


def defaults(**values: Any) -> Rewrite:
    """Completes a mapping with `values` for the keys that it lacks."""

    def complete(value: Any, location: Location, steps: Steps) -> Any:
        if isinstance(value, Table):
            for key, item in values.items():
                value.setdefault(key, item)
        return value

    return complete


def without_empty(value: Any, location: Location, steps: Steps) -> Any:
    """Long form of texts: a list without empty ones."""
    value = listed(value, location, steps)
    if not isinstance(value, Items):
        return value
    return items_of([entry for entry in value.entries() if entry[0]], value.location)
