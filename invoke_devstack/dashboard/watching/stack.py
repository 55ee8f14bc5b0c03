"""The stack as it is now. A thread observes it again when the engine tells of a change, and tells the tabs.

The list of containers has nearly everything. A container is inspected when it is new, when something befell
it, and now and then if it has a healthcheck, whose answers the engine does not tell of.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from invoke_devstack.acting.host import Host
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching import entries
from invoke_devstack.dashboard.watching.entries import Entry
from invoke_devstack.engine.containers.observing import with_details
from invoke_devstack.errors import DevstackError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.running.container_events import LOST, ContainerEvent, ContainerEvents
from invoke_devstack.running.locks import holder_of
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_GATHER = 0.04  # seconds in which several events are answered by one look
_LOOK = 1.0  # between two looks at the files, and at healthchecks
_OLD = 5.0  # after which a container with a healthcheck is inspected again
_RETRY = 1.0
_PARALLEL = 8
_QUIET = ("exec_create", "exec_start", "exec_die", "top", "resize", "attach", "archive-path", "copy")
"""Events that change nothing which is shown at once."""


class Stack:
    """Observes from `start` to `stop`."""

    def __init__(self, host: Host, hub: Hub, about: Mapping[str, Any]) -> None:
        """`about`: what is to be said of the dashboard itself, beside the project."""
        self._about = about
        self._host = host
        self._hub = hub
        self._events: SimpleQueue[ContainerEvent | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._looked = threading.Event()
        self._session: Session | None = None
        self._error: DevstackError | None = None
        self._engine_error: DevstackError | None = None
        self._changed_at = now()
        self._bodies: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._dirty: set[str] = set()
        self._entries: list[Entry] = []
        self._known: dict[str, Entry] = {}
        self._since: dict[str, tuple[str, str]] = {}
        self._told_project: dict[str, Any] = {}
        self._stamp: tuple[float, ...] = ()
        self._pool = ThreadPoolExecutor(_PARALLEL, "inspect")
        self.busy: dict[str, str] | None = None
        """Who changes the project now."""
        self.causes: dict[str, dict[str, Any]] = {}
        """Service -> why its containers were changed last."""
        self.usage: dict[str, dict[str, Any]] = {}
        """Container -> what it uses."""

    def start(self) -> None:
        threading.Thread(target=self._run, name="stack", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._events.put(None)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def wait_until_seen(self, seconds: float) -> None:
        """Returns when there has been a first look, or it failed."""
        self._looked.wait(seconds)

    def look_again(self) -> None:
        """From any thread: something may have changed that no event tells of."""
        self._events.put(None)

    # answers, from any thread

    @property
    def session(self) -> Session:
        """The stack on the engine. Raises DevstackError if there is none now."""
        session, error = self._session, self._error or self._engine_error
        if session is None or (self._engine_error and session is None):
            raise error or EngineUnavailableError("the engine has not answered yet", reason="timeout")
        return session

    @property
    def definition(self) -> Definition:
        return self.session.definition

    @property
    def engine_is_away(self) -> bool:
        return self._engine_error is not None

    def services(self) -> list[Entry]:
        with self._lock:
            return [self._completed(item) for item in self._entries]

    def body(self, container: str) -> Mapping[str, Any]:
        """The inspection of a container, by its id."""
        return self._bodies.get(container, (0.0, {}))[1]

    def body_named(self, container: str) -> Mapping[str, Any]:
        """The same, by its name."""
        bodies = (body for _, body in [*self._bodies.values()])
        return next((body for body in bodies if str(body.get("Name", "")).lstrip("/") == container), {})

    def project(self) -> dict[str, Any]:
        """What the page says of the whole."""
        session, definition_error = self._session, self._error
        state: dict[str, Any] = self._host.secrets.hide_in(
            {
                "engine": self._engine(session),
                "definition": _definition_state(session, definition_error),
                "busy": self.busy,
            }
        )
        return {
            "v": 2,
            "project": session.project if session else self._host.project,
            "directory": str(self._host.directory),
            "directory_name": self._host.directory.name,
            "stack": entries.stack_state(self._entries) if session else "unknown",
            **state,
            "task_prefix": self._host.task_prefix,
            **self._about,
        }

    def _engine(self, session: Session | None) -> dict[str, Any]:
        error = self._engine_error
        unknown = session is None and self._error is None
        info: dict[str, Any] = {"state": "away" if error or unknown else "up", "since": self._changed_at}
        info |= {"name": "", "version": "", "address": session.engine.endpoint.url if session else ""}
        if session and not error and self._observed is not None:
            info |= {"name": self._observed.engine.name, "version": self._observed.engine.version}
        return {**info, "error": error.message if error else "", "hint": error.hint if error else ""}

    _observed: Observed | None = None

    def _completed(self, entry: Entry) -> Entry:
        used = self.usage.get(entry["container"], {})
        numbers = {name: used.get(name) for name in ("cpu_percent", "memory", "memory_limit")}
        stale = {"stale": True} if self._engine_error else {}
        return {**entry, **numbers, "last_cause": self.causes.get(entry["service"]), **stale}

    # the thread

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._session = self._host.session()
                self._error = None
                self._stamp = _stamp_of(self._session.definition)
                self._observe_until_lost(self._session)
            except EngineUnavailableError as error:
                self._lose(error)
            except DevstackError as error:
                self._error = error
                self._tell_project()
            except (RuntimeError, CancelledError):  # of inspections that the end broke off
                if not self._stopped.is_set():
                    raise
            self._looked.set()
            self._stopped.wait(_RETRY)

    def _observe_until_lost(self, session: Session) -> None:
        events = ContainerEvents(session.engine, session.project)
        with events.listening(self._events.put), closing(events):
            events.open()
            events.wait_until_connected()
            self._find()
            self._look()
            while not self._stopped.is_set():
                self._react(self._gather())

    def _react(self, gathered: list[ContainerEvent | None] | None) -> None:
        """None: nothing happened for a while."""
        self._look_at_lock()
        if gathered is None:
            self._reload()
            self._look_at_health()
            return
        for event in gathered:
            if event is not None:
                self._note(event)
        self._look()

    def _note(self, event: ContainerEvent) -> None:
        if event.action == LOST and event.error is not None:
            self._lose(event.error)
        elif event.action == "connected":
            self._find()
            self._bodies.clear()
        else:
            self._dirty.add(event.container)

    def _gather(self) -> list[ContainerEvent | None] | None:
        try:
            found = [self._events.get(timeout=_LOOK)]
        except Empty:
            return None
        if all(_is_quiet(event) for event in found):
            return self._gather_rest(found, 0.0) or None
        return self._gather_rest(found, _GATHER)

    def _gather_rest(self, found: list[ContainerEvent | None], seconds: float) -> list[ContainerEvent | None]:
        time.sleep(seconds)
        while not self._events.empty():
            found.append(self._events.get())
        return [event for event in found if not _is_quiet(event)]

    def _lose(self, error: DevstackError) -> None:
        if self._engine_error is None:
            self._changed_at = now()
        self._engine_error = error
        self._tell_project()

    def _find(self) -> None:
        if self._engine_error is not None:
            self._engine_error, self._changed_at = None, now()

    def _reload(self) -> None:
        """Reads the files again if one of them changed."""
        session = self._session
        if session is None:
            return
        stamp = _stamp_of(session.definition)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._session, self._error = self._host.session(), None
        except EngineUnavailableError as error:
            self._lose(error)
        except DevstackError as error:
            self._error = error
        self._hub.tell("definition", {})
        self._look()

    def _look_at_lock(self) -> None:
        """Notices a command elsewhere changing the project. Actions of this dashboard tell it themselves."""
        session = self._session
        if session is None or self._engine_error or "run" in (self.busy or {}):
            return
        with suppress(DevstackError):
            holder = holder_of(session.engine, session.project)
            if holder is None or holder.pid != os.getpid():
                self.tell_busy({"holder": str(holder)} if holder else None)

    def _look_at_health(self) -> None:
        limit = time.monotonic() - _OLD
        old = {key for key, (seen, body) in self._bodies.items() if seen < limit and _has_health(body)}
        if old and not self._engine_error:
            self._dirty |= old
            self._look()

    def _look(self) -> None:
        """Observes, and tells what is different."""
        session = self._session
        if session is None or self._engine_error is not None:
            self._tell_project()
            return
        try:
            observed = session.engine.observe(session.project)
            observed = self._inspected(session, observed)
        except EngineUnavailableError:
            return  # the stream of events notices it too
        except DevstackError as error:
            self._lose(error)
            return
        self._observed = observed
        bodies = {key: body for key, (_, body) in self._bodies.items()}
        found = entries.entries(session.definition, observed, bodies)
        hidden = [entries.hidden(item, self._host.secrets) for item in found]
        with self._lock:
            self._entries = [self._dated(item) for item in hidden]
        self._looked.set()
        self._tell_services()
        self._tell_project()

    def _inspected(self, session: Session, observed: Observed) -> Observed:
        present = {item.id for item in observed.containers}
        for gone in self._bodies.keys() - present:
            del self._bodies[gone]
        wanted = (self._dirty | (present - self._bodies.keys())) & present
        self._dirty.clear()
        bodies = self._pool.map(lambda key: (key, _inspect(session, key)), wanted)
        self._bodies |= {key: (time.monotonic(), body) for key, body in bodies if body is not None}
        detailed = tuple(self._with_details(item) for item in observed.containers)
        return Observed(**{**vars(observed), "containers": detailed})

    def _with_details(self, container: ObservedContainer) -> ObservedContainer:
        body = self.body(container.id)
        return with_details(container, body) if body else container

    def _dated(self, entry: Entry) -> Entry:
        """`since` of a change of health is when it was first seen."""
        shown = f"{entry['state']} {entry['health']} {entry['since']}"
        before = self._since.get(entry["key"])
        if before is None or not before[0].startswith(f"{entry['state']} "):
            self._since[entry["key"]] = (shown, entry["since"])
        elif before[0] != shown:
            moved = not before[0].endswith(entry["since"])
            self._since[entry["key"]] = (shown, entry["since"] if moved else now())
        return {**entry, "since": self._since[entry["key"]][1]}

    # telling

    def _tell_services(self) -> None:
        found = {item["key"]: item for item in self._entries}
        if list(found) != list(self._known):
            self._hub.tell("services", self.services())
        else:
            for key, item in found.items():
                if item != self._known[key]:
                    self._hub.tell("service", self._completed(item))
        self._known = found

    def tell_causes(self) -> None:
        """After causes changed."""
        self._hub.tell("services", self.services())

    def _tell_project(self) -> None:
        state = self.project()
        if state != self._told_project:
            away = self._told_project.get("engine", {}).get("state") != state["engine"]["state"]
            self._told_project = state
            self._hub.tell("project", state)
            if away:
                self._hub.tell("services", self.services())

    def tell_busy(self, busy: dict[str, str] | None) -> None:
        """Somebody began or ended to change the project."""
        self.busy = busy
        self._tell_project()


def now() -> str:
    """The time in RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_quiet(event: ContainerEvent | None) -> bool:
    return event is not None and event.action.partition(":")[0] in _QUIET


def _has_health(body: Mapping[str, Any]) -> bool:
    state = body.get("State") or {}
    return bool(state.get("Health")) and bool(state.get("Running"))


def _inspect(session: Session, container: str) -> Mapping[str, Any] | None:
    try:
        return session.engine.inspect_container(container)
    except NotFoundError:
        return None


def _definition_state(session: Session | None, error: DevstackError | None) -> dict[str, Any]:
    files = [str(file) for file in session.definition.files] if session else []
    position = str(error.position) if error and error.position else ""
    return {
        "state": "invalid" if error else "ok",
        "files": files,
        "error": error.message if error else "",
        "hint": error.hint if error else "",
        "position": position,
    }


def _stamp_of(definition: Definition) -> tuple[float, ...]:
    return tuple(_time_of(file) for file in (*definition.read_files, *definition.env_files))


def _time_of(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
