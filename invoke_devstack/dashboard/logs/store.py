"""The lines of all containers, in order of time, in a bounded amount of memory.

Lines are kept in compressed blocks: a line of a busy service takes a tenth of its size. The oldest blocks go
first; the engine still has their lines.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from invoke_devstack.acting.log_line import Line
from invoke_devstack.dashboard.logs.blocks import BYTES, LINES, Block, pack
from invoke_devstack.dashboard.logs.filters import Filter
from invoke_devstack.records import record

MOST = 48 * 1024**2  # bytes of compressed lines
_OPENED = 6  # blocks that are kept open, because pages look at them
_BUDGET = 0.15  # seconds that one look through the lines may take


@record
class Page:
    """An answer: lines, oldest first, and where to go on. `before` is None where there is nothing older."""

    lines: list[Line]
    first: int
    last: int
    before: int | None
    after: int
    complete: bool


class Store:
    """Lines with numbers. From any thread."""

    def __init__(self, most: int = MOST, *, first: int = 1) -> None:
        """`first`: the number of the first line that is added; earlier ones can be put before it."""
        self._most = most
        self._lock = threading.RLock()
        self._blocks: deque[Block] = deque()
        self._open: list[Line] = []
        self._open_bytes = 0
        self._size = 0
        self._next = first
        self._opened: OrderedDict[int, list[Line]] = OrderedDict()
        self.dropped = False
        """Whether it had lines that it has no more."""

    @property
    def first(self) -> int:
        with self._lock:
            if self._blocks:
                return self._blocks[0].first
            return self._open[0].number or 1 if self._open else self._next

    @property
    def last(self) -> int:
        return self._next - 1

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size + self._open_bytes

    def start(self) -> bytes:
        """The stamp of its first line; empty if there is none."""
        with self._lock:
            if self._blocks:
                return self._blocks[0].start
            return self._open[0].stamp if self._open else b""

    def add(self, lines: Sequence[Line]) -> list[Line]:
        """Appends them, and returns them with their numbers."""
        with self._lock:
            numbered = [Line(number, *line[1:]) for number, line in enumerate(lines, self._next)]
            for line in numbered:
                self._open.append(line)
                self._next += 1
                self._open_bytes += len(line.text) + 32
                if len(self._open) >= LINES or self._open_bytes >= BYTES:
                    self._seal()
            return numbered

    @property
    def room(self) -> int:
        """Bytes that it can still take."""
        return max(0, self._most - self.size)

    def put_before(self, blocks: Sequence[Block], start: bytes) -> bool:
        """Puts earlier lines before its first one, whose stamp was `start`. False if that one has gone
        meanwhile: there would be a gap."""
        with self._lock:
            if self.dropped or self.start() != start:
                return False
            number = self.first
            for block in reversed(blocks):
                number -= block.count
                self._blocks.appendleft(replace(block, first=number))
                self._size += block.size
            return True

    def _seal(self) -> None:
        block = pack(self._open, self._open[0].number or 1)
        self._blocks.append(block)
        self._size += block.size
        self._open, self._open_bytes = [], 0
        while self._size > self._most and len(self._blocks) > 1:
            self._size -= self._blocks.popleft().size
            self.dropped = True

    # reading

    def before(self, number: int, limit: int, wanted: Filter) -> Page:
        """The last lines that match, before line `number`."""
        found: deque[Line] = deque()
        deadline = time.monotonic() + _BUDGET
        reached = number
        for lines in self._backwards(number, wanted):
            for line in reversed(lines):
                assert line.number is not None
                if line.number < reached and wanted.matches(line):
                    found.appendleft(line)
                    if len(found) == limit:
                        return self._page(list(found), line.number, complete=True, after=number - 1)
            reached = lines[0].number or 1 if lines else reached
            if time.monotonic() > deadline:
                return self._page(list(found), reached, complete=False, after=number - 1)
        return self._page(list(found), None, complete=True, after=number - 1)

    def after(self, number: int, limit: int, wanted: Filter) -> Page:
        """The first lines that match, after line `number`."""
        found: list[Line] = []
        deadline = time.monotonic() + _BUDGET
        reached = max(number, self.first - 1)
        last = self.last
        for lines in self._forwards(number, wanted):
            for line in lines:
                assert line.number is not None
                if line.number <= reached:
                    continue
                reached = line.number
                if wanted.matches(line):
                    found.append(line)
                    if len(found) == limit:
                        return self._page(found, _before(found), complete=True, after=reached)
            if time.monotonic() > deadline:
                return self._page(found, _before(found), complete=False, after=reached)
        return self._page(found, _before(found), complete=True, after=last)

    def number_at(self, stamp: bytes) -> int:
        """The first line that is not older than `stamp`."""
        with self._lock:
            for block in self._blocks:
                if block.end >= stamp:
                    candidates: Iterable[Line] = self._lines_of(block)
                    break
            else:
                candidates = self._open
            return next((line.number or 1 for line in candidates if line.stamp >= stamp), self._next)

    def find(self, stamp: bytes, container: str) -> Line | None:
        """The line with that id."""
        page = self.after(self.number_at(stamp) - 1, 50, Filter())
        return next(
            (line for line in page.lines if line.stamp == stamp and line.container == container), None
        )

    def newest_first(self, wanted: Filter) -> Iterator[list[Line]]:
        """All matching lines, block by block, the newest first."""
        for lines in self._backwards(self._next, wanted):
            yield [line for line in reversed(lines) if wanted.matches(line)]

    def _backwards(self, number: int, wanted: Filter) -> Iterator[list[Line]]:
        with self._lock:
            blocks, rest = [*self._blocks], [*self._open]
        if rest and (rest[0].number or 1) < number:
            yield rest
        for block in reversed(blocks):
            if block.first < number:
                yield self._matching(block, wanted)

    def _forwards(self, number: int, wanted: Filter) -> Iterator[list[Line]]:
        with self._lock:
            blocks, rest = [*self._blocks], [*self._open]
        start = max(bisect_right(blocks, number, key=lambda block: block.first) - 1, 0)
        for block in blocks[start:]:
            if block.last > number:
                yield self._matching(block, wanted)
        yield rest

    def _matching(self, block: Block, wanted: Filter) -> list[Line]:
        """The lines of a block, or one that stands for them if none matches."""
        outside = (wanted.since and block.end < wanted.since) or (wanted.until and block.start > wanted.until)
        if outside or (wanted.services and not block.services & wanted.services):
            return [_edge(block)]
        if not wanted.may_have_level(block.levels):
            return [_edge(block)]
        if wanted.is_quick and not wanted.may_match(block.texts()):
            return [_edge(block)]
        return self._lines_of(block)

    def _lines_of(self, block: Block) -> list[Line]:
        with self._lock:
            known = self._opened.get(block.first)
            if known is None:
                known = self._opened[block.first] = block.lines()
                while len(self._opened) > _OPENED:
                    self._opened.popitem(last=False)
            self._opened.move_to_end(block.first)
            return known

    def _page(self, found: list[Line], before: int | None, *, complete: bool, after: int) -> Page:
        first = self.first
        if before is not None and before <= first:
            before = None
        return Page(found, first, self.last, before, max(after, 0), complete)


def _before(found: list[Line]) -> int | None:
    return found[0].number if found else None


def _edge(block: Block) -> Line:
    """Stands for lines of which none matches: it matches nothing either, and says how far it went."""
    return Line(block.first, b"", "", "", "", b"")
