"""Which tasks the dashboard offers, and how a wish becomes a call of one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.acting.host import Argument, Command, Wish
from invoke_devstack.tasks.declare import Declaration
from invoke_devstack.tasks.own_actions import OwnAction

_GROUPS = {
    "up": "stack",
    "down": "stack",
    "build": "stack",
    "pull": "stack",
    "start": "service",
    "stop": "service",
    "restart": "service",
    "pause": "service",
    "unpause": "service",
    "kill": "service",
    "rm": "service",
    "snapshot": "data",
    "restore": "data",
    "reset": "data",
    "snapshots.rm": "data",
}
_LOSING = frozenset({"down", "rm", "restore", "reset", "snapshots.rm"})
_NOT_OFFERED = frozenset(
    {
        "work",
        "yes",
        "json",
        "detach",
        "attach",
        "dashboard",
        "dry_run",
        "explain",
        "secrets",
        "strict",
        "push",
    }
)
OWN = "own."
REBUILD, STOP_STACK = "rebuild", "stacks.stop"
_REBUILD = Command(REBUILD, REBUILD, "Build the images, and replace the containers.", "service", "services")
_STOP_STACK = Command(
    STOP_STACK,
    "stop stack",
    "Stop a stack gracefully, wherever it is. Removes nothing.",
    "machine",
    "none",
    (Argument("stack", "text", required=True, help="The name of the stack."),),
)


def offered(declared: Mapping[str, Declaration]) -> Iterator[Command]:
    """The tasks that a page may ask for."""
    for name, group in _GROUPS.items():
        yield _command(name, group, declared[name])
    yield _REBUILD
    yield _STOP_STACK


def _command(name: str, group: str, declared: Declaration) -> Command:
    arguments = tuple(
        _argument(item, declared)
        for item in declared.own.values()
        if item.name not in _NOT_OFFERED and (item.name != "service" or name == "snapshots.rm")
    )
    return Command(
        name, name, declared.summary, group, _scope(name, declared), arguments, confirms=name in _LOSING
    )


def _scope(name: str, declared: Declaration) -> str:
    if name == "snapshots.rm":
        return "none"
    if "service" not in declared.own:
        return "project"
    return "service" if "service" in declared.positional else "services"


def _argument(parameter: inspect.Parameter, declared: Declaration) -> Argument:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    kind = "boolean" if isinstance(default, bool) else "list" if default == () else "text"
    help_ = declared.flags.get(parameter.name, "")
    return Argument(parameter.name, kind, [] if kind == "list" else default, required=required, help=help_)


def own(actions: Mapping[str, OwnAction]) -> Iterator[Command]:
    """What a team offers."""
    for item in actions.values():
        arguments = tuple(
            Argument(part.name, part.type, part.default, required=part.required, choices=part.choices)
            for part in item.parameters
        )
        yield Command(
            f"{OWN}{item.name}", item.label, item.help, "own", "none", arguments, service=item.service
        )


def call_of(wish: Wish, declared: Mapping[str, Declaration]) -> tuple[Declaration, dict[str, Any]]:
    """The task, and its flags."""
    if wish.task == REBUILD:
        return declared["up"], {"service": wish.services, "build": True, "detach": True}
    if wish.task == STOP_STACK:
        return declared["stacks"], {"stop": (wish.options["stack"],)}
    task = declared[wish.task]
    flags = dict(wish.options)
    if task.name == "up":
        flags["detach"] = True
    if "service" in task.own and wish.task != "snapshots.rm":
        flags["service"] = wish.services[0] if "service" in task.positional else wish.services
    return task, flags
