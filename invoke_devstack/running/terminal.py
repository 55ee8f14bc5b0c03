"""Our side of a command that runs in a container: the process's own streams, raw on a terminal.

These bytes are the command's, not messages of ours, so they do not go through events.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.errors import DevstackError
from invoke_devstack.running.interrupt import Interrupt

_BLOCK = 1 << 16
_DETACH = b"\x10\x11"  # Ctrl-P Ctrl-Q, Docker's default
_REFUSAL = b"OCI runtime exec failed"
_BROKEN_PIPE = 128 + 13
_OUTPUTS = {"stdout": 1, "stderr": 2}


class Detached(DevstackError):  # noqa: N818 - the user's wish, not a fault
    """The user left the command running with Ctrl-P Ctrl-Q."""


class OutputClosed(DevstackError):  # noqa: N818 - an outcome that is passed on, not a fault
    """Whoever read our output is gone (`| head`)."""

    exit_code = _BROKEN_PIPE


def is_terminal() -> bool:
    """Whether input and output are both a terminal that can be made raw."""
    return os.name == "posix" and os.isatty(0) and os.isatty(1)


def pump(session: ExecSession, interrupt: Interrupt, *, tty: bool) -> bytes:
    """Passes bytes both ways until the command's streams end. The terminal is restored whatever happens.

    Returns the runtime's own words if it could not start the command, which are not passed on. Raises
    Interrupted at a signal, Detached, OutputClosed.
    """
    sys.stdout.flush()
    with ExitStack() as stack:
        waker = stack.enter_context(_waker())
        stack.enter_context(interrupt.calling(lambda: _wake(waker[1])))
        if tty:
            stack.enter_context(_raw_terminal())
            stack.enter_context(_window_changes(waker[1]))
        return _Pump(session, interrupt, waker[0], tty=tty).run()


class _Pump:
    def __init__(self, session: ExecSession, interrupt: Interrupt, waker: int, *, tty: bool) -> None:
        self._session = session
        self._interrupt = interrupt
        self._waker = waker
        self._tty = tty
        self._typed = DetachKeys() if tty else None
        self._reading = _is_open(0)
        self._refusal: bytes | None = None  # not known before the first output

    def run(self) -> bytes:
        if self._tty:
            self._resize()
        if not self._reading:
            self._session.close_write()
        while True:
            ready = self._wait()
            if self._waker in ready:
                os.read(self._waker, _BLOCK)
                self._interrupt.check()
                if self._tty:
                    self._resize()
            if 0 in ready:
                self._pass_input()
            if self._session.fileno() in ready and not self._pass_output():
                return self._refusal or b""

    def _wait(self) -> set[int]:
        """The descriptors that can be read."""
        if self._session.pending():
            return {self._session.fileno()}
        wanted = [self._session.fileno(), self._waker, *([0] if self._reading else [])]
        return set(select.select(wanted, [], [])[0])

    def _pass_input(self) -> None:
        try:
            data = os.read(0, _BLOCK)
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            self._reading = False
            self._session.close_write()
            return
        if self._typed is not None:
            data = self._typed.feed(data)
        try:
            self._session.write(data)
        except DevstackError:  # the command has ended; its last words are still to come
            self._reading = False

    def _pass_output(self) -> bool:
        """False at the end."""
        stream, data = self._session.read(_BLOCK)
        if self._refusal is None:
            self._refusal = data if data.startswith(_REFUSAL) else b""
        if data and not self._refusal:
            write(_OUTPUTS.get(stream, 1), data)
        return bool(data)

    def _resize(self) -> None:
        with suppress(OSError, DevstackError):
            size = os.get_terminal_size(1)
            self._session.resize(size.lines, size.columns)


class DetachKeys:
    """Finds Ctrl-P Ctrl-Q in what is typed."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What is to be passed on; a Ctrl-P waits for what follows. Raises Detached."""
        data = self._held + data
        if _DETACH in data:
            raise Detached("detached")
        self._held = _DETACH[:1] if data.endswith(_DETACH[:1]) else b""
        return data[: len(data) - len(self._held)]


def write(descriptor: int, data: bytes) -> None:
    """All of `data`. Raises OutputClosed."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BlockingIOError:
        select.select([], [descriptor], [])
        write(descriptor, bytes(view))
    except BrokenPipeError:
        raise OutputClosed("the output was closed") from None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@contextmanager
def _waker() -> Iterator[tuple[int, int]]:
    """A pipe whose reading end a `select` waits on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def _wake(writing: int) -> None:
    with suppress(OSError):
        os.write(writing, b"!")


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Keys go to the command as they are typed, Ctrl-C too."""
    import termios
    import tty

    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)  # what was typed ahead is kept
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _window_changes(writing: int) -> Iterator[None]:
    """Wakes the pump when the window gets another size."""

    def changed(number: int, frame: FrameType | None) -> None:
        _wake(writing)

    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
