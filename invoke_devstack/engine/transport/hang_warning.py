"""Warns if the engine does not answer what it usually answers at once: it hangs, or is overloaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnHang = Callable[[float], None]
"""Called once, from another thread, with the number of seconds without an answer."""

SECONDS = 4.0


class HangWarning:
    """One thread watches all requests; it starts with the first."""

    def __init__(self, tell: OnHang | None) -> None:
        self._tell = tell
        self._asked: dict[int, float] = {}  # number of the request -> since when
        self._number = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Wraps one request."""
        if self._tell is None:
            yield
            return
        number = self._begin()
        try:
            yield
        finally:
            with self._changed:
                del self._asked[number]

    def _begin(self) -> int:
        with self._changed:
            self._number += 1
            self._asked[self._number] = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="hang-warning", daemon=True)
                self._thread.start()
            if len(self._asked) == 1:
                self._changed.notify()
            return self._number

    def _watch(self) -> None:
        with self._changed:
            while (left := self._seconds_left()) is None or left > 0:
                self._changed.wait(left)
            tell, self._tell = self._tell, None
        if tell is not None:
            tell(SECONDS)

    def _seconds_left(self) -> float | None:
        """Until the oldest request has waited too long; None without a request."""
        if not self._asked:
            return None
        return min(self._asked.values()) + SECONDS - time.monotonic()
