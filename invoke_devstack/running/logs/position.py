"""How far a container's log has been read, and how to read on from there: every line once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.running.logs.lines import earlier, first_stamp, is_time, last_stamp, stamps_since
from invoke_devstack.running.logs.sources import Range, Source, as_moment, stamped_blocks

_DISORDER = 100  # milliseconds by which neighbouring lines of a log may be out of order
_TENTH = 21  # characters of a stamp, down to the tenth of a second
_RECENT = 2000  # lines of a log to request first
_LARGE = 1 << 16  # bytes of a block of which only the stamps are kept
_PATIENCE = 1000  # new lines after which lines that were read before are no longer expected


class Position:
    """How far a container's log has been read: the stamps of its last lines.

    One stamp is not enough: lines written to stdout and stderr at the same time may be out of order in the
    log. So reading resumes a little earlier, and known lines are skipped. `since` (as in `Range`) is the
    position before the first line. `partial`: lines before the first one were skipped on purpose (`--tail`).
    """

    def __init__(self, since: str = "", *, partial: bool = False) -> None:
        self._since = since
        self._partial = partial
        self.floor = b""
        self._latest = b""
        self._blocks: deque[bytes] = deque()
        self._swept = b""

    def advance(self, block: bytes) -> None:
        """Moves past the (stamped, whole) lines of `block`. Their stamps are only parsed when needed: a
        container may write thousands of lines a second."""
        if self._partial and not self.floor:
            self.floor = first_stamp(block)
        last = last_stamp(block)
        if last > self._latest and is_time(last):
            self._latest = last
        if len(block) > _LARGE:
            block = b"\n".join(stamps_since(block, self._horizon())) + b"\n"
        self._blocks.append(block)
        if self._latest[:_TENTH] != self._swept:
            self._swept = self._latest[:_TENTH]
            horizon = self._horizon()
            while self._blocks and last_stamp(self._blocks[0]) < horizon:
                self._blocks.popleft()

    @property
    def stamps(self) -> list[bytes]:
        """The stamps of the last lines, in the order of reading."""
        if not self._blocks:
            return []
        horizon = self._horizon()
        return [stamp for block in self._blocks for stamp in stamps_since(block, horizon)]

    def knows(self, stamp: bytes) -> bool:
        """Whether the line with this stamp was read, or skipped on purpose."""
        return stamp < self.floor or stamp in self.stamps

    def _horizon(self) -> bytes:
        return earlier(self._latest, 2 * _DISORDER) if self._latest else b""

    def range(self) -> Range:
        """What to request so that no line is missing. Starts with lines that were read already."""
        return Range(since=as_moment(earlier(self._latest, _DISORDER)) if self._latest else self._since)


def blocks_from(
    position: Position, engine: Engine, source: Source, *, follow: bool
) -> Iterator[tuple[str, bytes]]:
    """(stream, stamped lines) from a little before `position` on. To find a time, an engine reads the log
    from its start; so the last lines are requested first, which is enough if they start with a known one."""
    wanted = position.range()
    if position.stamps:
        recent = stamped_blocks(engine, source, replace(wanted, tail=_RECENT), follow=follow)
        with closing(recent):
            first = next(recent, None)
            if first is not None and position.knows(first_stamp(first[1])):
                yield first
                yield from recent
                return
    yield from stamped_blocks(engine, source, wanted, follow=follow)


class Skipper:
    """Skips the lines of a stream (requested by `Position.range`) that were read before."""

    def __init__(self, position: Position) -> None:
        self._floor = position.floor
        self._seen = Counter(position.stamps)
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
        if not self._patience:  # all known lines are behind
            self._seen.clear()
        return True
