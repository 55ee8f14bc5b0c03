"""The work of one service, in order.

Syncs and rebuilds run beside each other: a save still reaches the old container while the new one is built.
Everything that arrives during a run becomes one next run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from invoke_devstack.planning.watching.actions import CompiledRule, ServiceActions
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.delivery.reports import ServiceReports
from invoke_devstack.running.watch.delivery.service_sync import ServiceSync
from invoke_devstack.running.workers import Workers


class SerialWorker:
    """Idle, running, or running with another run due."""

    def __init__(self, workers: Workers, work: Callable[[], object]) -> None:
        """`work` must not raise."""
        self._workers = workers
        self._work = work
        self._lock = threading.Lock()
        self._due = False
        self._running = False
        self.idle = threading.Event()
        self.idle.set()

    def trigger(self) -> None:
        """Runs `work`, after the present run if there is one. Returns at once."""
        with self._lock:
            self._due = True
            if self._running:
                return
            self._running = True
            self.idle.clear()
        self._workers.submit(self._run)

    def _run(self) -> None:
        while self._is_due():
            self._work()

    def _is_due(self) -> bool:
        with self._lock:
            if not self._due:
                self._running = False
                self.idle.set()
            due, self._due = self._due, False
            return due


_LIST_CHANGES = ("create", "destroy", "rename")


@dataclass(slots=True)
class _Pending:
    """The next run of the syncs, in the order in which its parts are carried out."""

    refresh: bool = False  # containers were created or removed
    resumed: set[str] = field(default_factory=set)  # ids of containers that were started or stopped
    actions: ServiceActions | None = None
    since: float = 0.0  # `time.monotonic()` at the first change of `actions`
    catch_up: set[str] = field(default_factory=set)  # ids of containers to compare with the host
    catch_up_all: bool = False

    def add(self, actions: ServiceActions, since: float) -> None:
        if self.actions is None:
            self.actions, self.since = actions, since
        else:
            self.actions = self.actions.merged(actions)


class ServiceQueue:
    """The syncs and rebuilds of one service."""

    def __init__(
        self, session: Session, service: str, rules: tuple[CompiledRule, ...], workers: Workers
    ) -> None:
        self._newer, self._newer_build = threading.Event(), threading.Event()
        """Set while a change waits for its turn: nobody needs to know whether the one before it works."""
        self._building = replace(session, superseded=self._newer_build)
        session = replace(session, superseded=self._newer)
        self._service = service
        self._reports = ServiceReports(session, service)
        syncing = tuple(rule for rule in rules if rule.service == service and rule.syncs)
        self._sync = ServiceSync(session, service, syncing, self._reports)
        self._lock = threading.Lock()  # for what is pending
        self._pending = _Pending(refresh=True)
        self._to_build: dict[str, None] = {}
        self._syncs = SerialWorker(workers, lambda: self._reports.attempt(self._run_pending))
        self._builds = SerialWorker(workers, lambda: self._reports.attempt(self._build))

    def submit(self, actions: ServiceActions, since: float) -> None:
        """Queues the actions of a batch whose first change came at `since` (of `time.monotonic()`)."""
        with self._lock:
            self._to_build |= dict.fromkeys(actions.rebuild)
            self._pending.add(actions, since)
            self._newer.set()
            self._newer_build.set()
        if actions.rebuild:
            self._builds.trigger()
        self._syncs.trigger()

    def catch_up(self) -> None:
        """Queues a comparison of each container with the host, and the sync of what differs."""
        with self._lock:
            self._pending.refresh = self._pending.catch_up_all = True
        self._syncs.trigger()

    def on_event(self, action: str, container_id: str) -> None:
        """Takes an engine event of one of the service's containers."""
        with self._lock:
            known = next((item for item in self._sync.containers if item.id == container_id), None)
            if known is None or action in _LIST_CHANGES:
                self._pending.refresh = True
            if known is not None:
                self._pending.resumed.add(container_id)
            if action == "start" and (known is None or known.starts_outdated):
                self._pending.catch_up.add(container_id)
        if action != "create":
            self._syncs.trigger()

    def wait_until_idle(self, seconds: float) -> bool:
        """Whether everything is done within `seconds`."""
        return self._syncs.idle.wait(seconds) and self._builds.idle.wait(seconds)

    def close(self) -> None:
        """Ends the shells in the containers."""
        self._sync.close()

    def _run_pending(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, _Pending()
            self._newer.clear()
        if pending.refresh:
            self._sync.refresh_containers()
        outdated = pending.catch_up | {item.id for item in self._sync.containers if item.incomplete}
        for container in self._sync.containers:
            if container.id in pending.resumed:
                self._reports.attempt(self._sync.resume, container)
        if pending.actions is not None:
            self._reports.attempt(self._sync.carry_out, pending.actions, pending.since)
        for container in tuple(self._sync.containers):
            if pending.catch_up_all or container.id in outdated:
                self._sync.catch_up(container)

    def _build(self) -> None:
        with self._lock:
            paths, self._to_build = tuple(self._to_build), {}
            self._newer_build.clear()
        if paths:
            from invoke_devstack.running.watch.replacement import rebuild

            rebuild(self._building, self._service, self._reports.shown_paths(paths))
