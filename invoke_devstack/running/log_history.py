"""The logs of several containers as one history, in order of time: a merge that moves whole blocks."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue

from invoke_devstack.errors import EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.running.log_lines import LineCutter, end_of_earlier, first_stamp
from invoke_devstack.running.log_sources import Range, Source, paced, stamped_blocks
from invoke_devstack.running.session import Session

_AHEAD = 8  # blocks that are read of each container before they are needed
_LOOK_UP = 0.25  # seconds between two looks whether the user wishes to end

OnBlock = Callable[[Source, str, bytes], None]
"""Called with (container, stream, whole stamped lines)."""


def merge(session: Session, found: list[Source], wanted: Range, on_block: OnBlock) -> None:
    """Gives all lines of all containers to `on_block`, by time; of equal times, by container.

    A container whose log cannot be read is named in a Notice. Raises Interrupted at a signal.
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


def _drain(cursor: _Cursor, following: tuple[bytes, int] | None, number: int, on_block: OnBlock) -> None:
    """Gives all that comes before the line that is next in another container."""
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
    """Where the merge is in one container's log. The log is read ahead in a thread of its own."""

    def __init__(self, session: Session, source: Source, wanted: Range, ended: threading.Event) -> None:
        self.source = source
        self._session = session
        self.stream = "stdout"
        self.block = b""
        self.position = 0
        self._queue: Queue[tuple[str, bytes] | None] = Queue(_AHEAD)
        self._ended = ended
        self._lost: EngineUnavailableError | None = None
        threading.Thread(target=self._read, args=(wanted,), name="log", daemon=True).start()

    def fill(self) -> bool:
        """Whether there is a line at `position`; gets the next block where the last one is used up."""
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
        except EngineUnavailableError as error:
            self._lost = error
        except NotFoundError:  # removed meanwhile
            pass
        except EngineError as error:
            tell_unreadable(self._session, self.source, error)
        self._put(None)

    def _put(self, item: tuple[str, bytes] | None) -> None:
        while not self._ended.is_set():
            with suppress(Full):
                self._queue.put(item, timeout=_LOOK_UP)
                return


class _Readers:
    """All cursors; leaving it ends their threads."""

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
    """(stream, whole lines) of one container as the engine sends them: there is nothing to merge."""
    stream = session.engine.logs(
        source.id, tail=wanted.tail, since=wanted.since, until=wanted.until, timestamps=stamps, tty=tty
    )
    cutters: dict[str, LineCutter] = {}
    with session.interrupt.calling(stream.close):
        for name, data in paced(stream):
            session.interrupt.check()
            if block := cutters.setdefault(name, LineCutter()).feed(data):
                yield name, block
        yield from ((name, rest) for name, cutter in cutters.items() if (rest := cutter.finish()))
    session.interrupt.check()


def tell_unreadable(session: Session, source: Source, error: EngineError) -> None:
    """Says that a container has no log that the engine can read (`logging: driver: none`)."""
    session.emit(Notice(text=f"no log of {source.name}: {error.message}", level="warning"))
