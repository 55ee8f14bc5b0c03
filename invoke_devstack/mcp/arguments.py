"""What a tool may be given, and the check of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.records import record

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
    "array": ((list,), "a list of texts"),
}


@record
class Parameter:
    """`type` is JSON Schema's. `least` and `most` bound a number; more than `most` is `most`."""

    name: str
    type: str = "string"
    help: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    def schema(self) -> dict[str, Any]:
        """Its part of the tool's input schema, in few words."""
        found: dict[str, Any] = {"type": self.type}
        if self.type == "array":
            found["items"] = {"type": "string"}
        if self.help:
            found["description"] = self.help
        if self.default is not None:
            found["default"] = self.default
        if self.choices:
            found["enum"] = [*self.choices]
        return found


def checked(tool: str, parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value for all parameters. Raises UsageError."""
    known = {item.name: item for item in parameters}
    for name in given:
        if name not in known:
            takes = f"It takes: {', '.join(known)}." if known else "It takes none."
            hint = did_you_mean(name, known, takes)
            raise UsageError(f"`{tool}` has no argument `{name}`", hint=hint)
    return {name: _value(tool, item, given.get(name)) for name, item in known.items()}


def _value(tool: str, parameter: Parameter, value: Any) -> Any:
    if (
        parameter.name == "service"
        and isinstance(value, str)
        and not value.strip()
        and not parameter.required
    ):
        hint = "Leave it out for all of them."
        raise UsageError(f"`service` of `{tool}` is empty", hint=hint)
    if value is None or (value == "" and not parameter.required):
        if parameter.required:
            raise UsageError(f"`{tool}` needs `{parameter.name}`", hint=parameter.help)
        return parameter.default
    kinds, words = _TYPES[parameter.type]
    right = isinstance(value, kinds) and (isinstance(value, bool) == (bool in kinds))
    if right and isinstance(value, list):
        right = bool(value) and all(isinstance(item, str) for item in value)
    if not right or value == "":
        raise UsageError(f"`{parameter.name}` of `{tool}` must be {words}", hint=parameter.help)
    if parameter.choices and value not in parameter.choices:
        raise UsageError(
            f"invalid value `{value}` for `{parameter.name}`",
            hint=f"Use one of: {', '.join(parameter.choices)}.",
        )
    if parameter.most:
        if value < parameter.least:
            raise UsageError(f"`{parameter.name}` of `{tool}` must be at least {parameter.least}")
        return min(value, parameter.most)
    return value
