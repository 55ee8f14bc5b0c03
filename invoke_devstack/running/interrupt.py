"""Signals to this process: the first asks to end gracefully, the second kills what still runs.

What the first one means depends on the command. A detached `up` starts nothing new and leaves running
what runs; an attached `up` stops its services, as Compose does; `down` continues to stop services. Whatever
a command waits for, `ending.py` sees to it that it ends.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.errors import Interrupted

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_DELIVERY = 0.5  # seconds for the listener to react to a signal
_ECHO = 0.1
"""Seconds in which a second signal is the echo of the first: `timeout` and some shells signal both the
process and its group."""


class Interrupt(AbstractContextManager["Interrupt"]):
    """While entered (in the main thread, once or more), handles SIGINT, SIGTERM and SIGHUP; at the end it
    restores the handlers.
    Tests and libraries need not enter it: then it is never set."""

    def __init__(self, on_output_gone: Callable[[], None] | None = None) -> None:
        """`on_output_gone` is called, in the listener's thread, when nobody reads our stdout, a pipe, any
        more."""
        self.requested = threading.Event()
        self.forced = threading.Event()
        self.count = 0  # of signals without echoes
        self.signal_number: int = signal.SIGINT
        self._on_output_gone = on_output_gone
        self._entered = 0
        self._raises = False
        self._graceful = 0
        self._lock = threading.Lock()
        self._first_at = 0.0
        self._delivered = threading.Event()
        self._cancellation = Cancellation()
        self._installed = ExitStack()

    def __enter__(self) -> Self:
        self._entered += 1
        if self._entered > 1 or threading.current_thread() is not threading.main_thread():
            return self  # only the main thread may have handlers
        self._listen()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # `nohup` ignores SIGHUP, and so do we then.
            if number is not None and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
                previous = signal.signal(number, self._handle)
                self._installed.callback(signal.signal, number, previous)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if not self._entered:
            self._installed.close()

    def _listen(self) -> None:
        """Has signal numbers written to a socket that a thread reads.

        Python runs a handler when the main thread next executes Python code. If that thread is blocked in
        the system (on a file or another thread), this may be much later, or never.
        """
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        previous = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        self._installed.callback(writing.close)
        self._installed.callback(signal.set_wakeup_fd, previous)
        threading.Thread(target=self._read, args=(reading,), name="interrupt", daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Replaces the default handler. Python calls it in the main thread; the listener reacts too."""
        if self._raises:
            self._raises = False  # once: what cleans up afterwards is not interrupted
            self._delivered.wait(_DELIVERY)
            raise KeyboardInterrupt

    def _read(self, numbers: socket.socket) -> None:
        ours = {getattr(signal, name, None) for name in _SIGNALS}
        with numbers:
            self._watch_output(numbers)
            while arrived := numbers.recv(1):
                if arrived[0] in ours:
                    self.deliver(arrived[0])

    def _watch_output(self, numbers: socket.socket) -> None:
        """Returns when there is a number to read. Until then, tells when our stdout has lost its reader."""
        if self._on_output_gone is None or not _is_pipe(1) or not hasattr(select, "poll"):
            return  # Windows has no poll, and tells of a lost reader only who writes
        waiting = select.poll()
        waiting.register(numbers, select.POLLIN)
        waiting.register(1, 0)  # errors alone, which are always reported
        while all(descriptor != numbers.fileno() for descriptor, _ in waiting.poll()):
            waiting.unregister(1)
            self._on_output_gone()

    def deliver(self, number: int) -> None:
        """Reacts to signal `number` as if the process had received it."""
        now = time.monotonic()
        if not self.requested.is_set():
            self.signal_number = number
            self._first_at = now
            self.requested.set()
        elif now - self._first_at < _ECHO:
            return
        else:
            self.forced.set()
        self.count += 1
        self._cancellation.cancel()
        self._delivered.set()

    def calling(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """While entered, calls `callback` (in the listener's thread) at every signal, and at once if there
        was one already."""
        return self._cancellation.calling(callback)

    @contextmanager
    def raising(self, wanted: bool = True) -> Iterator[None]:
        """While entered (in the main thread), a first signal raises KeyboardInterrupt there, whatever it
        waits for. Not `wanted`: the work itself looks for signals, at places where it may end."""
        before, self._raises = self._raises, wanted and not self.requested.is_set()
        try:
            yield
        finally:
            self._raises = before and not self.requested.is_set()

    @contextmanager
    def graceful(self) -> Iterator[None]:
        """While entered (in any thread), containers are being stopped gracefully: the command goes on after a
        first signal as long as the engine answers."""
        with self._lock:
            self._graceful += 1
        try:
            yield
        finally:
            with self._lock:
                self._graceful -= 1

    @property
    def is_graceful(self) -> bool:
        """Whether anything has entered `graceful`."""
        return self._graceful > 0

    def check(self, *, is_done: bool = False) -> None:
        """Raises Interrupted after a signal."""
        if self.requested.is_set():
            raise self.error(is_done=is_done)

    def pause(self, seconds: float) -> None:
        """Sleeps. Raises Interrupted as soon as there is a signal."""
        if self.requested.wait(seconds):
            raise self.error()

    def error(self, *, is_done: bool = False) -> Interrupted:
        """The error that ends the task with exit code 128 + the signal's number."""
        return Interrupted(self.signal_number, is_done=is_done)


def _is_pipe(descriptor: int) -> bool:
    with suppress(OSError):
        return hasattr(select, "poll") and stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    return False
