"""The end of a command after a signal, within a second, whatever it waits for.

The command ends itself: its waits raise, and it cleans up. A thread helps it: requests that are not answered
are broken off, and what does not end for another reason (a hook, a name that is being looked up, a blocked
terminal) is left behind by ending the process. While the engine answers, a graceful stop and what cleans up
are given time: a stop until the second signal and a moment longer.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from invoke_devstack.errors import Interrupted
from invoke_devstack.running import hooks
from invoke_devstack.running.interrupt import Interrupt

_ANSWER = 0.5  # seconds in which an engine that does not hang answers a ping
_OLD = 0.6  # after the signal: what was requested before it is broken off
_END = 0.85  # after the signal: the process is ended, unless it is busy cleaning up
_UNWINDING = 0.1  # for threads whose requests were just broken off
_LOOK = 0.05
_CHECK = 1.0  # between two pings of an engine that answers
_INSISTENT = 3  # signals that end everything at once
_LAST_ANSWERS = 2.5  # after the second signal, for what a graceful command asked before it


class Traffic(Protocol):
    """See `engine/transport/traffic.py`."""

    def break_off(
        self, make_error: Callable[[], Interrupted], *, before: float, reads_only: bool = False
    ) -> None: ...
    def give_up(self, make_error: Callable[[], Interrupted]) -> None: ...
    def is_busy_since(self, moment: float) -> bool: ...


class AnsweringEngine(Protocol):
    @property
    def traffic(self) -> Traffic: ...
    def answers_within(self, seconds: float) -> bool: ...


@contextmanager
def seen_to(
    interrupt: Interrupt,
    engine: Callable[[], AnsweringEngine | None],
    warn: Callable[[], None],
    leave: Callable[[], None],
    *,
    ends_process: bool = True,
) -> Iterator[None]:
    """While entered, and afterwards until the process ends, a signal ends the command. `engine` is the one
    that the command has connected to by then. `warn` tells that the engine does not answer a graceful stop;
    `leave` says the last words before the process is ended from another thread. Not `ends_process`: a command
    in a server, which lives on; nothing is waited for that does not answer."""
    ending = _Ending(interrupt, engine, warn, leave, ends_process=ends_process)
    try:
        with interrupt.calling(ending.begin):
            yield
    finally:
        ending.is_over = True
        if interrupt.requested.is_set():
            hooks.end_programs(interrupt.signal_number)


class _Ending:
    def __init__(
        self,
        interrupt: Interrupt,
        engine: Callable[[], AnsweringEngine | None],
        warn: Callable[[], None],
        leave: Callable[[], None],
        *,
        ends_process: bool,
    ) -> None:
        self.is_over = False
        self._ends_process = ends_process
        self._interrupt = interrupt
        self._engine = engine
        self._warn = warn
        self._leave = leave
        self._began = 0.0
        self._again = 0.0  # when the second signal came
        self._checked = 0.0
        self._alive = True

    def begin(self) -> None:
        """Called at each signal; the first starts the thread."""
        if self._interrupt.count == 1:
            self._began = time.monotonic()
            threading.Thread(target=self._run, name="ending", daemon=True).start()
        elif self._interrupt.count == 2:
            self._again = time.monotonic()

    def _run(self) -> None:
        engine = self._engine()
        if engine is not None and not self._interrupt.is_graceful:
            engine.traffic.break_off(self._interrupt.error, before=self._began, reads_only=True)
        while not self.is_over and self._may_go_on(self._engine()):
            time.sleep(_LOOK)
        if (engine := self._engine()) is not None:
            engine.traffic.give_up(self._interrupt.error)
        if self._ends_process:
            self._end_process()

    def _may_go_on(self, engine: AnsweringEngine | None) -> bool:
        since = time.monotonic() - self._began
        if self._interrupt.count >= _INSISTENT:
            return False
        if engine is None:
            return self._has_time(since)
        if self._interrupt.is_graceful:
            if self._again and time.monotonic() - self._again > _LAST_ANSWERS:  # an answer was lost
                engine.traffic.break_off(self._interrupt.error, before=self._again)
            waits = self._ends_process and not self._interrupt.forced.is_set()
            return self._is_alive(engine) or waits
        if not self._is_alive(engine):
            return False
        if since > _OLD:
            engine.traffic.break_off(self._interrupt.error, before=self._began)
        return self._has_time(since) or engine.traffic.is_busy_since(self._began)

    def _has_time(self, since: float) -> bool:
        """Where the process lives on, what cleans up has all the time: on a busy machine it may pause for
        longer than a process that ends would wait, and what it then left would stay."""
        return since < _END or not self._ends_process

    def _is_alive(self, engine: AnsweringEngine) -> bool:
        if not self._alive or time.monotonic() - self._checked > _CHECK:
            was_alive, self._alive = self._alive, engine.answers_within(_ANSWER)
            self._checked = time.monotonic()
            if was_alive and not self._alive and self._interrupt.is_graceful:
                self._warn()
        return self._alive

    def _end_process(self) -> None:
        """Unless it ends by itself, as it usually does. With `os._exit`: the main thread may be where no
        exception reaches it, and the interpreter would wait for other threads that are."""
        until = max(time.monotonic() + _UNWINDING, self._began + _END)
        while not self.is_over and time.monotonic() < until:
            time.sleep(_LOOK / 5)
        if self.is_over:
            return
        number = self._interrupt.signal_number
        hooks.end_programs(number)
        last_words = threading.Thread(target=self._leave, daemon=True)
        last_words.start()
        last_words.join(_UNWINDING)  # the terminal may be blocked too
        os._exit(128 + number)
