"""Small servers that say a fixed thing: what a probe meets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from invoke_devstack.running.ports.addresses import Address


@contextmanager
def server(
    reply: bytes, *, first: bool = False, hold: bool = True, proxied: bool = False
) -> Iterator[Address]:
    """Sends `reply` after what the client says, or before it (`first`), and holds the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                if not first and reply:
                    connection.recv(4096)
                connection.sendall(reply)
                if hold:
                    held.append(connection)
                else:
                    connection.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield Address("127.0.0.1", listener.getsockname()[1], proxied)
    finally:
        listener.close()
        for connection in held:
            connection.close()
