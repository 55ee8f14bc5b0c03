"""A socket before the real engine that counts requests, and does something to one of them.

`EngineProxy(path, engine_url, decide)` listens at `path` until `close`. `decide(number, line)` is called with
each request, counted from 1 (`GET /v1.51/containers/json?all=1 HTTP/1.1`), before it reaches the engine; it
returns what becomes of it. It may also do something first, such as kill the client.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from urllib.parse import urlsplit

_BLOCK = 1 << 16


class Verdict(Enum):
    PASS = auto()
    HANG = auto()  # it reaches the engine, but no answer comes, to this and to all that follows
    HANG_ONE = auto()  # the same for this request alone
    SWALLOW = auto()  # like HANG, but it does not reach the engine
    DROP = auto()  # the connection is closed
    HALF = auto()  # half of the answer's first bytes come, then nothing
    CUT = auto()  # half of the answer's first bytes come, then the connection is closed


Decide = Callable[[int, str], Verdict]


def at_request(number: int, verdict: Verdict) -> Decide:
    """This verdict for one request, by its number; all others pass."""
    return lambda count, line: verdict if count == number else Verdict.PASS


class EngineProxy:
    def __init__(
        self, path: Path, engine_url: str, decide: Decide = lambda number, line: Verdict.PASS
    ) -> None:
        self.url = f"unix://{path}"
        self.seen: list[str] = []
        """The request lines."""
        self.struck = threading.Event()
        """Set once a verdict other than PASS was returned."""
        self._decide = decide
        self._target = urlsplit(engine_url).path
        self._frozen = threading.Event()
        self._closed = threading.Event()
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        self._listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            for item in (self._listener, *self._connections):
                with suppress(OSError):
                    item.shutdown(socket.SHUT_RDWR)
                item.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._target)
                with self._lock:
                    self._connections += [client, engine]
                _Connection(self, client, engine).start()

    def judge(self, line: str) -> Verdict:
        """What becomes of the next request."""
        with self._lock:
            self.seen.append(line)
            number = len(self.seen)
        verdict = self._decide(number, line)
        if verdict in (Verdict.HANG, Verdict.SWALLOW, Verdict.HALF):
            self._frozen.set()
        if verdict is not Verdict.PASS:
            self.struck.set()
        return verdict

    def wait_if_frozen(self) -> None:
        """Returns only while the engine answers."""
        if self._frozen.is_set():
            self.wait_until_closed()

    def wait_until_closed(self) -> None:
        self._closed.wait()


class _Connection:
    def __init__(self, proxy: EngineProxy, client: socket.socket, engine: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._engine = engine
        self._verdict = Verdict.PASS
        self._received = b""

    def start(self) -> None:
        for work in (self._pass_requests, self._pass_answers):
            threading.Thread(target=self._until_closed, args=(work,), daemon=True).start()

    def _until_closed(self, work: Callable[[], None]) -> None:
        with suppress(OSError, EOFError):
            work()

    def _pass_requests(self) -> None:
        while True:
            head = self._read_until(b"\r\n\r\n")
            self._proxy.wait_if_frozen()
            self._verdict = self._proxy.judge(head.split(b"\r\n", 1)[0].decode("latin-1"))
            if self._verdict is Verdict.DROP:
                self._end()
                return
            if self._verdict is Verdict.SWALLOW:
                self._proxy.wait_if_frozen()
            self._engine.sendall(head)
            self._pass_body(head)

    def _pass_body(self, head: bytes) -> None:
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length:
            self._pass_bytes(int(length[1]))
        elif re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
            self._pass_chunks()
        if re.search(rb"(?i)\r\nupgrade:|^\S+ \S+ HTTP/1\.0", head):
            self._pass_everything()

    def _pass_chunks(self) -> None:
        size = 1
        while size:
            line = self._read_until(b"\r\n")
            size = int(line, 16)
            self._engine.sendall(line)
            self._pass_bytes(size + 2)

    def _pass_everything(self) -> None:
        self._engine.sendall(self._received)
        while data := self._client.recv(_BLOCK):
            self._engine.sendall(data)
        self._engine.shutdown(socket.SHUT_WR)
        raise EOFError

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(end)
        return head + end

    def _pass_bytes(self, size: int) -> None:
        while size:
            if not self._received:
                self._receive()
            part, self._received = self._received[:size], self._received[size:]
            self._engine.sendall(part)
            size -= len(part)

    def _receive(self) -> None:
        data = self._client.recv(_BLOCK)
        if not data:
            self._engine.shutdown(socket.SHUT_WR)
            raise EOFError
        self._received += data

    def _pass_answers(self) -> None:
        while data := self._engine.recv(_BLOCK):
            if self._verdict in (Verdict.HALF, Verdict.CUT):
                self._client.sendall(data[: len(data) // 2])
                if self._verdict is Verdict.CUT:
                    self._end()
                    return
            self._proxy.wait_if_frozen()
            if self._verdict is Verdict.HANG_ONE:
                self._proxy.wait_until_closed()
            self._client.sendall(data)
        self._client.shutdown(socket.SHUT_WR)

    def _end(self) -> None:
        for item in (self._client, self._engine):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
