"""Our own input, and a way to be woken, as descriptors that can be waited for like an engine's socket.

Windows can wait for sockets alone: there, a thread reads the input and passes it to a socket.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, Self

_BLOCK = 1 << 16


class Input(Protocol):
    """What is typed or piped to us."""

    def fileno(self) -> int: ...

    def read(self) -> bytes:
        """What there is, once `fileno` is readable; b"" at the end, and when the terminal is gone."""
        ...


@contextmanager
def own_input() -> Iterator[Input]:
    """Descriptor 0 of this process."""
    if sys.platform != "win32":
        yield _Descriptor()
        return
    ours, theirs = socket.socketpair()
    threading.Thread(target=_pass_on, args=(theirs,), name="input", daemon=True).start()
    with ours:
        yield _Socket(ours)


class _Descriptor:
    def fileno(self) -> int:
        return 0

    def read(self) -> bytes:
        return _read()


class _Socket:
    def __init__(self, ours: socket.socket) -> None:
        self._ours = ours

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> bytes:
        return self._ours.recv(_BLOCK)


def _read() -> bytes:
    try:
        return os.read(0, _BLOCK)
    except OSError:  # the terminal is gone
        return b""


def _pass_on(theirs: socket.socket) -> None:
    with theirs, suppress(OSError):  # nobody reads any more
        while data := _read():
            theirs.sendall(data)


class Waker:
    """Is readable once another thread, or the handler of a signal, has woken it. Use it in a `with`."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        return self._ours.fileno()

    def wake(self) -> None:
        with suppress(OSError):  # it has been woken often enough, or has been closed
            self._theirs.send(b"!")

    def sleep(self) -> None:
        """Makes it unreadable again."""
        self._ours.recv(_BLOCK)
