"""Engines behind a named pipe of Windows, as an ordinary socket.

Nothing can wait for a pipe and a socket together there, and the SDK's class for pipes has no file number and
no half-close. So two threads pass the bytes between the pipe and one end of a socket pair.
"""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import suppress
from typing import Any

_BLOCK = 1 << 16
_ERRNO = {2: errno.ENOENT, 5: errno.EACCES, 231: errno.EBUSY}
"""Codes of Windows (https://learn.microsoft.com/windows/win32/debug/system-error-codes--0-499-)."""


def dial_pipe(path: str, timeout: float | None) -> socket.socket:
    """A socket that is connected with the pipe at `path`. Raises OSError."""
    from docker.transport import NpipeSocket

    pipe = NpipeSocket()
    try:
        pipe.connect(path)
    except OSError:
        raise
    except Exception as error:  # of pywin32, which has no common base with OSError
        code = _ERRNO.get(getattr(error, "winerror", 0), errno.EIO)
        raise OSError(code, f"{error}", path) from error
    return PipeSocket.on(pipe, timeout)


class PipeSocket(socket.socket):
    """One end of a socket pair, of which the other end and the pipe pass on to each other what they get."""

    _pipe: Any

    @classmethod
    def on(cls, pipe: Any, timeout: float | None) -> PipeSocket:
        """`pipe` has `recv`, `sendall`, `send` and `close`, like a socket. It is closed with this one."""
        ours, theirs = socket.socketpair()
        connection = cls(fileno=ours.detach())
        connection.settimeout(timeout)
        connection._pipe = pipe
        sending = threading.Thread(target=_send_on, args=(pipe, theirs), name="to pipe", daemon=True)
        passing = (pipe, theirs, sending)
        sending.start()
        threading.Thread(target=_pass_back, args=passing, name="from pipe", daemon=True).start()
        return connection

    def close(self) -> None:
        """Closes the pipe too: a thread may be waiting for its next byte."""
        super().close()
        _close(self._pipe)

    def shutdown(self, how: int) -> None:
        super().shutdown(how)
        if how == socket.SHUT_RDWR:
            _close(self._pipe)


def _send_on(pipe: Any, theirs: socket.socket) -> None:
    """Passes on what is written, and its end: an empty message, as Docker's programs say it on a pipe
    (`CloseWrite` of go-winio)."""
    with suppress(Exception):  # the pipe is closed, or the engine has gone: the other thread notices
        while data := theirs.recv(_BLOCK):
            pipe.sendall(data)
        pipe.send(b"")


def _pass_back(pipe: Any, theirs: socket.socket, sending: threading.Thread) -> None:
    """Passes on what the engine says, until it ends or the pipe is closed; no more is sent then."""
    block = bytearray(_BLOCK)
    with theirs:
        with suppress(Exception):
            while size := pipe.recv_into(block):
                theirs.sendall(memoryview(block)[:size])
        with suppress(OSError):  # a socket that another thread reads does not end by closing it
            theirs.shutdown(socket.SHUT_RDWR)
        sending.join()


def _close(pipe: Any) -> None:
    with suppress(Exception):  # it was closed before
        pipe.close()
