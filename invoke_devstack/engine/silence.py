"""Says when the engine leaves unanswered what it answers at once: it hangs, or its machine is overloaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnSilence = Callable[[float], None]
"""Is told, once, for how many seconds nothing was answered. Called from another thread."""

SECONDS = 4.0


class Silence:
    """One thread, begun with the first request, watches over all of them."""

    def __init__(self, tell: OnSilence | None) -> None:
        self._tell = tell
        self._asked: dict[int, float] = {}  # number of the request -> since when
        self._number = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While entered, an answer is waited for."""
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
                self._thread = threading.Thread(target=self._watch, name="silence", daemon=True)
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
        """Until the oldest question has waited for too long; None while nothing is asked."""
        if not self._asked:
            return None
        return min(self._asked.values()) + SECONDS - time.monotonic()
