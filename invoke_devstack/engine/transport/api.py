"""Sends every request to the engine, and raises our errors.

Ordinary requests share connections (`http.py`). Long streams (logs, exec, attach) each have a socket of their
own, which may be silent for hours and carries data both ways.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from invoke_devstack.engine.transport.checking import Shape, anything
from invoke_devstack.engine.transport.decoding import decode
from invoke_devstack.engine.transport.failures import cut_off, invalid, lost, refusal_of
from invoke_devstack.engine.transport.hang_warning import HangWarning, OnHang
from invoke_devstack.engine.transport.http import ERRORS, Answer, Http
from invoke_devstack.engine.transport.traffic import Traffic
from invoke_devstack.errors import DevstackError, EngineUnavailableError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from invoke_devstack.engine.transport.dialing import Dial

DIAL_SECONDS = 10.0
ANSWER_SECONDS = 120.0  # for one answer; None for requests without a limit
DELETE_SECONDS = 600.0
PARALLEL = 16
BLOCK = 1 << 18
_NOT_MODIFIED = 304  # a container that is started already is running, one that is stopped again is not
_REFUSAL = 1 << 16  # bytes of the body of a refusal that are read
_HEAD = 1 << 16  # bytes of the head of a stream

Params = Mapping[str, Any]


class Api:
    """`url` is for messages; `version` is such as `1.41`. Thread-safe."""

    def __init__(
        self,
        dial: Dial,
        url: str,
        version: str,
        *,
        dial_seconds: float = DIAL_SECONDS,
        on_hang: OnHang | None = None,
    ) -> None:
        self.url = url
        self.version = version
        self._dial = dial
        self._dial_seconds = dial_seconds
        self._hang_warning = HangWarning(on_hang)
        self.traffic = Traffic()
        self._http = Http(dial, self.traffic)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def pool(self) -> ThreadPoolExecutor:
        """For requests in parallel."""
        with self._lock:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="engine")
            return self._pool

    def get(self, path: str, shape: Shape, params: Params | None = None) -> Any:
        """The JSON of the answer, which has this shape. Raises EngineError."""
        return self.read(self.send("GET", path, params), shape, f"GET {path}")

    def post(
        self,
        path: str,
        body: Any = None,
        params: Params | None = None,
        *,
        shape: Shape = anything,
        **options: Any,
    ) -> Any:
        """The JSON of the answer, which has this shape; None if it has none. Raises EngineError."""
        answer = self.send("POST", path, params, body=body, **options)
        return self.read(answer, shape, f"POST {path}")

    def delete(
        self, path: str, params: Params | None = None, *, shape: Shape = anything, changes: bool = True
    ) -> Any:
        """The JSON of the answer, None if it has none. Large volumes and images take long."""
        answer = self.send("DELETE", path, params, seconds=DELETE_SECONDS, changes=changes)
        return self.read(answer, shape, f"DELETE {path}")

    def read(self, answer: Answer, shape: Shape, request: str) -> Any:
        """Where nothing is expected, anything is taken, but not looked at."""
        if shape is anything:
            return None
        try:
            value = decode(answer.content)
            shape(value)
        except ValueError as error:
            raise invalid(self.url, request, str(error)) from error
        return value

    def send(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        body: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        seconds: float | None = ANSWER_SECONDS,
        versioned: bool = True,
        changes: bool | None = None,
    ) -> Answer:
        """The answer to a request; `body` is sent as JSON, `data` as it is. The content has been read, unless
        it is a `stream`. `seconds` is the longest wait for data, None for no limit. `changes` tells whether
        it changes something on the engine, if not the method does. Raises EngineError."""
        headers = dict(headers or {})
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        quick = (method == "GET" and not stream) or path.endswith("/exec")
        try:
            with self._hang_warning.watched() if quick else contextlib.nullcontext():
                answer = self._http.request(
                    method,
                    self._target(path, params, versioned),
                    data=data,
                    headers=headers,
                    dial_seconds=self._dial_seconds,
                    seconds=seconds,
                    changes=method not in ("GET", "HEAD") if changes is None else changes,
                )
                if _is_good(answer.status):
                    if not stream:
                        _ = answer.content
                    return answer
                content = answer.excerpt(_REFUSAL)
        except ERRORS as error:
            raise self.lost(error, f"{method} {path}") from error
        raise self._refused(answer.status, content, f"{method} {path}")

    def lost(self, error: BaseException, request: str = "") -> BaseException:
        """What to raise for a connection that was lost, or broken off because the command ends."""
        return self.traffic.ending() or lost(error, self.url, request)

    def cut_off(self, what: str) -> BaseException:
        """What to raise for a stream that ends in the middle of `what`."""
        return self.traffic.ending() or cut_off(self.url, what)

    def invalid_stream(self, what: str) -> DevstackError:
        """What to raise for a stream that no engine sends."""
        return invalid(self.url, "a stream", what)

    def _refused(self, status: int, content: bytes, request: str) -> DevstackError:
        if status < 400:
            return invalid(self.url, request, f"its status is {status}")
        return refusal_of(status, content, self.url)

    def lines(self, answer: Answer, shape: Shape) -> Iterator[Any]:
        """The JSON objects, of this shape, of an answer with one on each line, as they arrive."""
        try:
            for line in answer.lines():
                if line.strip():
                    yield decode_line(line, shape, self.url)
        except ERRORS as error:
            raise self.lost(error) from error
        finally:
            answer.close()

    def _target(self, path: str, params: Params | None, versioned: bool) -> str:
        query = urlencode(_query(params), errors="surrogateescape")
        joint = "&" if "?" in path else "?"
        return (f"/v{self.version}" if versioned else "") + path + (joint + query if query else "")

    def open(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        body: Any = None,
        upgrade: bool = False,
        changes: bool = False,
    ) -> RawStream:
        """A separate socket with the plain bytes of the answer, without chunks (HTTP/1.0), and both ways with
        `upgrade`. It never times out."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{method} {self._target(path, params, versioned=True)} HTTP/1.{1 if upgrade else 0}",
            "Host: localhost",
            "User-Agent: invoke-devstack",
            f"Content-Length: {len(payload)}",
        ]
        if payload:
            head.append("Content-Type: application/json")
        if upgrade:
            head += ["Connection: Upgrade", "Upgrade: tcp"]
        self.traffic.check()
        try:
            stream = RawStream(self._dial(self._dial_seconds), self, f"{method} {path}")
        except OSError as error:
            raise self.lost(error, f"{method} {path}") from error
        stream.begin("\r\n".join(head).encode() + b"\r\n\r\n" + payload, changes=changes)
        return stream

    def answers_within(self, seconds: float) -> bool:
        """Whether the engine answers a ping, over a connection of its own."""
        until = time.monotonic() + seconds
        try:
            connection = self._dial(seconds)
        except (OSError, EngineUnavailableError):
            return False
        try:
            connection.settimeout(max(until - time.monotonic(), 0.001))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return bool(connection.recv(1))
        except OSError:
            return False
        finally:
            connection.close()

    def close(self) -> None:
        """Also ends what still waits, in whichever thread."""
        self.traffic.give_up(SystemExit)  # of which Python says nothing when it ends a thread
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None
        self._http.close()


class RawStream:
    """A connection after the head of the answer. `close` in another thread ends a read at once."""

    def __init__(self, connection: socket.socket, api: Api, request: str) -> None:
        self._connection = connection
        self._api = api
        self._request = request
        self._start = b""
        self._closed = False
        self._is_broken_off = False
        self._number = -1  # in the traffic

    def begin(self, request: bytes, *, changes: bool) -> None:
        """Sends the request and reads the head of the answer. Raises EngineError for a refusal."""
        try:
            self._number = self._api.traffic.begin(self._break_off, is_read=False, changes=changes)
            self._connection.sendall(request)
            self._connection.settimeout(ANSWER_SECONDS)
            head = self._read_head()
            status = self._status(head)
            if status >= 400:
                self._connection.settimeout(1.0)
                raise refusal_of(status, _read_error(self._connection, head, self._start), self._api.url)
            self._connection.settimeout(None)
            self._api.traffic.answered(self._number)
        except OSError as error:
            self.close()
            raise self._api.lost(error, self._request) from error
        except BaseException:
            self.close()
            raise

    def _read_head(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            block = self._connection.recv(BLOCK)
            if not block:
                raise ConnectionError("no answer")
            received += block
            if len(received) > _HEAD + BLOCK:
                raise invalid(self._api.url, self._request, "its head does not end")
        head, _, self._start = received.partition(b"\r\n\r\n")
        return head

    def _status(self, head: bytes) -> int:
        match = re.match(rb"HTTP/1\.[01] (\d{3})\b", head)
        status = int(match[1]) if match else 0
        if status in (101, *range(200, 300)) or status >= 400:
            return status
        what = f"its status is {status}" if match else "it is not HTTP"
        raise invalid(self._api.url, self._request, what)

    def _break_off(self) -> None:
        self._is_broken_off = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    @property
    def socket(self) -> socket.socket:
        return self._connection

    @property
    def has_buffered(self) -> bool:
        """Whether a read returns bytes that came with the head, without waiting for the socket."""
        return bool(self._start)

    def read(self, size: int = BLOCK) -> bytes:
        """At most `size` bytes, as soon as there are some; empty at the end and after `close`."""
        if self._start:
            block, self._start = self._start[:size], self._start[size:]
            return block
        try:
            block = self._connection.recv(size)
        except TimeoutError:
            raise
        except OSError as error:
            if self._closed:
                return b""
            raise self._api.lost(error, self._request) from error
        if not block and self._is_broken_off and not self._closed:
            raise self._api.lost(ConnectionAbortedError("broken off"), self._request)
        return block

    def write(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise self._api.lost(error, self._request) from error

    def close_write(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other side has closed already

    def close(self) -> None:
        self._closed = True
        self._api.traffic.end(self._number)
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _is_good(status: int) -> bool:
    return 200 <= status < 300 or status == _NOT_MODIFIED


def decode_line(line: bytes, shape: Shape, url: str) -> Any:
    """The JSON object of one line of a stream. Raises EngineError."""
    try:
        value = decode(line)
        shape(value)
        return value
    except ValueError as error:
        raise invalid(url, "a stream", str(error)) from error


def _read_error(connection: socket.socket, head: bytes, start: bytes) -> bytes:
    """The body of a refusal. It may be cut off: a part of it is enough."""
    told = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    length = min(int(told[1][:9]), _REFUSAL) if told else _REFUSAL
    try:
        while len(start) < length:
            block = connection.recv(BLOCK)
            if not block:
                break
            start += block
    except OSError:
        pass
    return start


def _query(params: Params | None) -> dict[str, str]:
    """Query parameters as the engine takes them: JSON for objects, `1` and `0`; without None and ""."""
    return {key: _text(value) for key, value in (params or {}).items() if value not in (None, "", {}, ())}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value)
    return str(value)


def filters_of(filters: Mapping[str, Any]) -> str:
    """The engine's `filters` parameter: each value as a list of texts."""
    return json.dumps({key: [str(item) for item in values] for key, values in filters.items()})


def path_of(container: str, rest: str = "") -> str:
    return f"/containers/{quote(container, safe='')}{rest}"
