"""What the dashboard and `mcp` need of the room above them, which runs tasks: `tasks/acting/host.py` provides
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from invoke_devstack.console import Console
from invoke_devstack.errors import UsageError
from invoke_devstack.events import Emit
from invoke_devstack.records import record
from invoke_devstack.running.session import Session
from invoke_devstack.secrets import SecretValues
from invoke_devstack.settings import Settings


@record
class Argument:
    """`type`: boolean, text, number, integer, choice, list."""

    name: str
    type: str
    default: Any = None
    required: bool = False
    help: str = ""
    choices: tuple[str, ...] = ()


@record
class Command:
    """Something that a page can have done. `scope`: services (none or several), service (one), project or
    none. `service` is the one that a team's own action is about."""

    task: str
    label: str
    help: str
    group: str
    scope: str
    arguments: tuple[Argument, ...] = ()
    confirms: bool = False
    service: str = ""


@record
class Wish:
    """One call of a command. `confirmed` is the name that was typed. `reads`: it changes nothing, so the
    journal does not keep it."""

    task: str
    services: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    confirmed: str = ""
    reads: bool = False


class ConfirmationError(UsageError):
    """Data would be lost: `typed` has to be typed first. `loses` names what."""

    def __init__(self, loses: str, typed: str) -> None:
        super().__init__(f"needs confirmation: this deletes {loses}", hint=f"Type `{typed}` to confirm.")
        self.reason = "confirm"
        self.loses = loses
        self.typed = typed


Cancel = Callable[[], None]
CAPTURE = "exec"
"""The task of a wish whose answer is what a command in a container prints. Options: command (words), timeout
(seconds)."""


class Host(Protocol):
    """The stack, and its tasks."""

    directory: Path
    task_prefix: str
    settings: Settings
    secrets: SecretValues
    """What is masked in everything that is shown."""

    @property
    def project(self) -> str:
        """The project's name, without asking an engine."""

    def session(self, emit: Emit = ...) -> Session:
        """The stack as its files say now, on the engine. Raises DevstackError."""

    def commands(self) -> Sequence[Command]: ...

    def has(self, task: str) -> bool:
        """Whether there is a task of this full name."""

    def run(self, wish: Wish, console: Console, on_cancellable: Callable[[Cancel], None], run: str) -> int:
        """Does it under the name `run`, and returns its exit code. Errors go to the console, except
        ConfirmationError. `on_cancellable` gets what interrupts it."""
