"""Reads what the engine has from before the store's first line, so that it is found at once."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from invoke_devstack.acting.log_line import Line, lines_of
from invoke_devstack.dashboard.logs.blocks import LINES, Block, pack
from invoke_devstack.dashboard.logs.store import Store
from invoke_devstack.planning.observed import seconds_of
from invoke_devstack.running.logs import history
from invoke_devstack.running.logs.sources import Range, Source, sources
from invoke_devstack.running.session import Session

_TICK = 0.000001  # seconds that are cut off a stamp


def read_past(session: Session, store: Store) -> bool:
    """Puts earlier lines into the store, as many as it has room for, the newest of them. Whether it has all
    that the engine has."""
    start = store.start()
    kept = _Kept(store.room)

    def on_block(source: Source, stream: str, block: bytes) -> None:
        lines = lines_of(source.service, source.name, stream, block)
        kept.add([line for line in lines if line.stamp < start])

    until = f"{seconds_of(start.decode('ascii', 'replace')) + _TICK:.9f}"
    quiet = replace(session, emit=lambda event: None)
    history.merge(quiet, sources(session.engine, session.project, ()), Range(until=until), on_block)
    kept.seal()
    return store.put_before([*kept.blocks], start) and not kept.is_cut


class _Kept:
    """The newest blocks that there is room for."""

    def __init__(self, room: int) -> None:
        self.blocks: deque[Block] = deque()
        self.is_cut = False
        self._room = room
        self._size = 0
        self._open: list[Line] = []

    def add(self, lines: list[Line]) -> None:
        self._open += lines
        while len(self._open) >= LINES:
            self._keep(self._open[:LINES])
            self._open = self._open[LINES:]

    def seal(self) -> None:
        if self._open:
            self._keep(self._open)
            self._open = []

    def _keep(self, lines: list[Line]) -> None:
        block = pack(lines, 1)
        self.blocks.append(block)
        self._size += block.size
        while self._size > self._room and self.blocks:
            self._size -= self.blocks.popleft().size
            self.is_cut = True
