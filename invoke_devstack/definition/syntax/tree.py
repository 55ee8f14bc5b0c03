"""A file's content as tables, lists and scalars that remember their positions.

Every step of reading works on these, so that errors and `config --explain` can name the file, line and
column of a value, however often it was merged, extended or rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.records import record

Steps: TypeAlias = tuple[str, ...]
"""The way from the top of a tree to a value: keys, and indexes such as `[0]`."""


@record
class Location:
    """Where a value was written. `key_line` and `key_column` are those of its key; all count from 1.

    `raw` is the text in the file, `variables` went into it, `replaced` is the value that it overrides.
    """

    file: Path
    line: int
    column: int
    key_line: int
    key_column: int
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    replaced: Location | None = None

    def position(self, steps: Steps = ()) -> Position:
        """The value's place."""
        return Position(self.file, self.line, self.column, dotted(steps) or None)

    def key_position(self, steps: Steps = ()) -> Position:
        """The place of the value's key."""
        return Position(self.file, self.key_line, self.key_column, dotted(steps) or None)

    def over(self, older: Location | None) -> Location:
        """This location, with the one whose value it overrides."""
        return self if older is None or older is self else replace(self, replaced=older)


class Table(dict[str, Any]):
    """A mapping with the location of each value in it."""

    __slots__ = ("location", "locations")

    def __init__(self, location: Location, locations: dict[str, Location] | None = None) -> None:
        super().__init__()
        self.location = location
        self.locations: dict[str, Location] = locations if locations is not None else {}

    def put(self, key: str, value: Any, location: Location | None = None) -> None:
        """Sets a value; without a location, the key keeps its former one."""
        self[key] = value
        if location is not None:
            self.locations[key] = location

    def location_of(self, key: str) -> Location:
        """The location of a value, or of the whole table if no file has the value."""
        return self.locations.get(key, self.location)


class Items(list[Any]):
    """A list with the location of each value in it."""

    __slots__ = ("location", "locations")

    def __init__(self, location: Location) -> None:
        super().__init__()
        self.location = location
        self.locations: list[Location] = []

    def add(self, value: Any, location: Location) -> None:
        """Appends a value."""
        self.append(value)
        self.locations.append(location)

    def entries(self) -> Iterator[tuple[Any, Location]]:
        """The values with their locations."""
        return zip(self, self.locations, strict=True)


def items_of(entries: Iterable[tuple[Any, Location]], location: Location) -> Items:
    """A list of values with their locations."""
    result = Items(location)
    for value, own in entries:
        result.add(value, own)
    return result


def table_of(values: dict[str, Any], location: Location) -> Table:
    """A table that was written in short form at `location`."""
    result = Table(location)
    for key, value in values.items():
        result.put(key, value, location)
    return result


def clone(value: Any) -> Any:
    """A copy that shares no table or list with `value`."""
    if isinstance(value, Table):
        copy = Table(value.location, dict(value.locations))
        for key, item in value.items():
            copy[key] = clone(item)
        return copy
    if isinstance(value, Items):
        return items_of(((clone(item), location) for item, location in value.entries()), value.location)
    return value


def location_at(value: Any, steps: Steps, location: Location) -> Location:
    """Where the value at `steps` below `value` was written, or the closest thing around it that was."""
    for step in steps:
        if isinstance(value, Table) and step in value:
            location, value = value.location_of(step), value[step]
        elif step.startswith("[") and isinstance(value, Items) and int(step[1:-1]) < len(value):
            index = int(step[1:-1])
            location, value = value.locations[index], value[index]
        else:
            break
    return location


def dotted(steps: Steps) -> str:
    """`services.web.ports[0]`."""
    text = ""
    for step in steps:
        text += step if step.startswith("[") or not text else f".{step}"
    return text


def kind_of(value: Any) -> str:
    """The kind of a value, in words."""
    match value:
        case None:
            return "empty"
        case bool():
            return f"a boolean ({str(value).lower()})"
        case int() | float():
            return f"a number ({value})"
        case str():
            return f"a string ({shortened(value)!r})"
        case dict():
            return "a mapping"
        case list():
            return "a list"
    return f"a date ({value})"


def shortened(text: str, length: int = 60) -> str:
    """`text`, cut to a length."""
    return text if len(text) <= length else f"{text[:length]}…"


def fail(message: str, location: Location, steps: Steps = (), hint: str = "") -> DefinitionError:
    """An error about the value at `location`."""
    return DefinitionError(message, hint=hint, position=location.position(steps))


@record
class VariableOrigin:
    """A variable in a value, and what set it.

    `source` is `environment`, the path of the `.env` file, `project` (for COMPOSE_PROJECT_NAME and the like)
    or `unset`.
    """

    name: str
    value: str
    source: str


@record
class Origin:
    """The position of a value, its text in the file, and the variables in it.

    `overridden` are the positions of the values that this one replaced, the last one first.
    """

    position: Position
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    overridden: tuple[Position, ...] = ()
