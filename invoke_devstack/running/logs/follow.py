"""Follows the logs of a project: every line once, across restarts, recreations and engine restarts.

Each container has a `Reader`, which resumes where its last stream ended. Events report containers that
are new or start again. While the engine is away, the readers wait for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import (
    ConflictError,
    EngineError,
    EngineUnavailableError,
    Interrupted,
    NotFoundError,
)
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.running.container_events import CONNECTED, LOST, ContainerEvent, ContainerEvents
from invoke_devstack.running.logs.endings import Endings
from invoke_devstack.running.logs.history import OnBlock, warn_unreadable
from invoke_devstack.running.logs.position import Position, Skipper, blocks_from
from invoke_devstack.running.logs.sources import Source, sources
from invoke_devstack.running.session import Session

_RETRY = 0.25  # seconds between two attempts to reach an engine that is away


class Reader:
    """Reading until the container ends, then idle until it starts again or is removed."""

    def __init__(
        self,
        engine: Engine,
        source: Source,
        position: Position,
        *,
        on_block: OnBlock,
        on_unreadable: Callable[[Source, EngineError], None],
        ended: threading.Event,
    ) -> None:
        """`ended` is set when nobody wants the log any more."""
        self.source = source
        self.removed = threading.Event()
        self.idle = threading.Event()
        self._engine = engine
        self._position = position
        self._on_block = on_block
        self._on_unreadable = on_unreadable
        self._ended = ended
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"log {source.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be more to read: the container started again."""
        self.idle.clear()
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def finish(self) -> None:
        """Reads what is left, then ends: the container was removed."""
        self.removed.set()
        self.wake()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            gone = self.removed.is_set()
            self._read()
            if gone or self._ended.is_set():
                return
            if not self._wake.is_set():
                self.idle.set()
            self._wake.wait()

    def _read(self) -> None:
        """Follows until the container ends, then reads once more: the engine may have ended the stream before
        the last lines."""
        try:
            self._deliver(follow=True)
            self._deliver(follow=False)
        except (NotFoundError, ConflictError, Interrupted):  # being removed is a conflict
            self.removed.set()
        except EngineUnavailableError:
            self._ended.wait(_RETRY)
            self._wake.set()
        except EngineError as error:
            self._on_unreadable(self.source, error)

    def _deliver(self, *, follow: bool) -> None:
        skipper = Skipper(self._position)
        for stream, block in blocks_from(self._position, self._engine, self.source, follow=follow):
            if new := skipper.new(block):
                self._on_block(self.source, stream, new)
                self._position.advance(new)


_TICK = 0.2  # seconds between two checks whether everything has ended
_GONE_FOR_GOOD = 3.0  # seconds with nothing left to read after which no container is expected to come back

_State = Callable[[ContainerEvent | None], Any]
"""A method that takes the next event (None: there was none within a tick) and returns the next state, or
None at the end."""


class Follower:
    """Follows all containers of the services (of all services if none are given)."""

    def __init__(self, session: Session, services: tuple[str, ...], on_block: OnBlock) -> None:
        self._session = session
        self._services = services
        self._on_block = on_block
        self._output = threading.Lock()
        self._messages: SimpleQueue[ContainerEvent | None] = SimpleQueue()
        self._readers: dict[str, Reader] = {}
        self._positions: dict[str, Position] = {}
        self._until_all_end = False
        self._quiet_since: float | None = None
        self._told_quiet = False
        self.endings = Endings(session)
        self._finishing = threading.Event()
        self._ended = threading.Event()

    def run(self, positions: dict[str, Position], *, until_all_end: bool = False) -> None:
        """Returns after `stop`, or when the project has no container left (`until_all_end`: no running one).
        `positions` are of containers whose history was shown, by id. Raises DevstackError."""
        self._positions, self._until_all_end = positions, until_all_end
        events = ContainerEvents(self._session.engine, self._session.project)
        state: _State | None = self._connecting
        try:
            with events.listening(self._messages.put), closing(events):
                events.open()
                while state is not None and not self._ended.is_set():
                    state = state(self._next_event())
        finally:
            self._ended.set()
            self._finish_readers()

    def stop(self) -> None:
        """Ends `run` at once, from any thread."""
        self._ended.set()
        self._messages.put(None)

    def finish(self) -> None:
        """Ends `run` when everything written so far has been read, from any thread."""
        self._finishing.set()

    def _next_event(self) -> ContainerEvent | None:
        try:
            return self._messages.get(timeout=_TICK)
        except Empty:
            return None

    # states

    def _connecting(self, event: ContainerEvent | None) -> _State:
        """The engine has not answered yet."""
        if event is None:
            return self._connecting
        return self._lose(event) if event.action == LOST else self._searching(None)

    def _away(self, event: ContainerEvent | None) -> _State:
        """The engine went away."""
        if event is None or event.action != CONNECTED:
            return self._away
        self._session.emit(Notice(text="The engine is back."))
        return self._searching(None)

    def _searching(self, event: ContainerEvent | None) -> _State:
        """Containers may have started unnoticed."""
        if event is not None and event.action == LOST:
            return self._lose(event)
        try:
            found = sources(self._session.engine, self._session.project, self._services)
        except EngineUnavailableError:
            return self._searching
        for source in found:
            self._follow(source)
        return self._following

    def _following(self, event: ContainerEvent | None) -> _State | None:
        """Reacts to events until nothing is left to read."""
        if event is not None and event.action == LOST:
            return self._lose(event)
        if event is not None and event.service:
            if not self._services or event.service in self._services:
                self.endings.on_event(event)
            reader = self._readers.get(event.container)
            if event.action == "start" and (not self._services or event.service in self._services):
                self._follow(_source(event))
            elif reader and event.action == "rename":
                reader.source = _source(event)
            elif reader and event.action == "destroy":
                reader.finish()
        if not self._is_over():
            return self._following
        self._finish_readers()
        return None

    # transitions

    def _lose(self, event: ContainerEvent) -> _State:
        assert event.error is not None
        if not isinstance(event.error, EngineUnavailableError):
            raise event.error
        self._session.emit(Notice(text=f"{event.error.message}; waiting for the engine", level="warning"))
        return self._away

    def _follow(self, source: Source) -> None:
        reader = self._readers.get(source.id)
        if reader is not None:
            reader.wake()
            return
        reader = self._readers[source.id] = Reader(
            self._session.engine,
            source,
            self._positions.setdefault(source.id, Position()),
            on_block=self._deliver,
            on_unreadable=lambda source, error: warn_unreadable(self._session, source, error),
            ended=self._ended,
        )
        reader.start()

    def _is_over(self) -> bool:
        """Nothing is left to read, and has not been for a while: a restart leaves a gap."""
        readers = self._readers.values()
        if not all(item.removed.is_set() or item.idle.is_set() for item in readers):
            self._quiet_since, self._told_quiet = None, False
            return False
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now
        if now - self._quiet_since < (0.0 if self._finishing.is_set() else _GONE_FOR_GOOD):
            return False
        if self._until_all_end or all(item.removed.is_set() for item in readers):
            return True
        self._say_why_it_waits()
        return False

    def _say_why_it_waits(self) -> None:
        if not self._told_quiet:
            self._told_quiet = True
            own = {"label": (f"{labels.PROJECT}={self._session.project}", f"{labels.ONEOFF}=False")}
            running = {item["Id"] for item in self._session.engine.list_containers(own, all_=False)}
            if running & self._readers.keys():
                return  # they only closed their output
            text = "All services have exited; waiting for one to start again (Ctrl-C to end)."
            self._session.emit(Notice(text=text))

    def _finish_readers(self) -> None:
        for reader in self._readers.values():
            reader.finish()
            if not self._ended.is_set():
                reader.join(_GONE_FOR_GOOD)

    def _deliver(self, source: Source, stream: str, block: bytes) -> None:
        """One block at a time, so that lines of two containers never mix."""
        with self._output:
            if not self._ended.is_set():
                self._on_block(source, stream, block)


def _source(event: ContainerEvent) -> Source:
    return Source(event.container, event.name, event.service)
