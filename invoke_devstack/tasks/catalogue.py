"""All tasks but `menu`, by the modules that declare them. The namespace, the menu and completion read it.

A command runs one task. Only the module of that one is imported: importing all of them took 11 ms of each
command. So the names stand here, and a test compares them with what the modules declare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from invoke_devstack.records import record
from invoke_devstack.tasks.declare import Declaration

_MODULES: Mapping[str, tuple[str, ...]] = {
    "stack.up": ("up",),
    "stack.down": ("down",),
    "stack.ps": ("ps",),
    "stack.status": ("status",),
    "stack.logs": ("logs",),
    "stack.watch": ("watch", "why"),
    "stack.config": ("config",),
    "stack.build": ("build", "pull", "push"),
    "stack.create": ("create", "scale"),
    "stack.publish": ("publish",),
    "stack.stacks": ("stacks", "ls"),
    "stack.volumes": ("volumes",),
    "containers.lifecycle": ("start", "stop", "restart", "pause", "unpause", "kill", "rm"),
    "containers.inside": ("exec", "run", "shell", "connect", "cp"),
    "containers.whole": ("attach", "commit", "export"),
    "containers.inspection": ("port", "top", "stats", "events", "inspect", "wait", "diff"),
    "reach.urls": ("urls", "open"),
    "reach.ready": ("is-ready",),
    "agents.explain_failure": ("explain-failure",),
    "reach.graph": ("graph",),
    "stack.traces": ("traces",),
    "reach.env": ("env",),
    "data.snapshot": ("snapshot", "restore", "reset"),
    "machine.dashboard": ("dashboard",),
    "agents.mcp": ("mcp",),
    "machine.machine": ("doctor", "setup"),
    "machine.init": ("init",),
    "machine.version": ("version",),
}
"""Module, in this room -> the names of its tasks at the top of the namespace."""


@record
class Group:
    """A collection: the tasks below a name (`images.rm`). `default` is the one that the name alone runs, if
    any."""

    summary: str
    modules: Mapping[str, tuple[str, ...]]
    default: str = ""


COLLECTIONS: Mapping[str, Group] = {
    "copies": Group(
        "Isolated copies of the stack, each for one job: list, add and end them.",
        {"agents.copies": ("list", "add", "end")},
        "list",
    ),
    "agents": Group(
        "`invoke agents.init`: tells agents how to drive this stack.", {"agents.init": ("init",)}
    ),
    "images": Group(
        "Images of the stack: `images`, and `images.inspect`, `.layers`, `.rm`, `.prune`.",
        {"stack.images": ("list", "inspect", "layers", "rm", "prune")},
        "list",
    ),
    "snapshots": Group(
        "Saved copies of data: list, move and delete them.",
        {"data.snapshots": ("list", "export", "import", "rm")},
        "list",
    ),
    "deploy": Group(
        "The same stack on a Docker Swarm.",
        {
            "deploying.deploy": ("apply", "diff", "rollback"),
            "deploying.cluster": ("status", "history", "down", "logs", "init"),
            "deploying.inside": ("exec",),
            "deploying.export": ("export",),
        },
        "apply",
    ),
}
"""Name -> the tasks below it."""


@record
class Listed:
    """A task by its name, before its module is imported. `module` is in this room; `default` is whether it is
    the one that its collection's name runs."""

    name: str
    module: str
    default: bool = False

    def declaration(self) -> Declaration:
        """What its module declares."""
        return _declared_in(self.module)[self.name]


@cache
def _declared_in(module: str) -> Mapping[str, Declaration]:
    found = vars(import_module(f"invoke_devstack.tasks.{module}")).values()
    return {item.name: item for item in found if isinstance(item, Declaration)}


def top_level() -> Iterator[Listed]:
    """The tasks at the top of the namespace."""
    return (Listed(name, module) for module, names in _MODULES.items() for name in names)


def below(group: Group) -> Iterator[Listed]:
    """The tasks of a collection."""
    for module, names in group.modules.items():
        yield from (Listed(name, module, name == group.default) for name in names)


def every() -> dict[str, Declaration]:
    """Full name -> task. The name of a collection (`images`) is that of its default task."""
    found = {listed.name: listed.declaration() for listed in top_level()}
    for name, group in COLLECTIONS.items():
        for listed in below(group):
            found[name if listed.default else f"{name}.{listed.name}"] = listed.declaration()
    return found


def name_of(declared: Declaration) -> str:
    """What the task is called in a stack: `images.prune`, where the declaration has `prune`."""
    return next((name for name, item in every().items() if item is declared), declared.name)
