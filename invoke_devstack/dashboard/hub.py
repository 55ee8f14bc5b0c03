"""What every open tab is told: events with ids, the last ones kept for a tab that was away."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from invoke_devstack.dashboard.answers import to_text
from invoke_devstack.records import record

_KEPT = 8 * 1024**2  # characters of events for tabs that come back
_BEHIND = 16 * 1024**2  # characters that a tab may lag before it has to fetch everything again


class Line(Protocol):
    """A log line."""

    def to_json(self) -> dict[str, Any]: ...


@record
class Told:
    """`number` grows by one with each event."""

    number: int
    type: str
    data: str


class Hub:
    """Takes events from any thread, and hands them to tabs in the server's loop."""

    def __init__(self) -> None:
        self.boot = secrets.token_hex(4)
        """Tells ids of this server from those of an earlier one."""
        self._last = 0
        self._kept: deque[Told] = deque()
        self._size = 0
        self._tabs: set[Tab] = set()
        self._lock = threading.Lock()

    def tell(self, type_: str, data: Any) -> None:
        """Tells all tabs. From any thread; never raises."""
        text = to_text(data)
        with self._lock:
            self._last += 1
            told = Told(self._last, type_, text)
            self._keep(told)
            for tab in self._tabs:
                tab.put(told)

    def _keep(self, told: Told) -> None:
        self._kept.append(told)
        self._size += len(told.data)
        while self._size > _KEPT:
            self._size -= len(self._kept.popleft().data)

    def tell_latest(self, type_: str, make: Callable[[], Any]) -> None:
        """The same, but only where a tab is open. It is not kept, and a later one replaces it."""
        if self._tabs:
            told = Told(0, type_, to_text(make()))
            with self._lock:
                for tab in self._tabs:
                    tab.put_latest(told)

    def tell_logs(self, make: Callable[[], dict[str, Any]], lines: Sequence[Line]) -> None:
        """The store grew by these lines, which only programs want to be told of."""
        self.tell_latest("logs", make)
        readers = [tab for tab in self._tabs if tab.reads_lines] if self._tabs else ()
        if readers and lines:
            told = Told(0, "logs", to_text({**make(), "lines": [line.to_json() for line in lines]}))
            with self._lock:
                for tab in readers:
                    tab.put(told)

    @property
    def is_watched(self) -> bool:
        return bool(self._tabs)

    def join(self, last_id: str, *, reads_lines: bool = False) -> Tab:
        """A tab that saw the event `last_id` last. Call it in the server's loop."""
        with self._lock:
            missed = self._missed(last_id)
            tab = Tab(asyncio.get_running_loop(), resumed=missed is not None, reads_lines=reads_lines)
            for told in missed or ():
                tab.put(told)
            self._tabs.add(tab)
        return tab

    def leave(self, tab: Tab) -> None:
        with self._lock:
            self._tabs.discard(tab)

    def close(self) -> None:
        """Ends every tab's stream."""
        with self._lock:
            for tab in self._tabs:
                tab.end()

    def id_of(self, told: Told) -> str:
        return f"{self.boot}-{told.number}" if told.number else ""

    def last_id(self) -> str:
        """The id of the newest event."""
        with self._lock:
            return f"{self.boot}-{self._last}"

    def _missed(self, last_id: str) -> list[Told] | None:
        """The events after that one; None where they are not known any more."""
        boot, _, number = last_id.partition("-")
        if boot != self.boot or not number.isdigit():
            return None
        oldest = self._kept[0].number if self._kept else self._last + 1
        if int(number) < oldest - 1:
            return None
        return [told for told in self._kept if told.number > int(number)]


class Tab:
    """One open stream. `resumed`: it missed nothing. `reads_lines`: it wants log lines themselves."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, resumed: bool, reads_lines: bool) -> None:
        self.resumed = resumed
        self.reads_lines = reads_lines
        self._latest: dict[str, Told] = {}
        self._loop = loop
        self._waiting: deque[Told] = deque()
        self._behind = 0
        self._ended = False
        self._wake = asyncio.Event()
        self._woken = False

    def put(self, told: Told) -> None:
        self._behind += len(told.data)
        if self._behind > _BEHIND:
            self._ended = True
            self._waiting.clear()
        else:
            self._waiting.append(told)
        self._notify()

    def put_latest(self, told: Told) -> None:
        """Takes the place of the last one of its type that was not sent yet."""
        if not (self.reads_lines and told.type == "logs"):
            self._latest[told.type] = told
            self._notify()

    def end(self) -> None:
        self._ended = True
        self._notify()

    def _notify(self) -> None:
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:  # the loop has ended
                self._ended = True

    async def wait(self, seconds: float) -> list[Told] | None:
        """The next events; an empty list after that time, None at the end."""
        if not (self._waiting or self._latest or self._ended):
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                return []
        self._wake.clear()
        self._woken = False
        if self._ended:
            return None
        taken = []
        while self._waiting:
            taken.append(self._waiting.popleft())
            self._behind -= len(taken[-1].data)
        while self._latest:
            taken.append(self._latest.popitem()[1])
        return taken
