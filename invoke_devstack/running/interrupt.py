"""Signals of our own process: the first asks for the graceful path, the second for SIGKILL.

What the first one means is decided by who runs: a detached `up` begins nothing new and leaves what
runs; an attached one stops its services, as Compose's does; `down` that is already stopping
services goes on, and only the second signal cuts it short.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import Self

from invoke_devstack.errors import Interrupted

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_ECHO = 0.1
"""Seconds in which a second signal is no second wish: `timeout` and some shells signal both the process
and its group."""


class Interrupt(AbstractContextManager["Interrupt"]):
    """While entered (in the main thread), the handler of SIGINT, SIGTERM and SIGHUP; restored on exit.

    Never entered, it is simply never set: what tests and libraries need.
    """

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.forced = threading.Event()
        self.signal_number: int = signal.SIGINT
        self._first_at = 0.0
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._installed = ExitStack()

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self  # only the main thread may have handlers
        self._listen()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                previous = signal.signal(number, _leave_to_listener)
                self._installed.callback(signal.signal, number, previous)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._installed.close()

    def _listen(self) -> None:
        """Has the numbers of signals written to a socket, and a thread read them from it.

        Python runs a handler once the main thread executes Python again. A signal that comes just before
        that thread waits in the system (for files that are saved, for another thread) would be seen when
        the wait is over, which may be never.
        """
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        previous = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        self._installed.callback(writing.close)
        self._installed.callback(signal.set_wakeup_fd, previous)
        threading.Thread(target=self._read, args=(reading,), name="interrupt", daemon=True).start()

    def _read(self, numbers: socket.socket) -> None:
        ours = {getattr(signal, name, None) for name in _SIGNALS}
        with numbers:
            while arrived := numbers.recv(1):
                if arrived[0] in ours:
                    self.deliver(arrived[0])

    def deliver(self, number: int) -> None:
        """Takes note of signal `number`, as if the process had received it."""
        now = time.monotonic()
        if not self.requested.is_set():
            self.signal_number = number
            self._first_at = now
            self.requested.set()
        elif now - self._first_at < _ECHO:
            return
        else:
            self.forced.set()
        with self._lock:
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """While entered, `callback` is called (in the listener's thread) at every signal, and at once
        if there was one already."""
        with self._lock:
            self._callbacks.append(callback)
        try:
            if self.requested.is_set():
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def check(self) -> None:
        """Raises Interrupted once a signal has come."""
        if self.requested.is_set():
            raise self.error()

    def pause(self, seconds: float) -> None:
        """Sleeps, and raises Interrupted at once when a signal comes."""
        if self.requested.wait(seconds):
            raise self.error()

    def error(self) -> Interrupted:
        """The error that ends the task with 128 + the signal's number."""
        return Interrupted(self.signal_number)


def _leave_to_listener(number: int, frame: FrameType | None) -> None:
    """Stands in the place of what would end the process."""
