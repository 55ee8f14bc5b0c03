"""A socket in front of the engine that counts requests, and that can be far away.

`FarEngine(path, engine, delay)` listens at `path` until `close`. Each byte arrives half of `delay` (seconds)
after it was sent, in both directions: a question and its answer take `delay` longer. It delays and does not
slow: any number of bytes are on their way at once, as on a real line.
"""

from __future__ import annotations

import os
import queue
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

_BLOCK = 1 << 16
_REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE) \S+ HTTP/1\.[01]\r\n")
_Parcel = tuple[float, bytes]


def engine_socket() -> str:
    """The path of the engine's socket, by DOCKER_HOST or the usual one."""
    return urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")).path


class FarEngine:
    """What stands between a command and the engine. `requests` are the first lines of all that came."""

    def __init__(self, path: Path, engine: str, delay: float = 0.0) -> None:
        self.url = f"unix://{path}"
        self.requests: list[str] = []
        self._engine = engine
        self._one_way = delay / 2
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> FarEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for item in (self._listener, *self._open):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
            item.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._engine)
                self._open += [client, engine]
                self._carry(client, engine, counted=True)
                self._carry(engine, client, counted=False)

    def _carry(self, source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        way: queue.SimpleQueue[_Parcel] = queue.SimpleQueue()
        for work in (
            lambda: self._take(source, way, counted=counted),
            lambda: self._bring(way, target),
        ):
            threading.Thread(target=work, daemon=True).start()

    def _take(self, source: socket.socket, way: queue.SimpleQueue[_Parcel], *, counted: bool) -> None:
        data = b"?"
        while data:
            try:
                data = source.recv(_BLOCK)
            except OSError:
                data = b""
            # Both tools write the head of a request at once, after the answer to the one before it.
            if counted and _REQUEST.match(data):
                self.requests.append(data.split(b"\r\n", 1)[0].decode("latin-1"))
            way.put((time.monotonic() + self._one_way, data))

    def _bring(self, way: queue.SimpleQueue[_Parcel], target: socket.socket) -> None:
        with suppress(OSError):
            while True:
                due, data = way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
