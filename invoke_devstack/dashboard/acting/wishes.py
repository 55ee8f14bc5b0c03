"""Reads what a page asks to have done. Raises UsageError for what no task would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invoke_devstack.acting.host import Argument, Command, Wish
from invoke_devstack.errors import UsageError, did_you_mean

_CONFIRM = "confirm"


def read_wish(data: Any, commands: Sequence[Command]) -> Wish:
    """The body of a POST. Unknown services are the task's to refuse."""
    if not isinstance(data, dict):
        raise UsageError("an action is a JSON object", hint='Example: `{"task": "restart", "services": []}`.')
    known = {item.task: item for item in commands}
    task = data.get("task")
    if not isinstance(task, str) or task not in known:
        raise UsageError(f"unknown action `{task}`", hint=did_you_mean(str(task), known, _list(known)))
    for name in data.keys() - {"task", "services", "options"}:
        raise UsageError(f"unknown member `{name}`", hint="An action has task, services and options.")
    services, options = data.get("services") or [], data.get("options") or {}
    if not isinstance(services, list) or not all(isinstance(item, str) and item for item in services):
        raise UsageError("`services` must be a list of names")
    if not isinstance(options, dict):
        raise UsageError("`options` must be an object")
    _check_scope(known[task], services)
    return Wish(task, tuple(services), _options(known[task], options), str(options.get(_CONFIRM, "")))


def _list(known: Mapping[str, Command]) -> str:
    return f"Known: {', '.join(known)}."


def _check_scope(command: Command, services: list[str]) -> None:
    if command.scope == "service" and len(services) != 1:
        raise UsageError(f"`{command.task}` takes one service")
    if command.scope in ("project", "none") and services:
        raise UsageError(f"`{command.task}` takes no services", hint="It is about the whole stack.")


def _options(command: Command, options: Mapping[str, Any]) -> dict[str, Any]:
    known = {item.name: item for item in command.arguments}
    given = {name: value for name, value in options.items() if name != _CONFIRM and value is not None}
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, _list_arguments(known))
            raise UsageError(f"unknown option `{name}` of `{command.task}`", hint=hint)
    for name, argument in known.items():
        if argument.required and given.get(name) in (None, ""):
            raise UsageError(f"`{command.task}` needs `{name}`", hint=argument.help)
    return {name: _value(known[name], value) for name, value in given.items()}


def _list_arguments(known: Mapping[str, Argument]) -> str:
    return f"Known: {', '.join(known)}." if known else "It has no options."


_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "text": ((str, int, float), "text"),
    "choice": ((str,), "text"),
    "list": ((list,), "a list of texts"),
}


def _value(argument: Argument, value: Any) -> Any:
    kinds, words = _KINDS[argument.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise UsageError(f"`{argument.name}` must be {words}")
    if argument.type == "choice" and value not in argument.choices:
        raise UsageError(
            f"invalid value `{value}` for `{argument.name}`",
            hint=f"Use one of: {', '.join(argument.choices)}.",
        )
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise UsageError(f"`{argument.name}` must be {words}")
        return tuple(value)
    return str(value) if argument.type == "text" else value
