"""What may stand where: a small language for the specification's schema, and its checker.

In the specification's schema the alternatives of a value always differ in kind (a text, a list, a
mapping …), so that one `Shape` can hold them all, and an error can say what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from invoke_devstack.definition.scalars import to_text
from invoke_devstack.definition.tree import Items, Mark, Steps, Table, dotted, kind_of, shortened
from invoke_devstack.errors import DefinitionError

NAME = re.compile(r"[a-zA-Z0-9._-]+\Z")
ANY_KEY = re.compile(r"")


@dataclass(frozen=True, slots=True)
class Shape:
    """The kinds a value may have. `keys` None: no mapping; `items` None: no list."""

    text: bool = False
    number: bool = False
    integer: bool = False
    boolean: bool = False
    nothing: bool = False
    choices: tuple[str, ...] = ()  # the only texts
    expression: re.Pattern[str] | None = None  # that a text must contain
    expected: str = ""  # `expression` in a person's words
    lowest: int | None = None
    highest: int | None = None
    items: Shape | None = None
    distinct: bool = False
    keys: Mapping[str, Shape] | None = None
    required: tuple[str, ...] = ()
    others: Shape | None = None  # of keys that `keys` has not
    names: re.Pattern[str] = field(default=ANY_KEY)  # of those keys
    extensible: bool = False  # `x-*` keys
    lenient: bool = False  # keys that have no shape pass

    def __or__(self, other: Shape) -> Shape:
        """Either of two shapes that have no kind in common."""
        changes = {
            name: getattr(other, name)
            for name in Shape.__slots__
            if getattr(other, name) != getattr(_EMPTY, name)
        }
        return replace(self, **changes)


_EMPTY = Shape()


def check(value: Any, shape: Shape, mark: Mark, steps: Steps = ()) -> None:
    """Raises DefinitionError at the first place where `value` is not of `shape`."""
    match value:
        case Table() if shape.keys is not None or shape.others is not None:
            _check_table(value, shape, mark, steps)
        case Items() if shape.items is not None:
            _check_items(value, shape.items, shape.distinct, steps)
        case str() if shape.text:
            _check_text(value, shape, mark, steps)
        case bool() if shape.boolean:
            return
        case None if shape.nothing:
            return
        case int() | float() if not isinstance(value, bool) and _is_number(value, shape):
            _check_number(value, shape, mark, steps)
        case _:
            raise _wrong(f"must be {wanted(shape)}, here is {kind_of(value)}", mark, steps)


def _is_number(value: float, shape: Shape) -> bool:
    if not math.isfinite(value):
        return False
    return shape.number or (shape.integer and value == int(value))


def _check_number(value: float, shape: Shape, mark: Mark, steps: Steps) -> None:
    if shape.lowest is not None and value < shape.lowest:
        raise _wrong(f"must be at least {shape.lowest}, here is {kind_of(value)}", mark, steps)
    if shape.highest is not None and value > shape.highest:
        raise _wrong(f"must be at most {shape.highest}, here is {kind_of(value)}", mark, steps)


def _check_text(value: str, shape: Shape, mark: Mark, steps: Steps) -> None:
    if shape.choices and value not in shape.choices:
        choices = ", ".join(f"`{choice}`" for choice in shape.choices)
        hint = nearest(value, shape.choices)
        raise _wrong(f"must be one of {choices}, here is `{shortened(value)}`", mark, steps, hint)
    if shape.expression is not None and not shape.expression.search(value):
        raise _wrong(f"must be {shape.expected}, here is `{shortened(value)}`", mark, steps)


def _check_items(value: Items, shape: Shape, distinct: bool, steps: Steps) -> None:
    seen: set[tuple[bool, str]] = set()
    for index, (item, mark) in enumerate(value.entries()):
        own = (*steps, f"[{index}]")
        check(item, shape, mark, own)
        if distinct and not isinstance(item, dict | list):
            key = (isinstance(item, str), to_text(item))
            if (
                key in seen or (True, key[1]) in seen
            ):  # Compose: "1" and then 1 is double, 1 and then "1" is not
                raise _wrong(f"`{shortened(str(item))}` is in the list twice", mark, own, "Keep one of them.")
            seen.add(key)


def _check_table(value: Table, shape: Shape, mark: Mark, steps: Steps) -> None:
    keys = shape.keys or {}
    for key, item in value.items():
        own = keys.get(key)
        if own is None and shape.others is not None and shape.names.match(key):
            own = shape.others
        if own is not None:
            check(item, own, value.mark_of(key), (*steps, key))
        elif not shape.lenient and not (shape.extensible and key.startswith("x-")):
            raise _unknown(key, value, shape, steps)
    for key in shape.required:
        if key not in value:
            raise _wrong(f"needs `{key}`", mark, steps, f"Add `{key}: …` below `{dotted(steps)}`.")


def _unknown(key: str, table: Table, shape: Shape, steps: Steps) -> DefinitionError:
    where = f"in `{dotted(steps)}`" if steps else "at the top of the file"
    position = table.mark_of(key).key_position((*steps, key))
    if shape.others is not None:
        return DefinitionError(
            f"`{key}` is no name that can be used {where}",
            hint="Names are made of letters, digits, `.`, `_` and `-`.",
            position=position,
        )
    known = tuple(shape.keys or ())
    hint = nearest(key, known) or f"Known there: {', '.join(sorted(known))}."
    if shape.extensible:
        hint += " A key of your own starts with `x-`."
    return DefinitionError(f"unknown key `{key}` {where}", hint=hint, position=position)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`Did you mean …?`, or nothing where no known name is near."""
    near = get_close_matches(name, known, n=1)
    return f"Did you mean `{near[0]}`?" if near else ""


def wanted(shape: Shape) -> str:
    """What was expected, in a person's words."""
    kinds = [
        words
        for there, words in (
            (shape.text, "a text"),
            (shape.number, "a number"),
            (shape.integer and not shape.number, "a whole number"),
            (shape.boolean, "true or false"),
            (shape.items is not None, "a list"),
            (shape.keys is not None or shape.others is not None, "a mapping"),
            (shape.nothing, "nothing"),
        )
        if there
    ]
    return kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} or {kinds[-1]}"


def _wrong(message: str, mark: Mark, steps: Steps, hint: str = "") -> DefinitionError:
    subject = f"`{dotted(steps)}`" if steps else "the file"
    return DefinitionError(f"{subject} {message}", hint=hint, position=mark.position(steps))
