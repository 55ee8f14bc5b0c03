"""Serves the receiver where the stack's containers reach it, from the moment when traces are first wanted."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from invoke_devstack.errors import DevstackError
from invoke_devstack.running.hosting.gateway import Gateway, find_gateway
from invoke_devstack.traces.keeping.writer import NO_TROUBLE, Trouble
from invoke_devstack.traces.places import Door, read_door

if TYPE_CHECKING:
    from invoke_devstack.dashboard.traces.receiver import Receiver
    from invoke_devstack.running.session import Session

_LOOK = 0.5  # seconds between two looks whether traces are wanted
_RETRY = 2.0
_END = 2.0
_LONGEST_HEAD = 16 * 1024  # bytes of a request's headers


class Listening:
    """From `start` to `stop`. `make` makes the receiver once it is needed."""

    def __init__(
        self, project: str, session: Callable[[], Session], make: Callable[[Door], Receiver]
    ) -> None:
        self._project = project
        self._session = session
        self._make = make
        self._stopped = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, name="traces-receiver", daemon=True)
        self.trouble = NO_TROUBLE
        self.endpoint = ""
        """Where it listens for containers; empty if it does not."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the requests that wait."""
        self._stopped.set()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_END)

    def _run(self) -> None:
        while not self._stopped.is_set():
            door = read_door(self._project)
            if door is None:
                self._stopped.wait(_LOOK)
                continue
            try:
                self._serve(door)
            except DevstackError as error:
                self.trouble = Trouble(error.message, error.hint)
            except OSError as error:
                self.trouble = _trouble(door, error)
            self.endpoint = ""
            self._stopped.wait(_RETRY)

    def _serve(self, door: Door) -> None:
        gateway = find_gateway(self._session().engine)
        sockets = _sockets(gateway, door.port)
        self._server = uvicorn.Server(_config(self._make(door)))
        self._server.should_exit = self._stopped.is_set()
        self.trouble = NO_TROUBLE
        self.endpoint = f"http://{gateway.host or '127.0.0.1'}:{door.port}"
        try:
            asyncio.run(self._server.serve(sockets))
        finally:
            for item in sockets:
                item.close()


def _sockets(gateway: Gateway, port: int) -> list[socket.socket]:
    """One for each address. Raises OSError if one of them cannot be had."""
    opened: list[socket.socket] = []
    try:
        for address in gateway.binds:
            listening = socket.socket()
            opened.append(listening)
            if sys.platform != "win32":  # elsewhere it would share a port that is in use
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port))
            listening.listen(256)
    except BaseException:
        for item in opened:
            item.close()
        raise
    return opened


def _trouble(door: Door, error: OSError) -> Trouble:
    if error.errno == errno.EADDRINUSE:
        return Trouble(
            f"traces cannot be received: port {door.port} is in use",
            "Another dashboard of this stack receives them. If there is none, see who uses it: "
            f"`ss -ltnp sport = :{door.port}`.",
        )
    return Trouble(f"traces cannot be received at port {door.port}: {error.strerror or error}")


def _config(app: Receiver) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        limit_concurrency=512,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
