"""What the tasks of a stack are called on the command line: `stack.up` where the stack has the name `stack`.

Invoke does not tell a task under which name it is called. The namespace of the file that made the stack does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from invoke.collection import Collection

from invoke_devstack.console import Console
from invoke_devstack.events import Document, Event
from invoke_devstack.tasks.command_line.prefixing import prefixed
from invoke_devstack.tasks.declare import DevstackTask

_SENTENCES = ("text", "error", "hint", "empty", "fix")
"""The fields of events in which a task may be named."""
_IN_ANSWERS = ("hint", "fix")
"""The members of answers that advise commands. What was called is told as it was."""


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
    """A console that names the stack's tasks as they are called, in every message and hint: with the `prefix`
    of the stack, and the words `selecting` it."""

    def __init__(
        self, console: Console, prefix: str, names: Iterable[str], selecting: Sequence[str] = ()
    ) -> None:
        self._console = console
        self._prefix = prefix
        self._names = frozenset(names)
        self._selecting = selecting
        self.expect = console.expect
        self.close = console.close
        self.stay = console.stay
        self.secrets = console.secrets

    def emit(self, event: Event) -> None:
        """Shows the event."""
        texts = {item.name: getattr(event, item.name) for item in fields(event) if item.name in _SENTENCES}
        named: dict[str, Any] = {
            name: self._prefixed(text) for name, text in texts.items() if "invoke " in text
        }
        if isinstance(event, Document) and event.data is not None:
            named["data"] = self._in_answer(event.data)
        changed = {name: value for name, value in named.items() if value != getattr(event, name)}
        self._console.emit(replace(event, **changed) if changed else event)

    def ask(self, question: str) -> str:
        """Asks at the terminal and returns the answer."""
        return self._console.ask(self._prefixed(question))

    def _prefixed(self, text: str) -> str:
        return prefixed(text, self._prefix, self._names, self._selecting)

    def _in_answer(self, data: Any) -> Any:
        """The answer for programs, whose hints are commands too."""
        if isinstance(data, list):
            return [self._in_answer(item) for item in data]
        if not isinstance(data, dict):
            return data
        return {
            key: self._prefixed(value)
            if key in _IN_ANSWERS and isinstance(value, str)
            else self._in_answer(value)
            for key, value in data.items()
        }
