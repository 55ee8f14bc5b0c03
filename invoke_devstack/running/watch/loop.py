"""The watch itself: batches of changes come in, each service's lane does what they ask for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import DevstackError, NotFoundError, UsageError
from invoke_devstack.events import Notice, WatchFailed, Watching
from invoke_devstack.planning.watching import ServiceTurn, turn
from invoke_devstack.running.session import Session
from invoke_devstack.running.watch.batch import lstat, settle
from invoke_devstack.running.watch.container_events import ContainerEvents
from invoke_devstack.running.watch.definitions import Reload, changed_definition, definition_files
from invoke_devstack.running.watch.lane import ServiceLane
from invoke_devstack.running.watch.memory import give_back
from invoke_devstack.running.watch.modes import Modes
from invoke_devstack.running.watch.rules import compile_rules
from invoke_devstack.running.watch.source import open_source
from invoke_devstack.running.watch.stories import Source, Stories
from invoke_devstack.running.watch.survey import Survey
from invoke_devstack.running.watch.times import seconds_of
from invoke_devstack.running.workers import Workers

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_SETTLING = 60.0  # seconds
_LAST_WORDS = 5.0  # seconds that what is under way gets when the watch ends


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """`services` empty is all. `reload` reads the Compose files again; with `apply_definitions` their
    changes are carried out, else told."""

    services: tuple[str, ...] = ()
    apply_definitions: bool = False
    reload: Reload | None = None


def watch(session: Session, options: WatchOptions | None = None) -> None:
    """Keeps the running stack as the files are, until a signal comes, which raises Interrupted.

    Raises UsageError when there is nothing to watch or nothing runs. All that fails later is told by
    WatchFailed, and the watch goes on.
    """
    watcher = Watcher(session, options or WatchOptions())
    with session.interrupt.calling(watcher.stop):
        watcher.run()
    session.interrupt.check()


class Watcher:
    """A watch that another thread can end."""

    def __init__(self, session: Session, options: WatchOptions) -> None:
        self._session = session
        self._options = options
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._source: Source | None = None

    def stop(self) -> None:
        """Ends `run`; may be called from any thread, more than once."""
        with self._lock:
            first = not self._stopped.is_set()
            self._stopped.set()
            if first and self._source is not None:
                self._source.stop()

    def run(self) -> None:
        """Watches until `stop`. Raises UsageError when there is nothing to watch or nothing runs."""
        self._check_running()
        while not self._stopped.is_set():
            definition = _Round(self, self._session, self._options).run()
            if definition is None:
                return
            self._session = replace(self._session, definition=definition)

    def begin(self, source: Source) -> bool:
        """Takes note of who has to be stopped; False when it is too late to begin."""
        with self._lock:
            self._source = source
            return not self._stopped.is_set()

    def end(self) -> None:
        with self._lock:
            self._source = None

    def _check_running(self) -> None:
        label = f"com.docker.compose.project={self._session.project}"
        if not self._session.engine.list_containers({"label": (label,)}):
            raise UsageError(
                f"nothing of project {self._session.project} is there to be watched",
                hint="Start it first: `invoke up`, which watches too while it is attached.",
            )


class _Round:
    """One definition's watch."""

    def __init__(self, watcher: Watcher, session: Session, options: WatchOptions) -> None:
        self._watcher = watcher
        self._session = session
        self._options = options
        self._rules = compile_rules(session.definition, options.services)
        self._files = definition_files(session.definition) if options.reload else frozenset()
        self._modes = Modes()
        self._workers = Workers()
        self._lanes = {
            service: ServiceLane(session, service, self._rules.rules, self._workers)
            for service in self._rules.services
        }

    def run(self) -> Definition | None:
        """Watches; returns a definition that takes the place of this one, None at the end."""
        began = time.monotonic()
        for problem in self._rules.problems:
            self._session.emit(WatchFailed(service=problem.service, error=problem.text, hint=problem.hint))
        self._check_rules()
        source = open_source(
            self._rules.roots | self._files,
            self._rules.skips,
            quiet=self._session.settings.watch.debounce,
            force_polling=self._session.settings.watch.force_polling,
            notice=lambda text: self._session.emit(Notice(text=text, level="warning")),
        )
        events = ContainerEvents(
            self._session.engine, self._session.project, self._on_container, self._on_gap
        )
        try:
            if not self._watcher.begin(source):
                return None
            events.open()
            self._tell_start(began)
            self._catch_up_aside()
            return self._loop(source)
        finally:
            self._watcher.end()
            self._close(events, source)

    def _check_rules(self) -> None:
        if not self._rules.rules:
            raise UsageError(
                "no service has anything to watch",
                hint="Give a service `build:`, or rules under `develop.watch`.",
            )

    def _tell_start(self, began: float) -> None:
        self._session.emit(
            Watching(
                services=self._rules.services,
                paths=len({rule.root for rule in self._rules.rules}),
                seconds=time.monotonic() - began,
            )
        )

    def _loop(self, source: Source) -> Definition | None:
        for stories in source.batches():
            definition = self._take(stories)
            if definition is not None:
                return definition
        return None

    def _take(self, stories: Stories) -> Definition | None:
        changes = tuple(settle(stories.paths, self._modes.get, lstat))
        for change in changes:
            self._modes.update(change.path, lstat(change.path))
        for service, wanted in turn(changes, self._rules.rules).items():
            self._lanes[service].submit(wanted, stories.since)
        if stories.lost:
            self._catch_up_aside()
        if self._options.reload and any(change.path in self._files for change in changes):
            return changed_definition(
                self._session,
                self._options.reload,
                self._options.services,
                apply=self._options.apply_definitions,
            )
        return None

    def _on_container(self, service: str, action: str, container: str) -> None:
        if service in self._lanes:
            self._lanes[service].on_event(action, container)

    def _on_gap(self) -> None:
        """Something was missed: ask the containers themselves."""
        for lane in self._lanes.values():
            lane.catch_up()

    def _catch_up_aside(self) -> None:
        threading.Thread(target=self._catch_up, name="catch-up", daemon=True).start()

    def _catch_up(self) -> None:
        """Makes up for what nobody told of: copies what containers lack, rebuilds what is out of date."""
        self._on_gap()
        survey = Survey()
        survey.take(self._rules, self._modes)
        for service, newest in survey.newest.items():
            try:
                built = self._built_at(service)
            except DevstackError:
                continue
            if newest.time > built > 0:
                self._lanes[service].submit(ServiceTurn(service, rebuild=(newest.path,)), time.monotonic())
        for lane in self._lanes.values():
            lane.wait_until_idle(_SETTLING)
        give_back()

    def _built_at(self, service: str) -> float:
        """When the image that the service's containers are made from was built or found up to date;
        seconds since the epoch, 0.0 where it is not there."""
        name = self._session.definition.services[service].image_name(self._session.project)
        try:
            body = self._session.engine.inspect_image(name)
        except NotFoundError:
            return 0.0
        times = (body.get("Created"), (body.get("Metadata") or {}).get("LastTagTime"))
        return max(seconds_of(str(text or "")) for text in times)

    def _close(self, events: ContainerEvents, source: Source) -> None:
        events.close()
        for lane in self._lanes.values():
            lane.wait_until_idle(_LAST_WORDS if not self._session.interrupt.requested.is_set() else 0.0)
            lane.close()
        self._workers.close()
        source.close()
