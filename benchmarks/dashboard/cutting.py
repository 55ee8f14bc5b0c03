"""A socket between the dashboard and the engine, which can be cut off as if the engine had stopped."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_ENGINE = "/var/run/docker.sock"


class Cutting:
    """Passes everything on until `off`, and again from `on`."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix://{path}"
        self._path = path
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None

    def on(self) -> None:
        self._path.unlink(missing_ok=True)
        listening = self._listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._path))
        listening.listen(64)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def off(self) -> None:
        """Nobody gets in, and all connections end."""
        assert self._listening is not None
        self._path.unlink(missing_ok=True)
        _end(self._listening)
        with self._lock:
            ended, self._open = self._open, set()
        for connection in ended:
            _end(connection)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or _ENGINE)
                with self._lock:
                    self._open |= {client, engine}
                for source, target in ((client, engine), (engine, client)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def cutting() -> Iterator[Cutting]:
    """The engine of this environment behind a socket."""
    with TemporaryDirectory(prefix="cut-") as folder:
        made = Cutting(Path(folder) / "docker.sock")
        made.on()
        try:
            yield made
        finally:
            made.off()
