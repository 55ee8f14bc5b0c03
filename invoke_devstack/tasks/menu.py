"""The tasks in groups. `invoke --list` sorts by name, and has no way to group what is at the top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from invoke_devstack.tasks.context import Work

GROUPS = {
    "The stack": ("up", "down", "ps", "logs", "watch", "config", "is-ready", "graph", "stacks"),
    "Reach it": ("urls", "open", "env", "port", "connect"),
    "Inside": ("exec", "shell", "run", "cp"),
    "Containers": ("start", "stop", "restart", "pause", "unpause", "kill", "rm", "wait"),
    "Look": ("top", "stats", "events", "inspect", "diff"),
    "Data": ("snapshot", "snapshots", "restore", "reset"),
    "Images": ("build", "pull", "push", "images"),
    "This machine": ("setup", "doctor", "init", "menu"),
}
"""A task that is a collection too (`snapshots.rm`) stands for what is below it."""


@command("menu", json="answer", default=True)
def menu(work: Work, json: bool = False) -> None:
    """Show the tasks in groups."""
    lines = help_lines()
    rows = [
        {"group": title, "task": name, "help": lines[name]}
        for title, names in GROUPS.items()
        for name in names
    ]
    work.answer(_text(lines), rows)


def help_lines() -> dict[str, str]:
    """What each task does, in a line; a collection stands for its default task."""
    from invoke_devstack.tasks.namespace import stack

    namespace = stack()
    return {
        name.removesuffix(".list"): (namespace[name].__doc__ or "").partition("\n")[0]
        for name in namespace.task_names
    }


def _text(lines: dict[str, str]) -> str:
    width = max(len(name) for name in lines) + 2
    parts = [
        "\n".join([title, *(f"  {name:{width}}{lines[name]}" for name in names)])
        for title, names in GROUPS.items()
    ]
    return "\n\n".join([*parts, "`invoke --help TASK` shows the flags of one."])
