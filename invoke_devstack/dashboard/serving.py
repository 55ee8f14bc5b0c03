"""Serves the dashboard: address, token, start and end of the web server."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from invoke_devstack.acting.host import Host
from invoke_devstack.dashboard.access import Access, Keys
from invoke_devstack.dashboard.answers import to_text
from invoke_devstack.dashboard.board import Board
from invoke_devstack.dashboard.connections import BoundedProtocol, allow_many_connections
from invoke_devstack.dashboard.routes import application
from invoke_devstack.errors import DevstackError
from invoke_devstack.settings import state_folder

_HOST = "127.0.0.1"
_FIRST_PORT, _PORTS = 21000, 9000  # below those that systems hand out themselves
_START = 10.0  # seconds
_END = 2.0
_LONGEST_HEAD = 16 * 1024  # bytes of a request's headers


class Dashboard:
    """A served dashboard, from `start` to `stop`."""

    def __init__(
        self,
        host: Host,
        *,
        port: int | None = None,
        read_only: bool = False,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`port`: this one, or an error; by default, the project's own, or a free one. `on_stop` breaks off
        what the host still asks an engine."""
        self._on_stop = on_stop
        self._socket = _listen(host.project, port)
        number = self._socket.getsockname()[1]
        own = number == own_port(host.project)
        cookie = f"devstack-{host.project}" + ("" if own else f"-{number}")
        self._keys = Keys(secrets.token_urlsafe(32), cookie, number)
        self.board = Board(host, read_only=read_only)
        self._file = _file_of(cookie)
        app = Access(application(self.board), self._keys, read_only=read_only)
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._serve, name="dashboard", daemon=True)
        self.ended = threading.Event()
        """Set when it no longer serves, for whatever reason."""

    @property
    def url(self) -> str:
        """Opens it, once a browser has been there."""
        return f"http://{_HOST}:{self._keys.port}/"

    @property
    def link(self) -> str:
        """Opens it, with the token."""
        return f"{self.url}?token={self._keys.token}"

    def start(self) -> None:
        """Returns when it answers."""
        allow_many_connections()
        self._write_file()
        self.board.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends all streams and actions, and removes the token's file."""
        self.board.stop()
        self._on_stop()
        self._server.should_exit = True
        self._thread.join(_END)
        self._file.unlink(missing_ok=True)

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve([self._socket]))
        finally:
            self.ended.set()

    def _write_file(self) -> None:
        """Only this user may read it, from the first moment on."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(to_text({"url": self.url, "token": self._keys.token, "pid": os.getpid()}) + "\n")


def own_port(project: str) -> int:
    """The port of a project: always the same one."""
    number = int.from_bytes(hashlib.sha256(project.encode()).digest()[:4], "big")
    return _FIRST_PORT + number % _PORTS


def _listen(project: str, port: int | None) -> socket.socket:
    if port is not None:
        try:
            return _bound(port)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise DevstackError(
                f"the dashboard cannot use port {port}: {why.lower()}",
                hint="Leave out `--port` for a free one.",
            ) from None
    with suppress(OSError):
        return _bound(own_port(project))
    return _bound(0)


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    try:
        if sys.platform != "win32":  # elsewhere it would share a port that is in use
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_HOST, port))
        listening.listen(2048)
    except BaseException:
        listening.close()
        raise
    return listening


def _config(app: Access) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )


def _file_of(cookie: str) -> Path:
    return state_folder() / "dashboards" / f"{cookie.removeprefix('devstack-')}.json"
