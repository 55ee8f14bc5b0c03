"""One request to the engine, with errors as ours. All of the room sends its requests through here.

Ordinary requests share connections (`http.py`). Streams that last (logs, exec, attach) take a socket of
their own, which may be silent for hours, and to which both sides may write.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

from invoke_devstack.engine.dialing import Dial
from invoke_devstack.engine.failures import lost, refusal
from invoke_devstack.engine.http import ERRORS, Answer, Http
from invoke_devstack.engine.silence import OnSilence, Silence

DIAL_SECONDS = 10.0
ANSWER_SECONDS = 120.0  # for one answer; what may take as long as it likes asks for None
DELETE_SECONDS = 600.0
PARALLEL = 16
BLOCK = 1 << 18

Params = Mapping[str, Any]


class Api:
    """`url` is for people, `version` such as `1.41`. Thread-safe."""

    def __init__(
        self,
        dial: Dial,
        url: str,
        version: str,
        *,
        dial_seconds: float = DIAL_SECONDS,
        on_silence: OnSilence | None = None,
    ) -> None:
        self.url = url
        self.version = version
        self._dial = dial
        self._dial_seconds = dial_seconds
        self._silence = Silence(on_silence)
        self._http = Http(dial)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def pool(self) -> ThreadPoolExecutor:
        """For requests that are sent at once."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="engine")
            return self._pool

    def get(self, path: str, params: Params | None = None) -> Any:
        """The JSON of an answer."""
        return self.send("GET", path, params).json()

    def post(self, path: str, body: Any = None, params: Params | None = None, **options: Any) -> Any:
        """The JSON of the answer, None if it has none."""
        answer = self.send("POST", path, params, body=body, **options)
        return answer.json() if answer.content.strip() else None

    def delete(self, path: str, params: Params | None = None) -> Any:
        """The JSON of the answer, None if it has none. Large volumes and images take their time."""
        answer = self.send("DELETE", path, params, seconds=DELETE_SECONDS)
        return answer.json() if answer.content.strip() else None

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
    ) -> Answer:
        """The answer to a request; `body` goes as JSON, `data` as it is. Its content is there already unless
        it comes as a `stream`, between two pieces of which may pass `seconds` (None: any time). Raises
        EngineError and its kin."""
        headers = dict(headers or {})
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        quick = (method == "GET" and not stream) or path.endswith("/exec")
        try:
            with self._silence.watched() if quick else contextlib.nullcontext():
                answer = self._http.request(
                    method,
                    self._target(path, params, versioned),
                    data=data,
                    headers=headers,
                    dial_seconds=self._dial_seconds,
                    seconds=seconds,
                )
                if not stream or answer.status >= 400:
                    content = answer.content
            if answer.status >= 400:
                raise refusal(answer.status, message_of(content))
        except ERRORS as error:
            raise lost(error, self.url) from error
        return answer

    def lines(self, answer: Answer) -> Iterator[Any]:
        """The JSON objects of an answer that comes line by line, as they come."""
        try:
            for line in answer.lines():
                if line.strip():
                    yield json.loads(line)
        except ERRORS as error:
            raise lost(error, self.url) from error
        finally:
            answer.close()

    def _target(self, path: str, params: Params | None, versioned: bool) -> str:
        query = urlencode(_query(params))
        joint = "&" if "?" in path else "?"
        return (f"/v{self.version}" if versioned else "") + path + (joint + query if query else "")

    def open(
        self, method: str, path: str, params: Params | None = None, *, body: Any = None, upgrade: bool = False
    ) -> RawStream:
        """A socket of its own that carries the bytes of the answer and nothing else: no chunks
        (HTTP/1.0), and both ways with `upgrade`. It never times out."""
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
        try:
            connection = self._dial(self._dial_seconds)
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + payload)
            connection.settimeout(ANSWER_SECONDS)
            return RawStream.begin(connection, self.url)
        except OSError as error:
            raise lost(error, self.url) from error

    def close(self) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None
        self._http.close()


class RawStream:
    """A connection after the head of the answer. `close` from another thread ends a read at once."""

    def __init__(self, connection: socket.socket, start: bytes, url: str) -> None:
        self._connection = connection
        self._start = start
        self._url = url
        self._closed = False

    @classmethod
    def begin(cls, connection: socket.socket, url: str) -> RawStream:
        """Reads the head of the answer. Raises EngineError for a refusal."""
        received = b""
        while b"\r\n\r\n" not in received:
            block = connection.recv(BLOCK)
            if not block:
                connection.close()
                raise lost(ConnectionError("no answer"), url)
            received += block
        head, _, start = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status >= 400:
            connection.settimeout(1.0)
            text = _read_error(connection, head, start)
            connection.close()
            raise refusal(status, message_of(text))
        connection.settimeout(None)
        return cls(connection, start, url)

    @property
    def socket(self) -> socket.socket:
        return self._connection

    @property
    def has_buffered(self) -> bool:
        """Whether a read gives bytes that came with the head, and does not wait for the socket."""
        return bool(self._start)

    def read(self, size: int = BLOCK) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end, and after `close`."""
        if self._start:
            block, self._start = self._start[:size], self._start[size:]
            return block
        try:
            return self._connection.recv(size)
        except TimeoutError:
            raise
        except OSError as error:
            if self._closed:
                return b""
            raise lost(error, self._url) from error

    def write(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise lost(error, self._url) from error

    def close_write(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other side has ended already

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _read_error(connection: socket.socket, head: bytes, start: bytes) -> bytes:
    """The body of a refusal, which may be short of what was promised: a part of it is enough."""
    told = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    length = int(told[1]) if told else BLOCK
    try:
        while len(start) < length:
            block = connection.recv(BLOCK)
            if not block:
                break
            start += block
    except OSError:
        pass
    return start


def message_of(content: bytes) -> str:
    """The engine's own word in the body of a refusal."""
    text = content.decode("utf-8", "replace").strip()
    start = text.find("{")
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:]) if start >= 0 else (None, 0)
    except ValueError:
        return text
    return str(value.get("message", text)) if isinstance(value, dict) else text


def _query(params: Params | None) -> dict[str, str]:
    """Query parameters as the engine wants them: JSON for objects, `1` and `0`; None and "" are left out."""
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
