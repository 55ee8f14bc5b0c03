"""A proxy on the engine's socket that kills its client just before or after a chosen request that changes
something. So a test can stop a command in each of its states."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CHANGE = re.compile(rb"(POST|DELETE) (?:/v[\d.]+)?(/\S*) HTTP/1")


@dataclass
class KillingProxy:
    """Kills `client` at the `at`-th change (from 1): before the engine gets the request, or after it has
    answered. `seen` are the changes so far, without those of the project's lock."""

    socket_path: Path
    upstream: str
    at: int
    before: bool = False
    client: subprocess.Popen[str] | None = None
    seen: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(connection,), daemon=True).start()

    def _pass_on(self, connection: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(self.upstream)
        kill = threading.Event()
        threading.Thread(target=self._answer, args=(engine, connection, kill), daemon=True).start()
        with contextlib.suppress(OSError):
            while block := connection.recv(1 << 16):
                if self._is_chosen(block):
                    if self.before:
                        self._kill()
                        break
                    kill.set()
                engine.sendall(block)
        with contextlib.suppress(OSError):
            engine.shutdown(socket.SHUT_WR)

    def _answer(self, engine: socket.socket, connection: socket.socket, kill: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while block := engine.recv(1 << 16):
                if kill.is_set():
                    self._kill()
                connection.sendall(block)
        for end in (engine, connection):
            with contextlib.suppress(OSError):
                end.close()

    def _is_chosen(self, block: bytes) -> bool:
        found = _CHANGE.match(block)
        if found is None or b"devstack-lock" in block:
            return False
        with self._lock:
            self.seen.append(f"{found[1].decode()} {found[2].decode()}")
            return len(self.seen) == self.at

    def _kill(self) -> None:
        if self.client is not None:
            self.client.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def killing_proxy(folder: Path, *, at: int, before: bool = False) -> Iterator[KillingProxy]:
    """Listens on `folder/proxy.sock` until the end of the block."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    path = folder / "proxy.sock"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    proxy = KillingProxy(path, host.removeprefix("unix://"), at, before)
    threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
    try:
        yield proxy
    finally:
        listener.close()
