"""Where a value comes from: file and line, the variables in it, and which `.env` they were set in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.dotenv import read_env_file
from invoke_devstack.definition.origin import Origin, VariableOrigin
from invoke_devstack.definition.render import to_config
from invoke_devstack.definition.shape import nearest
from invoke_devstack.errors import Position, UsageError
from invoke_devstack.records import record
from invoke_devstack.secrets import MASK, masked

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@record
class Explanation:
    """One value and its origin.

    `value` is as `config` shows it, `raw` is what stands in the file. `position` None: nobody wrote it, it
    is a default. `unused` are the `.env` files that set one of the variables too, and lost.
    """

    key: str
    value: Any
    position: Position | None = None
    raw: str = ""
    variables: tuple[VariableOrigin, ...] = ()
    overridden: tuple[Position, ...] = ()
    unused: tuple[str, ...] = ()


def explain(definition: Definition, key: str, *, show_secrets: bool = False) -> tuple[Explanation, ...]:
    """Where the value at a dotted key (`services.web.environment.DEBUG`) comes from, or, for a key that is
    the name of a variable (`DEBUG`), where the variable comes from and every value that it is in.

    Raises UsageError when there is neither.
    """
    values = dict(_flatten(to_config(definition, show_secrets=show_secrets), ""))
    if key in values:
        return (_explained(definition, key, values[key], show_secrets),)
    found = [
        _explained(definition, place, value, show_secrets)
        for place, value in values.items()
        if not isinstance(value, dict | list) and _concerns(definition, place, key)
    ]
    if key in definition.environment:
        in_a_secret = any(MASK in str(item.value) for item in found)
        found.insert(0, _variable(definition, key, show_secrets, hidden=in_a_secret))
    if not found:
        hint = nearest(key, tuple(values)) or "Write a key as `config` shows it, such as services.web.image."
        raise UsageError(f"nothing in the definition is called `{key}`", hint=hint)
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


def _concerns(definition: Definition, place: str, name: str) -> bool:
    origin = definition.origins.get(place)
    used = origin is not None and any(variable.name == name for variable in origin.variables)
    return used or re.search(rf"\.environment\.{re.escape(name)}$", place) is not None


def _explained(definition: Definition, key: str, value: Any, show_secrets: bool) -> Explanation:
    origin = _origin(definition, key)
    if origin is None:
        return Explanation(key, value)
    hidden = MASK in str(value)
    variables = tuple(_shown(variable, show_secrets, hidden=hidden) for variable in origin.variables)
    unused = tuple(text for variable in origin.variables for text in _losers(definition, variable))
    raw = "" if hidden else origin.raw
    return Explanation(key, value, origin.position, raw, variables, origin.overridden, unused)


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
    if not file.is_file():
        return None
    pattern = re.compile(rf"\s*(?:export\s+)?{re.escape(name)}\s*(?:[=:]|$)")
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if pattern.match(line):
            return Position(file, number, 1, name)
    return None


def _variable(definition: Definition, name: str, show_secrets: bool, *, hidden: bool) -> Explanation:
    value = definition.environment[name]
    variable = VariableOrigin(name, value, _source(definition, name))
    shown = _shown(variable, show_secrets, hidden=hidden)
    position = _line_of(Path(variable.source), name) if variable.source.startswith("/") else None
    return Explanation(name, shown.value, position, "", (shown,), (), tuple(_losers(definition, variable)))


def _source(definition: Definition, name: str) -> str:
    source = getattr(definition.environment, "source", None)
    return str(source(name)) if source else "environment"


def _shown(variable: VariableOrigin, show_secrets: bool, *, hidden: bool) -> VariableOrigin:
    """The variable as it may be shown; `hidden` where a secret is made of it."""
    if show_secrets or not variable.value:
        return variable
    value = MASK if hidden else masked(variable.name, variable.value)
    return VariableOrigin(variable.name, value, variable.source)


def _losers(definition: Definition, variable: VariableOrigin) -> Iterator[str]:
    """The `.env` files that set the variable, where something stronger did."""
    for file in definition.env_files:
        if str(file) != variable.source and variable.name in _names_in(file, definition.environment):
            yield str(file)


def _names_in(file: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    return read_env_file(file, environment.get)
