"""Follows the logs of a project: every line once, across restarts, recreations and engine restarts.

Each container has a reader, which remembers the stamp of its last line and how many lines carry it;
whenever its stream ends, it reads on from there. The engine's events tell of new containers and of
those that start again; while the engine is away, the readers wait for it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace

from invoke_devstack.engine.protocol import Engine, EngineEvent, EventStream
from invoke_devstack.errors import (
    ConflictError,
    DevstackError,
    EngineError,
    EngineUnavailableError,
    NotFoundError,
)
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.running.log_history import OnBlock
from invoke_devstack.running.log_lines import earlier, first_stamp, last_stamp, stamps_since
from invoke_devstack.running.log_sources import Range, Source, as_moment, source_of, sources, stamped_blocks
from invoke_devstack.running.session import Session

_DISORDER = 100  # milliseconds by which neighbouring lines of a log may be out of order
_TENTH = 21  # characters of a stamp, down to the tenth of a second
_RECENT = 2000  # lines of a log that are asked for first
_LARGE = 1 << 16  # bytes of a block of which only the stamps are kept
_PATIENCE = 1000  # new lines after which what was read before is no longer looked for
_RETRY = 0.25  # seconds between two attempts to reach an engine that is away
_GONE_FOR_GOOD = 3.0  # seconds with nothing to read after which nothing more is expected


class Mark:
    """How far a container's log has been read: the stamps of its last lines.

    One stamp would not do: lines that are written at once to stdout and stderr may stand in the log in
    another order than that of their stamps. So it is read again from a little before, and what is
    known from there is left out. Before the first line, `since` (as in `Range`) is where it begins.
    `partial`: what is before the first line was left out on purpose (`--tail`).
    """

    def __init__(self, since: str = "", *, partial: bool = False) -> None:
        self._since = since
        self._partial = partial
        self.floor = b""
        self._latest = b""
        self._blocks: deque[bytes] = deque()
        self._swept = b""

    def advance(self, block: bytes) -> None:
        """Takes note of the (stamped, whole) lines of `block`. Called for every few lines of a container
        that writes thousands a second: what was read is only looked at when it is asked for."""
        if self._partial and not self.floor:
            self.floor = first_stamp(block)
        self._latest = max(self._latest, last_stamp(block))
        if len(block) > _LARGE:
            block = b"\n".join(stamps_since(block, self._horizon())) + b"\n"
        self._blocks.append(block)
        if self._latest[:_TENTH] != self._swept:
            self._swept = self._latest[:_TENTH]
            self._sweep()

    @property
    def stamps(self) -> list[bytes]:
        """The stamps of the last lines, in the order in which they were read."""
        if not self._blocks:
            return []
        horizon = self._horizon()
        return [stamp for block in self._blocks for stamp in stamps_since(block, horizon)]

    def knows(self, stamp: bytes) -> bool:
        """Whether the line of this stamp was read, or left out on purpose: whatever follows it in the log
        follows what was read."""
        return stamp < self.floor or stamp in self.stamps

    def _sweep(self) -> None:
        horizon = self._horizon()
        while self._blocks and last_stamp(self._blocks[0]) < horizon:
            self._blocks.popleft()

    def _horizon(self) -> bytes:
        return earlier(self._latest, 2 * _DISORDER)

    def range(self) -> Range:
        """What has to be asked for so that nothing is missing; begins with what was read already."""
        return Range(since=as_moment(earlier(self._latest, _DISORDER)) if self._latest else self._since)


def blocks_from(mark: Mark, engine: Engine, source: Source, *, follow: bool) -> Iterator[tuple[str, bytes]]:
    """(stream, stamped lines) from a little before `mark` on. An engine that is asked for a time reads the
    log from its beginning; so it is asked for the last lines first, which do if they begin with what is
    known."""
    wanted = mark.range()
    if mark.stamps:
        recent = stamped_blocks(engine, source, replace(wanted, tail=_RECENT), follow=follow)
        with closing(recent):
            first = next(recent, None)
            if first is not None and mark.knows(first_stamp(first[1])):
                yield first
                yield from recent
                return
    yield from stamped_blocks(engine, source, wanted, follow=follow)


class Skipper:
    """Leaves out of a stream that was asked for by `Mark.range` what was read before."""

    def __init__(self, mark: Mark) -> None:
        self._floor = mark.floor
        self._seen = Counter(mark.stamps)
        self._patience = self._seen.total() + _PATIENCE

    def new(self, block: bytes) -> bytes:
        """The lines of `block` that are new."""
        if not self._seen:
            return block
        lines = (line + b"\n" for line in block.removesuffix(b"\n").split(b"\n"))
        kept = b"".join(line for line in lines if self._is_new(first_stamp(line)))
        return kept if block.endswith(b"\n") else kept.removesuffix(b"\n")

    def _is_new(self, stamp: bytes) -> bool:
        if stamp < self._floor:
            return False
        if self._seen.get(stamp):
            self._seen[stamp] -= 1
            return False
        self._patience -= 1
        if not self._patience:  # all that was read is behind: from here on every line is new
            self._seen.clear()
        return True


class Follower:
    """Follows all containers of the services (all services if there are none)."""

    def __init__(self, session: Session, services: tuple[str, ...], on_block: OnBlock) -> None:
        self._session = session
        self._services = services
        self._on_block = on_block
        self._output = threading.Lock()
        self._readers: dict[str, _Reader] = {}
        self._lock = threading.Lock()
        self._quiet_since: float | None = None
        self._finishing = threading.Event()
        self._on_end: list[Callable[[], None]] = []
        self.ended = threading.Event()

    def run(self, marks: dict[str, Mark], *, until_all_end: bool = False) -> None:
        """Returns when `ended` is set, or when the project has no container left (`until_all_end`: no
        running one). `marks` are of containers whose history was shown."""
        try:
            while not self.ended.is_set():
                try:
                    self._follow_events(marks, until_all_end)
                    break
                except EngineUnavailableError as error:
                    self._wait_for_engine(error)
        finally:
            self._close_readers()
            for callback in self._on_end:
                callback()

    def stop(self) -> None:
        """Ends `run` at once, from any thread."""
        self.ended.set()

    def finish(self) -> None:
        """Ends `run` when all that is written has been read, from any thread."""
        self._finishing.set()

    def on_end(self, callback: Callable[[], None]) -> None:
        """`callback` is called when `run` ends, in its thread."""
        self._on_end.append(callback)

    def deliver(self, source: Source, stream: str, block: bytes) -> None:
        """One block at a time, so that lines of two containers never mix."""
        with self._output:
            if not self.ended.is_set():
                self._on_block(source, stream, block)

    def tell(self, text: str) -> None:
        self._session.emit(Notice(text=text, level="warning"))

    # containers that come and go

    def _follow_events(self, marks: dict[str, Mark], until_all_end: bool) -> None:
        filters = {"type": ("container",), "label": (f"{labels.PROJECT}={self._session.project}",)}
        stream = self._session.engine.events(filters)
        listener = _Listener(stream, self._on_event)
        try:
            self._look(marks)
            while not self.ended.wait(0.2):
                if listener.lost.is_set():
                    raise EngineUnavailableError("the engine closed its stream of events")
                if self._all_over(until_all_end):
                    self._finish_readers()
                    return
        finally:
            stream.close()

    def _look(self, marks: dict[str, Mark]) -> None:
        for source in sources(self._session.engine, self._session.project, self._services):
            self._follow(source, marks.get(source.id, Mark()))

    def _on_event(self, event: EngineEvent) -> None:
        if event.attributes.get(labels.ONEOFF) == "True":
            return
        source = source_of(event.id, event.attributes.get("name", event.id[:12]), event.attributes)
        if event.action == "start" and (not self._services or source.service in self._services):
            self._follow(source, Mark())
        elif reader := self._readers.get(event.id):
            if event.action == "rename":
                reader.source = source
            elif event.action == "destroy":
                reader.removed.set()
                reader.wake()

    def _follow(self, source: Source, mark: Mark) -> None:
        with self._lock:
            reader = self._readers.get(source.id)
            if reader is None:
                reader = self._readers[source.id] = _Reader(self, self._session.engine, source, mark)
                reader.start()
            else:
                reader.wake()

    def _all_over(self, until_all_end: bool) -> bool:
        """Nothing is left to read, and has not been for a while: a restart leaves a gap."""
        with self._lock:
            readers = tuple(self._readers.values())
        if any(not (item.removed.is_set() or (until_all_end and item.idle.is_set())) for item in readers):
            self._quiet_since = None
            return False
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now
        patience = 0.0 if self._finishing.is_set() else _GONE_FOR_GOOD
        return now - self._quiet_since >= patience

    def _finish_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()
            reader.join(_GONE_FOR_GOOD)

    def _close_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _wait_for_engine(self, error: EngineUnavailableError) -> None:
        self._session.emit(Notice(text=f"{error.message}; waiting for it", level="warning"))
        while not self.ended.wait(_RETRY):
            with suppress(EngineUnavailableError):
                self._session.engine.list_containers(
                    {"label": (f"{labels.PROJECT}={self._session.project}",)}
                )
                self._session.emit(Notice(text="The engine is back."))
                return


class _Listener:
    """Hands events on, in a thread of its own; `lost` is set when the stream breaks."""

    def __init__(self, stream: EventStream, on_event: Callable[[EngineEvent], None]) -> None:
        self.lost = threading.Event()
        self._stream = stream
        self._on_event = on_event
        threading.Thread(target=self._listen, name="events", daemon=True).start()

    def _listen(self) -> None:
        with suppress(DevstackError):
            for event in self._stream:
                self._on_event(event)
        self.lost.set()


class _Reader:
    """Reads one container's log for as long as the container exists."""

    def __init__(self, follower: Follower, engine: Engine, source: Source, mark: Mark) -> None:
        self.removed = threading.Event()
        self.idle = threading.Event()
        self._follower = follower
        self._engine = engine
        self.source = source
        self._mark = mark
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"log {source.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The container started again, or was removed: there may be more to read."""
        self.idle.clear()
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def close(self) -> None:
        self.removed.set()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            gone = self.removed.is_set()
            self._read()
            if gone or self._follower.ended.is_set():
                return
            if not self._wake.is_set():
                self.idle.set()
            self._wake.wait()

    def _read(self) -> None:
        """Follows until the container ends, then asks once more: the engine may have ended the stream
        before its last lines."""
        try:
            self._pass_on(follow=True)
            self._pass_on(follow=False)
        except (NotFoundError, ConflictError):  # a container that is being removed is a conflict
            self.removed.set()
        except EngineUnavailableError:
            self._follower.ended.wait(_RETRY)
            self._wake.set()
        except EngineError as error:
            self._follower.tell(f"no log of {self.source.name}: {error.message}")

    def _pass_on(self, *, follow: bool) -> None:
        skipper = Skipper(self._mark)
        for stream, block in blocks_from(self._mark, self._engine, self.source, follow=follow):
            if new := skipper.new(block):
                self._follower.deliver(self.source, stream, new)
                self._mark.advance(new)
