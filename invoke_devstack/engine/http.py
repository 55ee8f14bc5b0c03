"""HTTP over our own connections, with what the standard library has: no SDK, no `requests`.

The Docker SDK and what it stands on take 70 ms to import, and a millisecond of processor time for each
request, which is more than the engine needs to answer most of them (docs/architecture.md).
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

from invoke_devstack.engine.dialing import Dial

IDLE = 64  # connections kept for the next request; more than that may be open at once
_BLOCK = 1 << 16

ERRORS: tuple[type[Exception], ...] = (HTTPException, OSError)
"""What a lost connection raises, while a request is sent and while its answer is read."""


class _Connection(HTTPConnection):
    """HTTP over a socket that is open already."""

    auto_open = 0  # never by itself, to a port of this machine

    def __init__(self, opened: socket.socket) -> None:
        super().__init__("localhost")
        self.sock = self._opened = opened

    def is_fit(self) -> bool:
        """Whether it can carry one more request. Between two requests a live one has nothing to read."""
        try:
            return self.sock is not None and not _has_something_to_read(self._opened)
        except (OSError, ValueError):  # a Windows pipe has no file number
            return False

    def answer_within(self, seconds: float | None) -> None:
        """How long each read may take from now on."""
        self._opened.settimeout(seconds)

    def break_off(self) -> None:
        """Ends a read in another thread."""
        with suppress(OSError):
            self._opened.shutdown(socket.SHUT_RDWR)


def _has_something_to_read(opened: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([opened], [], [], 0)[0])
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    return bool(poll.poll(0))


class Answer:
    """What the engine answered. Its content is read as it comes: by `content` and `json`, or in pieces by
    `blocks` and `lines`; all raise one of ERRORS where the connection is lost in the middle."""

    def __init__(self, http: Http, connection: _Connection, response: HTTPResponse) -> None:
        self._http = http
        self._connection = connection
        self._response = response
        self._content: bytes | None = None
        self._closed = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in whatever case."""
        return cast(Mapping[str, str], self._response.headers)

    @property
    def content(self) -> bytes:
        if self._content is None:
            try:
                self._content = self._response.read()
            finally:
                self.close()
        return self._content

    def json(self) -> Any:
        return json.loads(self.content)

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """At most `size` bytes each, as soon as there are any."""
        while block := self._response.read1(size):
            yield block
        if self._response.length:
            raise IncompleteRead(b"", self._response.length)
        self.close()

    def lines(self) -> Iterator[bytes]:
        """Whole lines, each as soon as it is there."""
        rest = b""
        for block in self.blocks():
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def break_off(self) -> None:
        """Ends `blocks` and `lines` in another thread, and with them what the engine does for them."""
        self._connection.break_off()

    def close(self) -> None:
        """Gives the connection back, or ends it where there is more to read. Once: another request may have
        it by the second time."""
        if self._closed:
            return
        self._closed = True
        finished = self._response.isclosed() and not self._response.will_close
        self._response.close()
        self._http.take_back(self._connection, usable=finished)


class Http:
    """Connections to one engine, used again while they last. Thread-safe."""

    def __init__(self, dial: Dial) -> None:
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
    ) -> Answer:
        """The head of the answer, with its content still to be read. `data` are bytes, a file, or an
        iterable of bytes, which goes out in chunks. Connecting may take `dial_seconds`, and so may each
        piece of the answer take `seconds`. Raises one of ERRORS, or what dialling raises."""
        connection = self._connection(dial_seconds)
        try:
            connection.answer_within(seconds)
            with suppress(BrokenPipeError):  # refused before all was sent: the answer says why
                connection.request(method, target, body=data, headers=dict(headers or {}))
            return Answer(self, connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise

    def take_back(self, connection: _Connection, *, usable: bool) -> None:
        """A connection whose answer is read, or given up."""
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
