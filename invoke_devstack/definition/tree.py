"""A file's content as tables, lists and scalars that remember where they stand.

The steps between reading and checking work on these, so that every error and `config --explain`
can name the file, line and column of a value, however often it was merged, extended or rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from invoke_devstack.definition.origin import VariableOrigin
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.records import record

Steps: TypeAlias = tuple[str, ...]
"""The way from the top of a tree to a value: keys, and indexes such as `[0]`."""


@record
class Mark:
    """Where a value stands. `key_line` and `key_column` are those of its key; all count from 1."""

    file: Path
    line: int
    column: int
    key_line: int
    key_column: int
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    replaced: Mark | None = None

    def position(self, steps: Steps = ()) -> Position:
        """The value's place."""
        return Position(self.file, self.line, self.column, dotted(steps) or None)

    def key_position(self, steps: Steps = ()) -> Position:
        """The place of the value's key."""
        return Position(self.file, self.key_line, self.key_column, dotted(steps) or None)

    def over(self, older: Mark | None) -> Mark:
        """This mark, remembering the one whose value it replaced."""
        return self if older is None or older is self else replace(self, replaced=older)


class Table(dict[str, Any]):
    """A mapping with the mark of each value in it."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark, marks: dict[str, Mark] | None = None) -> None:
        super().__init__()
        self.mark = mark
        self.marks: dict[str, Mark] = marks if marks is not None else {}

    def put(self, key: str, value: Any, mark: Mark | None = None) -> None:
        """Sets a value; without a mark it keeps the key's former one."""
        self[key] = value
        if mark is not None:
            self.marks[key] = mark

    def mark_of(self, key: str) -> Mark:
        """The mark of a value, or of the whole table where the value was not written by anybody."""
        return self.marks.get(key, self.mark)


class Items(list[Any]):
    """A list with the mark of each value in it."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: list[Mark] = []

    def add(self, value: Any, mark: Mark) -> None:
        """Appends a value."""
        self.append(value)
        self.marks.append(mark)

    def entries(self) -> Iterator[tuple[Any, Mark]]:
        """The values with their marks."""
        return zip(self, self.marks, strict=True)


def items_of(entries: Iterable[tuple[Any, Mark]], mark: Mark) -> Items:
    """A list of values with their marks."""
    result = Items(mark)
    for value, own in entries:
        result.add(value, own)
    return result


def table_of(values: dict[str, Any], mark: Mark) -> Table:
    """A table that was written in short form at `mark`."""
    result = Table(mark)
    for key, value in values.items():
        result.put(key, value, mark)
    return result


def clone(value: Any) -> Any:
    """A copy that shares no table or list with `value`."""
    if isinstance(value, Table):
        copy = Table(value.mark, dict(value.marks))
        for key, item in value.items():
            copy[key] = clone(item)
        return copy
    if isinstance(value, Items):
        return items_of(((clone(item), mark) for item, mark in value.entries()), value.mark)
    return value


def dotted(steps: Steps) -> str:
    """`services.web.ports[0]`."""
    text = ""
    for step in steps:
        text += step if step.startswith("[") or not text else f".{step}"
    return text


Rule = TypeVar("Rule")


class Rules(Generic[Rule]):
    """What to do at which places of a tree: `services.*.ports` and the like, with `*` for any one step."""

    __slots__ = ("children", "here")

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self.here: Rule | None = None
        self.children: dict[str, Rules[Rule]] = {}
        for place, rule in (rules or {}).items():
            node = self
            for step in place.split("."):
                node = node.children.setdefault(step, Rules())
            node.here = rule

    def below(self, step: str) -> Rules[Rule] | None:
        """The rules of what stands at `step`; None when there is none at all."""
        return self.children.get(step) or self.children.get("*")


def kind_of(value: Any) -> str:
    """What a value is, in a person's words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"a boolean ({str(value).lower()})"
        case int() | float():
            return f"a number ({value})"
        case str():
            return f"a text ({shortened(value)!r})"
        case dict():
            return "a mapping"
        case list():
            return "a list"
    return f"a date ({value})"


def shortened(text: str, length: int = 60) -> str:
    """`text`, cut where it is too long to show."""
    return text if len(text) <= length else f"{text[:length]}…"


def fail(message: str, mark: Mark, steps: Steps = (), hint: str = "") -> DefinitionError:
    """An error about the value at `mark`."""
    return DefinitionError(message, hint=hint, position=mark.position(steps))
