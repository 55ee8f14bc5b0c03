"""The watch: each batch of changes becomes actions, which go into the queue of their service."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, NotFoundError, UsageError
from invoke_devstack.events import Notice, WatchFailed, Watching
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.planning.watching.actions import Change, ServiceActions, actions_for
from invoke_devstack.running.container_events import CONNECTED, ContainerEvent, ContainerEvents
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.changes.change_batch import net_changes
from invoke_devstack.running.watch.changes.source import ChangeSource, open_change_source
from invoke_devstack.running.watch.changes.tree_scan import FileModes, NewestChange, scan_trees
from invoke_devstack.running.watch.changes.walk import lstat
from invoke_devstack.running.watch.decisions import decisions_of
from invoke_devstack.running.watch.definitions import (
    LastReading,
    Reload,
    changed_definition,
    definition_files,
)
from invoke_devstack.running.watch.delivery.service_queue import ServiceQueue
from invoke_devstack.running.watch.rules import compile_rules
from invoke_devstack.running.workers import Workers

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_ACTIONS = ("create", "start", "die", "pause", "unpause", "rename", "destroy")
_CATCH_UP_TIMEOUT = 60.0  # seconds
_END_TIMEOUT = 5.0  # seconds for what is under way when the watch ends


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """`services` empty means all. `reload` reads the Compose files again; with `apply_definitions` their
    changes are carried out, otherwise reported."""

    services: tuple[str, ...] = ()
    apply_definitions: bool = False
    reload: Reload | None = None


def watch(session: Session, options: WatchOptions | None = None) -> None:
    """Keeps the running stack up to date with its files until a signal arrives, which raises Interrupted.

    Raises UsageError if there is nothing to watch or nothing is running. Everything that fails later is
    reported as WatchFailed, and the watch goes on.
    """
    watcher = Watcher(session, options or WatchOptions())
    with session.interrupt.calling(watcher.stop):
        watcher.run()
    session.interrupt.check(is_done=True)


class Watcher:
    """A watch that another thread can end."""

    def __init__(self, session: Session, options: WatchOptions) -> None:
        self._session = session
        self._options = options
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._source: ChangeSource | None = None

    def stop(self) -> None:
        """Ends `run`. May be called from any thread, more than once."""
        with self._lock:
            first = not self._stopped.is_set()
            self._stopped.set()
            if first and self._source is not None:
                self._source.stop()

    def run(self) -> None:
        """Watches until `stop`. Raises UsageError if there is nothing to watch or nothing is running."""
        label = f"{PROJECT}={self._session.project}"
        if not self._session.engine.list_containers({"label": (label,)}):
            raise UsageError(
                f"nothing to watch: project {self._session.project} has no containers",
                hint="Start it with `invoke up`, which also watches while it is attached.",
            )
        while not self._stopped.is_set():
            definition = _DefinitionWatch(self, self._session, self._options).run()
            if definition is None:
                return
            self._session = replace(self._session, definition=definition)

    def begin(self, source: ChangeSource) -> bool:
        """Registers what `stop` has to stop; False if it was called already."""
        with self._lock:
            self._source = source
            return not self._stopped.is_set()

    def end(self) -> None:
        with self._lock:
            self._source = None


class _DefinitionWatch:
    """The watch of one definition, until it ends or the definition changes."""

    def __init__(self, watcher: Watcher, session: Session, options: WatchOptions) -> None:
        self._watcher = watcher
        self._session = session
        self._options = options
        self._rules = compile_rules(session.definition, options.services)
        self._files = definition_files(session.definition) if options.reload else frozenset()
        self._last_reading = LastReading()
        self._modes = FileModes()
        self._workers = Workers()
        self._queues = {
            service: ServiceQueue(session, service, self._rules.rules, self._workers)
            for service in self._rules.services
        }

    def run(self) -> Definition | None:
        """Watches. Returns the definition that replaces this one, None at the end."""
        began = time.monotonic()
        self._report_problems()
        source = self._open_source()
        events = ContainerEvents(self._session.engine, self._session.project, actions=_ACTIONS)
        try:
            if not self._watcher.begin(source):
                return None
            events.open()
            with suppress(DevstackError):
                events.wait_until_connected()
            with events.listening(self._on_event):
                self._report_start(began)
                self._start_catch_up()
                return self._handle_batches(source)
        finally:
            self._watcher.end()
            self._close(events, source)

    def _report_problems(self) -> None:
        for problem in self._rules.problems:
            self._session.emit(WatchFailed(service=problem.service, error=problem.text, hint=problem.hint))
        if not self._rules.rules:
            raise UsageError(
                "no service has anything to watch",
                hint="Add `build:` or `develop.watch` rules to a service.",
            )

    def _open_source(self) -> ChangeSource:
        settings = self._session.settings.watch
        return open_change_source(
            self._rules.roots | self._files,
            self._rules.skips,
            quiet=settings.debounce,
            force_polling=settings.force_polling,
            notice=lambda text: self._session.emit(Notice(text=text, level="warning")),
        )

    def _report_start(self, began: float) -> None:
        self._session.emit(
            Watching(
                services=self._rules.services,
                paths=len({rule.root for rule in self._rules.rules}),
                seconds=time.monotonic() - began,
            )
        )

    # while it runs

    def _handle_batches(self, source: ChangeSource) -> Definition | None:
        for batch in source.batches():
            changes = tuple(net_changes(batch.paths, self._modes.get, lstat))
            for change in changes:
                self._modes.update(change.path, lstat(change.path))
            self._tell_decisions(changes)
            for service, actions in actions_for(changes, self._rules.rules).items():
                self._queues[service].submit(actions, batch.since)
            if batch.lost:
                self._start_catch_up()
            definition = self._changed_definition(changes)
            if definition is not None:
                return definition
        return None

    def _tell_decisions(self, changes: tuple[Change, ...]) -> None:
        event = decisions_of(changes, self._rules.rules, self._session.definition.working_dir)
        if event is not None:
            self._session.emit(event)

    def _changed_definition(self, changes: tuple[Change, ...]) -> Definition | None:
        options = self._options
        if options.reload is None or not any(change.path in self._files for change in changes):
            return None
        return changed_definition(
            self._session,
            options.reload,
            options.services,
            self._last_reading,
            apply=options.apply_definitions,
        )

    def _on_event(self, event: ContainerEvent) -> None:
        if event.action == CONNECTED:
            self._catch_up_queues()
        elif event.service in self._queues:
            self._queues[event.service].on_event(event.action, event.container)

    def _catch_up_queues(self) -> None:
        """Engine events may have been missed."""
        for queue in self._queues.values():
            queue.catch_up()

    # what nobody reported: edits before the watch began, or whose events were lost

    def _start_catch_up(self) -> None:
        threading.Thread(target=self._catch_up, name="catch-up", daemon=True).start()

    def _catch_up(self) -> None:
        """Syncs what containers lack, and rebuilds outdated images."""
        self._catch_up_queues()
        for service, newest in scan_trees(self._rules, self._modes).items():
            self._rebuild_if_outdated(service, newest)
        for queue in self._queues.values():
            queue.wait_until_idle(_CATCH_UP_TIMEOUT)
        trim_memory()

    def _rebuild_if_outdated(self, service: str, newest: NewestChange) -> None:
        try:
            built = self._built_at(service)
        except DevstackError:
            return
        if newest.time > built > 0:
            self._queues[service].submit(ServiceActions(service, rebuild=(newest.path,)), time.monotonic())

    def _built_at(self, service: str) -> float:
        """When the service's image was built or found up to date: seconds since the epoch, 0.0 without
        one."""
        name = self._session.definition.services[service].image_name(self._session.project)
        try:
            body = self._session.engine.inspect_image(name)
        except NotFoundError:
            return 0.0
        timestamps = (body.get("Created"), (body.get("Metadata") or {}).get("LastTagTime"))
        return max(seconds_of(str(text or "")) for text in timestamps)

    def _close(self, events: ContainerEvents, source: ChangeSource) -> None:
        events.close()
        for queue in self._queues.values():
            queue.wait_until_idle(_END_TIMEOUT if not self._session.interrupt.requested.is_set() else 0.0)
            queue.close()
        self._workers.close()
        source.close()


def trim_memory() -> None:
    """Frees unused memory, which the C library would otherwise keep for later allocations."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # in glibc, not in musl
        if trim is not None:
            trim(0)
