"""HTTP over our own connections, with the standard library instead of the Docker SDK.

Measured: importing the SDK and `requests` takes 70 ms of the 250 ms of a short command, and each request 1 ms
of CPU, more than the engine needs to answer most of them. The rule: every request of this package goes
through here. The SDK is used for registry logins (`images/transfers.py`), for Windows pipes, and for a team's
own tasks, and imported only there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any, cast

from invoke_devstack.engine.transport.dialing import Dial, readable

if TYPE_CHECKING:
    from invoke_devstack.engine.transport.traffic import Traffic

IDLE = 64  # connections kept for later requests; more may be open
LARGEST = 1 << 24  # bytes of an answer that is read as a whole, such as the list of all volumes
LONGEST_LINE = 1 << 22  # bytes of a line of a stream
_BLOCK = 1 << 16

ERRORS: tuple[type[Exception], ...] = (HTTPException, OSError)
"""What a lost connection raises, and an answer that is no HTTP."""


class TooLongError(HTTPException):
    """An answer that does not end where an engine's would."""


class _Connection(HTTPConnection):
    """HTTP over a socket that is already open."""

    auto_open = 0  # http.client would connect to a port of this machine

    def __init__(self, opened: socket.socket) -> None:
        super().__init__("localhost")
        self.sock = self._opened = opened
        self.is_broken_off = False
        self.number = 0  # of the exchange that it is used for

    def is_fit(self) -> bool:
        """Whether it can take another request. Between requests, a live connection has nothing to read."""
        try:
            return self.sock is not None and not _has_something_to_read(self._opened)
        except (OSError, ValueError):
            return False

    def answer_within(self, seconds: float | None) -> None:
        """Sets the longest wait of each read."""
        self._opened.settimeout(seconds)

    def break_off(self) -> None:
        """Ends a read in another thread."""
        self.is_broken_off = True
        with suppress(OSError):
            self._opened.shutdown(socket.SHUT_RDWR)


def _has_something_to_read(opened: socket.socket) -> bool:
    return bool(readable([opened.fileno()], 0))


class Answer:
    """An answer of the engine. Read its content at once with `content` and `json`, or as it arrives with
    `blocks` and `lines`; all raise one of ERRORS if the connection is lost."""

    def __init__(
        self, http: Http, connection: _Connection, response: HTTPResponse, seconds: float | None
    ) -> None:
        self._http = http
        self._connection = connection
        self._response = response
        self._seconds = seconds
        self._content: bytes | None = None
        self._closed = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in any case."""
        return cast(Mapping[str, str], self._response.headers)

    @property
    def content(self) -> bytes:
        """All of it, if it arrives in the seconds of the request. Raises TooLongError."""
        if self._content is None:
            try:
                self._content = self._read(LARGEST)
            finally:
                self.close()
        return self._content

    def excerpt(self, size: int) -> bytes:
        """About the first `size` bytes; closes the connection if there is more."""
        try:
            return self._read(size, cut=True)
        finally:
            self.close()

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """At most `size` bytes each, as soon as there are some."""
        while block := self._response.read1(size):
            yield block
        if self._connection.is_broken_off:
            raise ConnectionAbortedError("broken off")
        if self._response.length:
            raise IncompleteRead(b"", self._response.length)
        if self._response.length == 0:
            self._response.read()  # only this tells it that its end is reached
        self.close()

    def lines(self) -> Iterator[bytes]:
        """Whole lines, each as soon as it has arrived. Raises TooLongError."""
        rest = b""
        for block in self.blocks():
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise TooLongError(f"a line is longer than {LONGEST_LINE >> 20} MB")
        if rest:
            yield rest

    def _read(self, most: int, *, cut: bool = False) -> bytes:
        until = None if self._seconds is None else time.monotonic() + self._seconds
        read: list[bytes] = []
        size = 0
        for block in self.blocks():
            read.append(block)
            size += len(block)
            if size > most:
                if cut:
                    break
                raise TooLongError(f"it is larger than {most >> 20} MB")
            if until is not None:
                self._connection.answer_within(max(until - time.monotonic(), 0.001))
        return b"".join(read)

    def break_off(self) -> None:
        """Ends `blocks` and `lines` in another thread, and the engine's work for them."""
        self._connection.break_off()

    def close(self) -> None:
        """Returns the connection for reuse, or closes it if there is more to read. Only once: another request
        may already use it."""
        if self._closed:
            return
        self._closed = True
        self._http.traffic.end(self._connection.number)
        finished = self._response.isclosed() and not self._response.will_close
        self._response.close()
        self._http.take_back(self._connection, usable=finished)


class Http:
    """Connections to one engine, reused. Thread-safe."""

    def __init__(self, dial: Dial, traffic: Traffic) -> None:
        self.traffic = traffic
        self._dial = dial
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def request(
        self,
        method: str,
        target: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        dial_seconds: float,
        seconds: float | None,
        changes: bool = False,
    ) -> Answer:
        """The head of the answer; its content is still to be read. `data` is bytes, a file, or an iterable of
        bytes, which is sent in chunks. The limits are `dial_seconds` for connecting and `seconds` for each
        read. `changes`: it changes something on the engine. Raises one of ERRORS, EngineUnavailableError from
        dialing, or the error of `Traffic.give_up`."""
        self.traffic.check()
        connection = self._connection(dial_seconds)
        try:
            is_read = method in ("GET", "HEAD")
            connection.number = self.traffic.begin(connection.break_off, is_read=is_read, changes=changes)
            connection.answer_within(seconds)
            with suppress(BrokenPipeError):  # refused before everything was sent: the answer says why
                connection.request(method, target, body=data, headers=dict(headers or {}))
            return Answer(self, connection, connection.getresponse(), seconds)
        except BaseException:
            self.traffic.end(connection.number)
            connection.close()
            raise

    def take_back(self, connection: _Connection, *, usable: bool) -> None:
        """A connection whose answer has been read or abandoned."""
        with self._lock:
            kept = usable and not self._closed and len(self._idle) < IDLE
            if kept:
                self._idle.append(connection)
        if not kept:
            connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connection(self, seconds: float) -> _Connection:
        while (idle := self._pop_idle()) is not None:
            if idle.is_fit():
                return idle
            idle.close()
        return _Connection(self._dial(seconds))

    def _pop_idle(self) -> _Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None
