"""The events of one service's watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec

from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Notice, Synced, WatchFailed
from invoke_devstack.planning.explaining.task_commands import explain_sync
from invoke_devstack.planning.watching.actions import PathPair, ServiceActions, relative
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.delivery.sync_container import Delivery

_MAX_PATHS = 20  # in one event
P = ParamSpec("P")


class ServiceReports:
    """Emits what happened to one service."""

    def __init__(self, session: Session, service: str) -> None:
        self._session = session
        self._service = service

    def attempt(self, work: Callable[P, object], *args: P.args, **options: P.kwargs) -> None:
        """Calls `work`. If it fails, reports why, and the watch goes on."""
        try:
            work(*args, **options)
        except DevstackError as error:
            if not self._session.interrupt.requested.is_set():
                self.failed(error.message, error.hint, error.details)
        except Exception as error:
            self.failed(f"{type(error).__name__}: {error}")

    def failed(self, text: str, hint: str = "", details: Sequence[str] = ()) -> None:
        self._session.emit(WatchFailed(service=self._service, error=text, hint=hint, details=tuple(details)))

    def synced(self, delivery: Delivery, paths: Sequence[str], since: float) -> None:
        """`since` is a reading of `time.monotonic()`."""
        if delivery.files or delivery.deleted:
            self._session.emit(
                Synced(
                    service=self._service,
                    files=delivery.files,
                    deleted=delivery.deleted,
                    seconds=time.monotonic() - since,
                    paths=self.shown_paths(paths[:_MAX_PATHS]),
                )
            )
        if delivery.waiting:
            count = delivery.waiting
            waiting = "1 deletion waits" if count == 1 else f"{count} deletions wait"
            text = f"not running: {waiting} until it is started"
            self._session.emit(Notice(text=text, service=self._service))

    def explain(self, actions: ServiceActions, containers: Iterable[str]) -> None:
        """The docker commands that would do the same, with `--explain`."""
        if not self._session.explain:
            return
        for name in containers:
            for step in explain_sync(name, _first(actions.copies), _first(actions.deletions)):
                self._session.emit(step)

    def shown_paths(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Relative to the project's directory where they are in it."""
        home = str(self._session.definition.working_dir)
        return tuple(relative(path, home) or path for path in paths)


def _first(pairs: tuple[PathPair, ...]) -> tuple[PathPair, ...]:
    return pairs[:_MAX_PATHS]
