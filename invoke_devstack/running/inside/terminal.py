"""Connects our own streams to a command in a container, raw on a terminal.

These bytes are the command's, not our messages, so they do not become events.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from invoke_devstack.engine.protocol import ExecSession
from invoke_devstack.engine.transport.dialing import readable, wait_writable
from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.local_files.failures import unwritable
from invoke_devstack.running.inside.own_input import Input, Waker, own_input
from invoke_devstack.running.interrupt import Interrupt

_BLOCK = 1 << 16
_DETACH = b"\x10\x11"  # Ctrl-P Ctrl-Q, Docker's default
_REFUSAL = b"OCI runtime exec failed"
_BROKEN_PIPE = 128 + 13
_OUTPUTS = {"stdout": 1, "stderr": 2}


class Detached(DevstackError):  # noqa: N818 - what the user wanted, not a fault
    """The user left the command running with Ctrl-P Ctrl-Q."""


class OutputClosed(DevstackError):  # noqa: N818 - an outcome that is passed on, not a fault
    """The reader of our output is gone (`| head`)."""

    exit_code = _BROKEN_PIPE


def is_terminal() -> bool:
    """Whether input and output are both terminals that can be made raw."""
    return sys.platform != "win32" and os.isatty(0) and os.isatty(1)


def pump(
    session: ExecSession,
    interrupt: Interrupt,
    *,
    tty: bool,
    stdin: bool = True,
    ends_input: bool = True,
    detach_keys: bytes = _DETACH,
) -> bytes:
    """Passes bytes both ways until the command's streams end; without `stdin`, only output. The end of our
    input is the end of the command's, if it `ends_input`. The terminal is restored whatever happens.

    Returns the container runtime's message if it could not start the command; that message is not passed on.
    Raises Interrupted after a signal, Detached, OutputClosed.
    """
    if sys.stdout is not None:  # it is None if it was closed before we began
        sys.stdout.flush()
    with ExitStack() as stack:
        waker = stack.enter_context(Waker())
        stack.enter_context(interrupt.calling(waker.wake))
        if tty:
            stack.enter_context(_raw_terminal())
            stack.enter_context(_window_changes(waker))
        typed = DetachKeys(detach_keys) if tty else None
        own = stack.enter_context(own_input()) if stdin and _is_open(0) else None
        return _Pump(session, interrupt, waker, own, typed, ends=stdin and ends_input).run()


class _Pump:
    def __init__(
        self,
        session: ExecSession,
        interrupt: Interrupt,
        waker: Waker,
        own: Input | None,
        typed: DetachKeys | None,
        *,
        ends: bool,
    ) -> None:
        """`own`: our input, if it is passed on. `typed`: what is typed on a terminal goes through it."""
        self._session = session
        self._interrupt = interrupt
        self._waker = waker
        self._tty = typed is not None
        self._typed = typed
        self._ends_input = ends
        self._own = own
        self._refusal: bytes | None = None  # unknown before the first output

    def run(self) -> bytes:
        if self._tty:
            self._resize()
        if self._own is None:
            self._end_input()
        while True:
            ready = self._wait()
            if self._waker.fileno() in ready:
                self._waker.sleep()
                self._interrupt.check()
                if self._tty:
                    self._resize()
            if self._own is not None and self._own.fileno() in ready:
                self._pass_input(self._own)
            if self._session.fileno() in ready and not self._pass_output():
                return self._refusal or b""

    def _wait(self) -> set[int]:
        """The readable descriptors."""
        if self._session.pending():
            return {self._session.fileno()}
        wanted = [self._session.fileno(), self._waker.fileno()]
        return readable(wanted if self._own is None else [*wanted, self._own.fileno()])

    def _pass_input(self, own: Input) -> None:
        data = own.read()
        if not data:
            self._own = None
            self._end_input()
            return
        if self._typed is not None:
            data = self._typed.feed(data)
        try:
            self._session.write(data)
        except DevstackError:  # the command has ended; its last output is still to come
            self._own = None

    def _end_input(self) -> None:
        if self._ends_input:
            self._session.close_write()

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
    """Finds Ctrl-P Ctrl-Q, or other keys, in what is typed."""

    def __init__(self, keys: bytes = _DETACH) -> None:
        self._keys = keys
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What to pass on; the beginning of the keys is held back until the next one. Raises Detached."""
        data = self._held + data
        if self._keys in data:
            raise Detached("detached")
        lengths = range(len(self._keys) - 1, 0, -1)
        held = next((size for size in lengths if data.endswith(self._keys[:size])), 0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]


def detach_keys(text: str) -> bytes:
    """What keys send, written as Docker does: a letter or `ctrl-` and a letter, separated by commas. Raises
    UsageError."""
    sent = b""
    for key in text.split(",") if text else ():
        match = re.fullmatch(r"ctrl-([a-z@\[\\\]^_])|([ -~])", key)
        if match is None:
            raise UsageError(f"invalid key `{key}` for `--detach-keys`", hint="Example: `ctrl-x,d`.")
        sent += bytes([ord(match[1].upper()) & 31]) if match[1] else match[2].encode()
    return sent or _DETACH


def write(descriptor: int, data: bytes) -> None:
    """All of `data`. Raises OutputClosed, and FileError if the stream takes no more for another reason."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BlockingIOError:
        wait_writable(descriptor)
        write(descriptor, bytes(view))
    except BrokenPipeError:
        raise OutputClosed("the output was closed") from None
    except OSError as error:
        raise unwritable(error) from None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Passes keys to the command as they are typed, including Ctrl-C."""
    import termios
    import tty

    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)  # what was typed ahead is kept
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _window_changes(waker: Waker) -> Iterator[None]:
    """Wakes the pump when the window is resized."""

    def changed(number: int, frame: FrameType | None) -> None:
        waker.wake()

    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
