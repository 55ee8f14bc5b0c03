"""`invoke menu`, or `invoke` alone: the tasks in groups. `invoke --list` can only sort them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.declare import task

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

GROUPS = {
    "The stack": (
        "up",
        "create",
        "scale",
        "down",
        "ps",
        "status",
        "logs",
        "watch",
        "config",
        "is-ready",
        "graph",
        "dashboard",
        "stacks",
        "ls",
    ),
    "Reach it": ("urls", "open", "env", "port", "connect"),
    "Inside": ("exec", "shell", "run", "attach", "cp", "export"),
    "Containers": ("start", "stop", "restart", "pause", "unpause", "kill", "rm", "wait"),
    "Look": ("explain-failure", "why", "traces", "top", "stats", "events", "inspect", "diff"),
    "Data": ("volumes", "snapshot", "snapshots", "restore", "reset"),
    "Images": ("build", "pull", "push", "images", "commit", "publish"),
    "Copies for a job": ("copies",),
    "Clusters": ("deploy",),
    "For agents": ("mcp", "agents.init"),
    "This machine": ("setup", "doctor", "init", "version", "menu"),
}
"""Title -> tasks. A collection (`snapshots`) represents its tasks."""


@task("menu", json="answer")
def menu(work: Work) -> None:
    """List tasks in groups."""
    tasks = {**catalogue.every(), menu.name: menu}
    groups = {
        title: {f"{work.task_prefix}{name}": tasks[name].summary for name in names}
        for title, names in GROUPS.items()
    }
    if own := work.own_tasks():
        groups["Your own tasks"] = own
    rows = [
        {"group": title, "task": name, "help": text}
        for title, lines in groups.items()
        for name, text in lines.items()
    ]
    work.answer(_text(groups), rows)


def _text(groups: dict[str, dict[str, str]]) -> str:
    width = max(len(name) for lines in groups.values() for name in lines) + 2
    parts = [
        "\n".join([title, *(f"  {name:{width}}{text}".rstrip() for name, text in lines.items())])
        for title, lines in groups.items()
    ]
    return "\n\n".join([*parts, "Flags of a task: `invoke --help TASK`."])
