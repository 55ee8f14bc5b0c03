"""What waits for the engine, and how all of it ends when the command ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

from invoke_devstack.records import record

_RECENT = 0.3  # seconds after an answer in which the next request of the same work comes

MakeError = Callable[[], BaseException]


@record
class _Exchange:
    """A request whose answer is not complete. `is_read`: it is answered at once. `changes`: it changes
    something on the engine."""

    began: float
    is_read: bool
    changes: bool
    break_off: Callable[[], None]


class Traffic:
    """All requests and streams of one engine. Thread-safe."""

    def __init__(self) -> None:
        self._open: dict[int, _Exchange] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._make_error: MakeError | None = None
        self._is_over = False
        self._last_end = 0.0
        self.has_changed = False
        """Whether a request was sent that changes something."""
        self.is_unanswered = False
        """Whether such a request was broken off before its answer."""

    def begin(self, break_off: Callable[[], None], *, is_read: bool, changes: bool) -> int:
        """A number for `end`. `break_off` ends the wait in its thread. Raises the error of `give_up`."""
        number = next(self._numbers)
        with self._lock:
            self._check()
            self._open[number] = _Exchange(time.monotonic(), is_read, changes, break_off)
            self.has_changed |= changes
        return number

    def answered(self, number: int) -> None:
        """The engine has begun to answer: what is broken off from now on was carried out."""
        with self._lock:
            if exchange := self._open.get(number):
                self._open[number] = _Exchange(exchange.began, exchange.is_read, False, exchange.break_off)

    def end(self, number: int) -> None:
        """The exchange is over. May be called again."""
        with self._lock:
            if self._open.pop(number, None) is not None:
                self._last_end = time.monotonic()

    def check(self) -> None:
        """Raises the error of `give_up`."""
        with self._lock:
            self._check()

    def _check(self) -> None:
        if self._is_over and self._make_error is not None:
            raise self._make_error()

    def ending(self) -> BaseException | None:
        """The error of what is broken off; None if nothing was."""
        return self._make_error() if self._make_error is not None else None

    def break_off(self, make_error: MakeError, *, before: float, reads_only: bool = False) -> None:
        """Ends the exchanges that began before that moment (`time.monotonic()`): they raise the error."""
        self._break_off(make_error, lambda item: item.began < before and (item.is_read or not reads_only))

    def give_up(self, make_error: MakeError) -> None:
        """Ends all exchanges. Whatever is requested from now on raises the error at once."""
        self._is_over = True
        self._break_off(make_error, lambda item: True)

    def is_busy_since(self, moment: float) -> bool:
        """Whether somebody has asked the engine for something since then, and goes on with it."""
        with self._lock:
            begun = any(item.began >= moment for item in self._open.values())
            return begun or (self._last_end > moment and time.monotonic() - self._last_end < _RECENT)

    def _break_off(self, make_error: MakeError, is_meant: Callable[[_Exchange], bool]) -> None:
        with self._lock:
            self._make_error = self._make_error or make_error
            meant = [item for item in self._open.values() if is_meant(item)]
            self.is_unanswered |= any(item.changes for item in meant)
        for item in meant:
            item.break_off()
