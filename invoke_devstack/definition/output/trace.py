"""Traces a value back to its file and line, the variables in it, and what set them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.output.config import to_config
from invoke_devstack.definition.syntax.dotenv import DECLARATION, read_env_file
from invoke_devstack.definition.syntax.tree import Origin, VariableOrigin
from invoke_devstack.errors import Position, UsageError, did_you_mean
from invoke_devstack.local_files.reading import text_if_any
from invoke_devstack.secrets import MASK, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """A value and where it comes from.

    `value` is as `config` shows it, `raw` as the file has it. `position` is None for a default that no file
    holds. `unused` are the `.env` files that also set one of the variables and were overridden.
    """

    key: str
    value: Any
    position: Position | None = None
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    overridden: tuple[Position, ...] = ()
    unused: tuple[str, ...] = ()


def trace(definition: Definition, key: str, *, show_secrets: bool = False) -> tuple[ValueOrigin, ...]:
    """Where the value at a dotted key (`services.web.environment.DEBUG`) comes from; for the name of a
    variable (`DEBUG`), where the variable comes from and all values that use it.

    Raises UsageError for an unknown key.
    """
    values = dict(_flatten(to_config(definition, show_secrets=show_secrets), ""))
    if key in values:
        return (_traced(definition, key, values[key], show_secrets),)
    found = [
        _traced(definition, place, value, show_secrets)
        for place, value in values.items()
        if not isinstance(value, dict | list) and _uses(definition, place, key)
    ]
    if key in definition.environment:
        in_a_secret = any(MASK in str(item.value) for item in found)
        found.insert(0, _variable(definition, key, show_secrets, hidden=in_a_secret))
    if not found:
        hint = did_you_mean(
            key, values, "Write a key as `invoke config` shows it, such as services.web.image."
        )
        raise UsageError(f"unknown key or variable `{key}`", hint=hint)
    return tuple(found)


def _flatten(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if place:
        yield place, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flatten(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flatten(item, f"{place}[{index}]")


def _uses(definition: Definition, place: str, name: str) -> bool:
    origin = definition.origins.get(place)
    used = origin is not None and any(variable.name == name for variable in origin.variables)
    return used or re.search(rf"\.environment\.{re.escape(name)}$", place) is not None


def _traced(definition: Definition, key: str, value: Any, show_secrets: bool) -> ValueOrigin:
    origin = _origin(definition, key)
    if origin is None:
        return ValueOrigin(key, value)
    hidden = MASK in str(value)
    variables = tuple(_shown(variable, show_secrets, hidden=hidden) for variable in origin.variables)
    unused = tuple(text for variable in origin.variables for text in _losers(definition, variable))
    raw = "" if hidden else origin.raw
    return ValueOrigin(key, value, origin.position, raw, variables, origin.overridden, unused)


def _origin(definition: Definition, key: str) -> Origin | None:
    own = definition.origins.get(key)
    if own is None and (match := re.fullmatch(r"services\.(.+)\.environment\.([^.]+)", key)):
        own = _from_env_file(definition.services.get(match[1]), match[2])
    parent = key
    while own is None and parent:
        parent = re.sub(r"(\.[^.\[]+|\[\d+\]|^[^.\[]+)$", "", parent)
        own = definition.origins.get(parent) if parent.count(".") > 1 else None
        if parent.count(".") <= 1:
            break
    return own


def _from_env_file(service: Service | None, name: str) -> Origin | None:
    for entry in reversed(service.env_file if service else ()):
        position = _line_of(Path(entry.path), name)
        if position is not None:
            return Origin(position)
    return None


def _line_of(file: Path, name: str) -> Position | None:
    for number, line in enumerate(text_if_any(file).splitlines(), 1):
        if (found := DECLARATION.match(line)) and found["name"] == name:
            return Position(file, number, 1, name)
    return None


def _variable(definition: Definition, name: str, show_secrets: bool, *, hidden: bool) -> ValueOrigin:
    value = definition.environment[name]
    source = getattr(definition.environment, "source", None)
    variable = VariableOrigin(name, value, str(source(name)) if source else "environment")
    shown = _shown(variable, show_secrets, hidden=hidden)
    position = _line_of(Path(variable.source), name) if variable.source.startswith("/") else None
    return ValueOrigin(name, shown.value, position, "", (shown,), (), tuple(_losers(definition, variable)))


def _shown(variable: VariableOrigin, show_secrets: bool, *, hidden: bool) -> VariableOrigin:
    """The variable with its value masked if it is a secret; `hidden` where a secret is built from it."""
    if show_secrets or not variable.value:
        return variable
    value = MASK if hidden else masked(variable.name, variable.value)
    return VariableOrigin(variable.name, value, variable.source)


def _losers(definition: Definition, variable: VariableOrigin) -> Iterator[str]:
    """The `.env` files that set the variable although something stronger does."""
    for file in definition.env_files:
        if str(file) != variable.source and variable.name in _names_in(file, definition.environment):
            yield str(file)


def _names_in(file: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    return read_env_file(file, environment.get)
