"""What the tasks of a stack are called on the command line: `stack.up` where the stack has the name `stack`.

Invoke does not tell a task under which name it is called. The namespace of the file that made the stack does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from invoke.collection import Collection

from invoke_devstack.console import Console
from invoke_devstack.events import Event
from invoke_devstack.late_patterns import late
from invoke_devstack.tasks.declare import DevstackTask

_NAMED = late(r"(`|^|&& )invoke ([a-z][\w.-]*)")
"""In a sentence, or a hint that is a command and nothing else."""
_SENTENCES = ("text", "error", "hint", "empty", "fix")
"""The fields of events in which a task may be named."""


def root_of(stack: Collection, variables: Mapping[str, Any]) -> Collection:
    """The collection that Invoke reads from a tasks.py with these globals; `stack` if there is none."""
    found = variables.get("ns") or variables.get("namespace")
    return found if isinstance(found, Collection) else stack


def prefix_of(stack: Collection, root: Collection) -> str:
    """What stands before the names of the stack's tasks: "" at the top level, else `shop.`, `all.shop.` …"""
    for name, collection in root.collections.items():
        if collection is stack:
            return f"{root.transform(name)}."
        if inner := prefix_of(stack, collection):
            return f"{root.transform(name)}.{inner}"
    return ""


def own_tasks(root: Collection) -> dict[str, str]:
    """Name -> summary of the tasks that a team added beside those of stacks."""
    tasks = {name: root[name] for name in sorted(root.task_names)}
    return {
        name: (task.__doc__ or "").strip().partition("\n")[0]
        for name, task in tasks.items()
        if not isinstance(task, DevstackTask)
    }


class PrefixingConsole:
    """A console that names the stack's tasks as they are called, in every message and hint."""

    def __init__(self, console: Console, prefix: str, names: Iterable[str]) -> None:
        self._console = console
        self._prefix = prefix
        self._names = frozenset(names)
        self.expect = console.expect
        self.close = console.close
        self.stay = console.stay
        self.secrets = console.secrets

    def emit(self, event: Event) -> None:
        """Shows the event."""
        texts = {item.name: getattr(event, item.name) for item in fields(event) if item.name in _SENTENCES}
        named = {name: self._prefixed(text) for name, text in texts.items() if "invoke " in text}
        self._console.emit(replace(event, **named) if named else event)

    def ask(self, question: str) -> str:
        """Asks at the terminal and returns the answer."""
        return self._console.ask(self._prefixed(question))

    def _prefixed(self, text: str) -> str:
        return _NAMED.sub(
            lambda found: f"{found[1]}invoke {self._prefix if found[2] in self._names else ''}{found[2]}",
            text,
        )
