"""One thread that stores what arrives, several batches in one transaction.

Who hands in a batch is told when it is stored, so nothing is acknowledged that a crash of this process could
lose. A database that is damaged is moved aside, and a new one begun. If the disk is full, batches are
refused, and senders try again.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from invoke_devstack.records import record
from invoke_devstack.traces.keeping import bounds
from invoke_devstack.traces.keeping.database import is_damaged, is_full, move_aside, open_to_write
from invoke_devstack.traces.keeping.inserting import Inserter
from invoke_devstack.traces.rows import Arrived

_MOST_WAITING = 64  # batches
_MOST_TOGETHER = 8
_TRIM_EVERY = 60.0  # seconds, for what is too old

OnStored = Callable[[bool], None]
"""Called in the writer's thread: whether the batch is stored."""


@record
class Trouble:
    """Why nothing can be stored, or what was lost; what helps. `lasts`: also after the next batch."""

    text: str
    hint: str = ""
    lasts: bool = False


NO_TROUBLE = Trouble("")


class Counts:
    """What was stored since the start. `errors` are spans that failed."""

    def __init__(self) -> None:
        self.spans = self.errors = self.logs = self.points = 0


class Writer:
    """From `start` to `stop`. `largest` is in bytes, `oldest` in seconds."""

    def __init__(
        self,
        file: Path,
        *,
        largest: int = bounds.LARGEST,
        oldest: float = bounds.OLDEST,
        on_stored: Callable[[Counts], None] = lambda counts: None,
    ) -> None:
        self._file = file
        self.largest = largest
        self._oldest = oldest
        self._on_stored = on_stored
        self._queue: queue.Queue[tuple[Arrived, OnStored] | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="traces-writer", daemon=True)
        self._connection: sqlite3.Connection | None = None
        self._inserter: Inserter | None = None
        self._trimmed = 0.0
        self.counts = Counts()
        self.trouble = NO_TROUBLE
        """What went wrong last; empty once a batch was stored again."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when all that was handed in is stored."""
        self._queue.put(None)
        self._thread.join(10)

    def add(self, batch: Arrived, on_stored: OnStored) -> bool:
        """Whether there is room for it. From any thread."""
        try:
            self._queue.put_nowait((batch, on_stored))
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        ended = False
        while not ended:
            try:
                first = self._queue.get(timeout=_TRIM_EVERY)
            except queue.Empty:
                self._trim_old()
                continue
            taken, ended = self._take_more(first)
            if taken:
                self._store_all(taken)
        self._close()

    def _take_more(
        self, first: tuple[Arrived, OnStored] | None
    ) -> tuple[list[tuple[Arrived, OnStored]], bool]:
        """What waits now, and whether it was the last."""
        taken: list[tuple[Arrived, OnStored]] = []
        item = first
        while item is not None:
            taken.append(item)
            if len(taken) == _MOST_TOGETHER:
                return taken, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return taken, False
        return taken, True

    def _store_all(self, taken: list[tuple[Arrived, OnStored]]) -> None:
        batches = [batch for batch, _ in taken]
        stored = self._tried(batches)
        for _, on_stored in taken:
            on_stored(stored)
        if stored:
            self._on_stored(self.counts)

    def _tried(self, batches: list[Arrived]) -> bool:
        """Stores them; if the database turns out to be damaged, in a new one."""
        for attempt in (1, 2):
            try:
                self._store(batches)
            except sqlite3.Error as error:
                if not self._handle(error) or attempt == 2:
                    return False
            except OSError as error:
                self._close()
                text = f"traces cannot be stored: {error.strerror or error}"
                self.trouble = Trouble(text, _space_hint(self._file))
                return False
            else:
                return True
        return False

    def _store(self, batches: list[Arrived]) -> None:
        connection, inserter = self._opened()
        new = failed = 0
        connection.execute("BEGIN IMMEDIATE")
        try:
            for batch in batches:
                counted = inserter.insert(batch, int(time.time()))
                new, failed = new + counted[0], failed + counted[1]
            self._trim(connection, inserter)
            connection.execute("COMMIT")
        except BaseException:
            inserter.forget()
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        counts = self.counts
        counts.spans += new
        counts.errors += failed
        counts.logs += sum(len(batch.logs) for batch in batches)
        counts.points += sum(len(batch.points) for batch in batches)
        if not self.trouble.lasts:
            self.trouble = NO_TROUBLE

    def _trim(self, connection: sqlite3.Connection, inserter: Inserter) -> None:
        due = time.monotonic() - self._trimmed > _TRIM_EVERY
        if not due and bounds.used_bytes(connection) <= self.largest:
            return
        removed = bounds.trim(connection, self.largest, int(time.time() - self._oldest))
        if due:
            self._trimmed = time.monotonic()
            removed |= bounds.remove_unused_resources(connection, self.largest)
        if removed:
            inserter.forget()

    def _trim_old(self) -> None:
        """While nothing arrives."""
        if self._connection is not None:
            self._tried([])

    def _opened(self) -> tuple[sqlite3.Connection, Inserter]:
        if self._connection is not None and not self._file.exists():
            self._close()  # somebody removed it
        if self._connection is None or self._inserter is None:
            self._connection = open_to_write(self._file)
            self._inserter = Inserter(self._connection)
        return self._connection, self._inserter

    def _handle(self, error: sqlite3.Error) -> bool:
        """Whether it may work now."""
        self._close()
        if is_damaged(error):
            try:
                aside = move_aside(self._file)
            except OSError as why:
                self.trouble = Trouble(f"the traces' file is damaged, and cannot be moved: {why.strerror}")
                return False
            text = f"the file with earlier traces was damaged, and is now {aside.name}"
            self.trouble = Trouble(text, f"Remove it if you do not need it: `rm {aside}`.", lasts=True)
            return True
        if is_full(error):
            self.trouble = Trouble(
                "traces cannot be stored: no space left on the disk", _space_hint(self._file)
            )
        else:
            self.trouble = Trouble(f"traces cannot be stored: {error}")
        return False

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._inserter = None


def _space_hint(file: Path) -> str:
    return f"Free some space: `df -h {file.parent}`."
