"""Reads the logs of all containers into the store, each line once, as long as the dashboard runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from invoke_devstack.acting.log_line import Line, lines_of
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.logs.past import read_past
from invoke_devstack.dashboard.logs.store import Store
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Event, ServiceChanged
from invoke_devstack.running.logs import history
from invoke_devstack.running.logs.follow import Follower
from invoke_devstack.running.logs.lines import first_stamp
from invoke_devstack.running.logs.position import Position
from invoke_devstack.running.logs.sources import Range, Source, sources
from invoke_devstack.running.session import Session

_GATHER = 0.025
"""Seconds in which lines of different containers are put in order of time."""
_HISTORY = 50_000  # lines of the past to begin with, of all containers together
_LEAST = 200  # of each
_RETRY = 1.0


class Feed:
    """Reads from `start` to `stop`."""

    def __init__(self, session: Callable[[], Session], hub: Hub, store: Store) -> None:
        """`session` raises DevstackError while there is no engine."""
        self._make_session = session
        self._hub = hub
        self._store = store
        self._pending: list[tuple[Source, str, bytes]] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._positions: dict[str, Position] = {}
        self._follower: Follower | None = None
        self._filled = threading.Event()
        self.is_partial = True
        """Whether the engine may have older lines than those in the store."""
        self._past: threading.Thread | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="logs", daemon=True).start()
        threading.Thread(target=self._store_lines, name="log-store", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        if self._follower is not None:
            self._follower.stop()

    def wait_until_filled(self, seconds: float) -> None:
        """Returns when the past has been read."""
        self._filled.wait(seconds)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                session = replace(self._make_session(), emit=self._on_event)
                if not self._filled.is_set():
                    self._read_history(session)
                    self._filled.set()
                self._follower = Follower(session, (), self._on_block)
                self._follower.run(self._positions)
            except DevstackError:
                self._stopped.wait(_RETRY)

    def _read_history(self, session: Session) -> None:
        found = sources(session.engine, session.project, ())
        if not found:
            self.is_partial = False
            return
        most = max(_LEAST, _HISTORY // len(found))
        self._positions = {source.id: Position(partial=True) for source in found}
        begins = _Begins(most)
        lines: list[Line] = []

        def on_block(source: Source, stream: str, block: bytes) -> None:
            self._positions[source.id].advance(block)
            begins.count(source.id, block)
            lines.extend(lines_of(source.service, source.name, stream, block))

        history.merge(session, found, Range(tail=most), on_block)
        cut = begins.last_of_partial()
        self._store.add([line for line in lines if line.stamp >= cut])
        self.is_partial = bool(cut)
        self._tell([])

    def read_past(self) -> None:
        """Begins to read what the engine has from before: somebody looks at logs. Returns at once."""
        with self._lock:
            if self._past is None and self.is_partial and self._filled.is_set():
                self._past = threading.Thread(target=self._read_past, name="log-past", daemon=True)
                self._past.start()

    def _read_past(self) -> None:
        with suppress(DevstackError):
            if read_past(self._make_session(), self._store):
                self.is_partial = False
            self._tell([])

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ServiceChanged):
            self._hub.tell("changed", event.to_json())

    def _on_block(self, source: Source, stream: str, block: bytes) -> None:
        with self._lock:
            self._pending.append((source, stream, block))
        self._wake.set()

    def _store_lines(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            self._stopped.wait(_GATHER)
            self._wake.clear()
            with self._lock:
                taken, self._pending = self._pending, []
            lines = [
                line
                for source, stream, block in taken
                for line in lines_of(source.service, source.name, stream, block)
            ]
            lines.sort(key=lambda line: line.stamp)
            if lines:
                self._tell(self._store.add(lines))

    def _tell(self, lines: list[Line]) -> None:
        self._hub.tell_logs(self._grown, lines)

    def _grown(self) -> dict[str, Any]:
        return {"first": self._store.first, "last": self._store.last}


class _Begins:
    """Where what was read of each container begins, and whether it has more than `most` lines."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[str, int] = {}
        self._first: dict[str, bytes] = {}

    def count(self, container: str, block: bytes) -> None:
        self._first.setdefault(container, first_stamp(block, 0))
        self._lines[container] = self._lines.get(container, 0) + block.count(b"\n")

    def last_of_partial(self) -> bytes:
        """The stamp from which on the lines of all containers are known; empty if all are known."""
        partial = (self._first[name] for name, lines in self._lines.items() if lines >= self._most)
        return max(partial, default=b"")
