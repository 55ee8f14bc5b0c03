"""Lines that the engine still has and the store does not: read when somebody asks for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from queue import Queue
from typing import Any

from invoke_devstack.acting.log_line import Line, lines_of
from invoke_devstack.dashboard.logs.filters import Filter
from invoke_devstack.dashboard.logs.store import Store
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.logs import history
from invoke_devstack.running.logs.sources import Range, Source, sources
from invoke_devstack.running.session import Session

_WINDOWS = (60.0, 900.0, 14400.0, 0.0)  # seconds to look back, one after the other; 0: everything
_TICK = 0.000001  # seconds that are cut off a stamp
_AHEAD = 64  # blocks to read ahead of whoever takes them

OnLines = Callable[[list[Line]], bool]
"""Takes lines; False: no more are wanted."""


class _EnoughError(Exception):
    """No more lines are wanted."""


def read(session: Session, wanted: Filter, on_lines: OnLines, *, since: str = "", until: str = "") -> None:
    """Passes on all lines of these services, oldest first; `since` and `until` are seconds since the epoch.
    Blocks without a match are left out; the lines of the others are not filtered."""
    quiet = replace(session, emit=lambda event: None)
    found = sources(session.engine, session.project, tuple(wanted.services))

    def on_block(source: Source, stream: str, block: bytes) -> None:
        may = not wanted.is_quick or wanted.may_be_in(block)
        if not on_lines(list(lines_of(source.service, source.name, stream, block)) if may else []):
            raise _EnoughError

    try:
        history.merge(quiet, found, Range(since=since, until=until), on_block)
    except _EnoughError:
        return


def older(session: Session, wanted: Filter, before: bytes, limit: int) -> list[Line]:
    """The last lines that match and are older than the stamp `before`."""
    end = seconds_of(before.decode("ascii", "replace"))
    kept: deque[Line] = deque(maxlen=limit)

    def on_lines(lines: list[Line]) -> bool:
        kept.extend(line for line in lines if line.stamp < before and wanted.matches(line))
        return True

    for window in _WINDOWS:
        kept.clear()
        since = f"{end - window:.9f}" if window and end > window else ""
        read(session, wanted, on_lines, since=since, until=f"{end + _TICK:.9f}")
        if len(kept) == limit:
            break
    return list(kept)


def since(session: Session, wanted: Filter, after: bytes, limit: int) -> list[Line]:
    """The first lines that match and are not older than the stamp `after`."""
    kept: list[Line] = []

    def on_lines(lines: list[Line]) -> bool:
        kept.extend(line for line in lines if line.stamp >= after and wanted.matches(line))
        return len(kept) < limit

    read(session, wanted, on_lines, since=f"{seconds_of(after.decode('ascii', 'replace')):.9f}")
    return kept[:limit]


def everything(session: Session, wanted: Filter) -> Iterator[list[Line]]:
    """All lines that match, oldest first, in pieces. The reading ends when nobody takes them any more."""
    queue: Queue[list[Line] | DevstackError | None] = Queue(_AHEAD)
    ended = threading.Event()

    def on_lines(lines: list[Line]) -> bool:
        queue.put([line for line in lines if wanted.matches(line)])
        return not ended.is_set()

    def run() -> None:
        try:
            read(session, wanted, on_lines, since=_moment(wanted.since), until=_moment(wanted.until, _TICK))
            queue.put(None)
        except DevstackError as error:
            queue.put(error)

    threading.Thread(target=run, name="log-archive", daemon=True).start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, DevstackError):
                raise item
            yield item
    finally:
        ended.set()
        while not queue.empty():
            queue.get()


def _moment(stamp: bytes, more: float = 0.0) -> str:
    return f"{seconds_of(stamp.decode('ascii')) + more:.9f}" if stamp else ""


def search(
    session: Session, store: Store, wanted: Filter, limit: int, *, is_cut: bool
) -> Iterator[dict[str, Any]]:
    """Matches and progress: what is in the store, newest first, then what only the engine has (`is_cut`)."""
    count = _Count(limit)
    for lines in store.newest_first(wanted):
        yield from count.matches(lines)
        if count.is_full:
            break
        yield from count.progress(0.5 if is_cut else 0.9)
    start = store.start()
    if is_cut and not count.is_full:
        earlier = replace(wanted, until=min(start, wanted.until or start)) if start else wanted
        for lines in everything(session, earlier):
            yield from count.matches([line for line in lines if not start or line.stamp < start])
            if count.is_full:
                break
            yield from count.progress(0.75)
    yield {"type": "done", "matches": count.found, "truncated": count.is_full}


class _Count:
    """How far a search is."""

    def __init__(self, limit: int) -> None:
        self.found = 0
        self._limit = limit
        self._told = time.monotonic()

    @property
    def is_full(self) -> bool:
        return self.found >= self._limit

    def matches(self, lines: list[Line]) -> Iterator[dict[str, Any]]:
        for line in lines[: self._limit - self.found]:
            self.found += 1
            yield {"type": "match", "line": line.to_json()}

    def progress(self, fraction: float) -> Iterator[dict[str, Any]]:
        if time.monotonic() - self._told > 0.1:
            self._told = time.monotonic()
            yield {"type": "progress", "matches": self.found, "fraction": fraction}
