"""Merges the logs of several containers by time, moving whole blocks where possible."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue

from invoke_devstack.errors import EngineError, EngineUnavailableError, Interrupted, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.running.logs.lines import LineCutter, end_of_earlier, first_stamp, last_stamp, rests
from invoke_devstack.running.logs.sources import Range, Source, paced, stamped_blocks
from invoke_devstack.running.session import Session

_AHEAD = 8  # blocks to read ahead of each container
_LOOK_UP = 0.25  # seconds between two checks for an interrupt

Part = tuple[Source, str, bytes]
"""(container, stream, whole stamped lines)"""
OnBlock = Callable[[Source, str, bytes], None]
"""Takes the members of a part."""


def merge(session: Session, found: list[Source], wanted: Range, on_block: OnBlock) -> None:
    """Passes all lines of all containers to `on_block`, by time; lines of equal times by container.

    Emits a Notice for a container whose log cannot be read. Raises Interrupted after a signal.
    """
    with _Readers(session, found, wanted) as cursors:
        heap = [(cursor.stamp(), number) for number, cursor in enumerate(cursors) if cursor.fill()]
        heapq.heapify(heap)
        while heap:
            _, number = heapq.heappop(heap)
            cursor = cursors[number]
            _drain(cursor, heap[0] if heap else None, number, on_block)
            if cursor.fill():
                heapq.heappush(heap, (cursor.stamp(), number))


def spans(session: Session, found: list[Source], wanted: Range) -> Iterator[list[Part]]:
    """The same lines in spans of time, with the parts of all containers in it: no line is later than one of
    the next span. Parts are in the order of `found`."""
    with _Readers(session, found, wanted) as cursors:
        reading = list(enumerate(cursors))
        while reading := [(number, cursor) for number, cursor in reading if cursor.fill()]:
            until, owner = min((last_stamp(cursor.block), number) for number, cursor in reading)
            parts = [part for number, cursor in reading if (part := cursor.take(until, number <= owner))]
            yield parts


def _drain(cursor: _Cursor, following: tuple[bytes, int] | None, number: int, on_block: OnBlock) -> None:
    """Passes on everything up to the next line of another container."""
    while cursor.fill():
        if following is None:
            end = len(cursor.block)
        else:
            stamp, other = following
            end = end_of_earlier(cursor.block, stamp, cursor.position, inclusive=number < other)
        if end > cursor.position:
            on_block(cursor.source, cursor.stream, cursor.block[cursor.position : end])
            cursor.position = end
        if end < len(cursor.block):
            return


class _Cursor:
    """The merge's place in one container's log, which a thread of its own reads ahead."""

    def __init__(self, session: Session, source: Source, wanted: Range, ended: threading.Event) -> None:
        self.source = source
        self._session = session
        self.stream = "stdout"
        self.block = b""
        self.position = 0
        self._queue: Queue[tuple[str, bytes] | None] = Queue(_AHEAD)
        self._ended = ended
        self._lost: EngineUnavailableError | Interrupted | None = None
        threading.Thread(target=self._read, args=(wanted,), name="log", daemon=True).start()

    def fill(self) -> bool:
        """Whether there is a line at `position`. Gets the next block when the last one is used up."""
        while self.position >= len(self.block):
            item = self._next()
            if item is None:
                self._queue.put(None)
                return False
            self.stream, self.block = item
            self.position = 0
        return True

    def stamp(self) -> bytes:
        return first_stamp(self.block, self.position)

    def take(self, until: bytes, inclusive: bool) -> Part | None:
        """The lines of this block that are earlier than `until` (`inclusive`: or equal), if there are any."""
        block, start = self.block, self.position
        end = len(block)
        if last_stamp(block) > until or not inclusive:
            end = end_of_earlier(block, until, start, inclusive=inclusive)
        self.position = end
        return (self.source, self.stream, block[start:end]) if end > start else None

    def _next(self) -> tuple[str, bytes] | None:
        while True:
            self._session.interrupt.check()
            with suppress(Empty):
                item = self._queue.get(timeout=_LOOK_UP)
                if item is None and self._lost is not None:
                    raise self._lost
                return item

    def _read(self, wanted: Range) -> None:
        try:
            for item in stamped_blocks(self._session.engine, self.source, wanted):
                self._put(item)
        except (EngineUnavailableError, Interrupted) as error:
            self._lost = error
        except NotFoundError:  # removed meanwhile
            pass
        except EngineError as error:
            warn_unreadable(self._session, self.source, error)
        self._put(None)

    def _put(self, item: tuple[str, bytes] | None) -> None:
        while not self._ended.is_set():
            with suppress(Full):
                self._queue.put(item, timeout=_LOOK_UP)
                return


class _Readers:
    """All cursors. Leaving the context ends their threads."""

    def __init__(self, session: Session, found: list[Source], wanted: Range) -> None:
        self._ended = threading.Event()
        self._cursors = [_Cursor(session, source, wanted, self._ended) for source in found]

    def __enter__(self) -> list[_Cursor]:
        return self._cursors

    def __exit__(self, *_: object) -> None:
        self._ended.set()


def plain(
    session: Session, source: Source, wanted: Range, *, stamps: bool, tty: bool
) -> Iterator[tuple[str, bytes]]:
    """(stream, whole lines) of a single container, as the engine sends them."""
    stream = session.engine.logs(
        source.id, tail=wanted.tail, since=wanted.since, until=wanted.until, timestamps=stamps, tty=tty
    )
    cutters: dict[str, LineCutter] = {}
    with session.interrupt.calling(stream.close):
        try:
            for name, data in paced(stream):
                session.interrupt.check()
                if block := cutters.setdefault(name, LineCutter()).feed(data):
                    yield name, block
        except EngineUnavailableError:
            yield from rests(cutters)
            raise
        yield from rests(cutters)
    session.interrupt.check()


def warn_unreadable(session: Session, source: Source, error: EngineError) -> None:
    """For a container without a log that the engine can read (`logging: driver: none`)."""
    session.emit(Notice(text=f"cannot read the log of {source.name}: {error.message}", level="warning"))
