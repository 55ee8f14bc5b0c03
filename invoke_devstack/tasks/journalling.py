"""Keeps what a task does for the dashboard's history: see `running/journal.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.console import Console
from invoke_devstack.events import Event

if TYPE_CHECKING:
    from invoke_devstack.running.journal import Journal
    from invoke_devstack.tasks.work import Work

_NEVER = frozenset({"log", "action.progress", "service.waiting"})


class JournallingConsole:
    """A console that also keeps what it shows."""

    def __init__(
        self,
        console: Console,
        task: str,
        flags: Mapping[str, Any],
        *,
        run: str = "",
        origin: str = "terminal",
    ) -> None:
        self.shown_on = console
        self._task = task
        self._flags = flags
        self._run = run
        self._origin = origin
        self._journal: Journal | None = None
        self.work: Work | None = None
        """The call whose events these are."""
        self.expect = console.expect
        self.close = console.close
        self.stay = console.stay
        self.ask = console.ask
        self.secrets = console.secrets

    def emit(self, event: Event) -> None:
        """Shows the event, and keeps it."""
        self.shown_on.emit(event)
        if event.type not in _NEVER and self.work is not None and not self.work.dry:
            self._opened(self.work).add(event)

    def end(self, exit_code: int) -> None:
        """The task has ended."""
        if self._journal is not None:
            self._journal.end(exit_code)

    def _opened(self, work: Work) -> Journal:
        if self._journal is None:
            from invoke_devstack.running.journal import Journal, folder_of

            self._journal = Journal(
                folder_of(work.directory, work.copy_name), self._head, self.secrets.hide_in
            )
        return self._journal

    def _head(self) -> Any:
        import os
        import time

        from invoke_devstack.running.journal import Head, new_run

        return Head(
            run=self._run or new_run(),
            task=self._task,
            command=self._command(),
            services=_services(self._flags),
            began=time.time(),
            pid=os.getpid(),
            origin=self._origin,
        )

    def _command(self) -> str:
        """As it would be typed, without values: they may be secret."""
        given = [name for name, value in self._flags.items() if value is True]
        words = [f"--{name.strip('_').replace('_', '-')}" for name in given if name != "json"]
        services = ",".join(_services(self._flags))
        prefix = self.work.task_prefix if self.work else ""
        return " ".join(["invoke", f"{prefix}{self._task}", *words, *(["-s", services] if services else [])])


def _services(flags: Mapping[str, Any]) -> tuple[str, ...]:
    value = flags.get("service") or ()
    return (value,) if isinstance(value, str) else tuple(value)
