"""Actions of a team's own: functions of tasks.py that the dashboard offers as buttons."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record

_TYPES: Mapping[object, str] = {bool: "boolean", int: "integer", float: "number", str: "text"}


@record
class Parameter:
    """One field of the form. `type`: boolean, integer, number, text or choice."""

    name: str
    type: str
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()


@record
class OwnAction:
    """`name` is that of the function, `help` the first line of its docstring."""

    name: str
    label: str
    service: str
    help: str
    parameters: tuple[Parameter, ...]
    function: Callable[..., object]

    @classmethod
    def of(cls, label: str, service: str, function: Callable[..., object]) -> OwnAction:
        """Reads the function's signature. Raises UsageError for a parameter that no form has."""
        name = getattr(function, "__name__", label).replace("_", "-")
        help_ = (inspect.getdoc(function) or "").partition("\n")[0]
        hints = _hints(function)
        own = [*inspect.signature(function).parameters.values()][1:]
        parameters = tuple(_parameter(label, item, hints.get(item.name)) for item in own)
        return cls(name, label, service, help_, parameters, function)


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):  # names that only a type checker knows
        return {}


def _parameter(label: str, item: inspect.Parameter, hint: object) -> Parameter:
    required = item.default is item.empty
    default = None if required else item.default
    if get_origin(hint) is Literal:
        return Parameter(
            item.name, "choice", default, required=required, choices=tuple(map(str, get_args(hint)))
        )
    kind = _TYPES.get(hint or (str if default is None else type(default)))
    if kind is None or item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD):
        raise UsageError(
            f"the action `{label}` has a parameter without a form: `{item.name}`",
            hint="Use bool, int, float, str or a Literal of texts.",
        )
    return Parameter(item.name, kind, default, required=required)
