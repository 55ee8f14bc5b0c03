"""Asking a server whether it is ready: by its healthcheck, or over its port in its own protocol. Each
question is one command or connection and takes no longer than its timeout (seconds)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError, NotFoundError
from invoke_devstack.planning.plan import Probe
from invoke_devstack.records import record
from invoke_devstack.running.endpoints import Endpoint

_HOLD = 0.04  # seconds that a connection must live: a proxy drops it within 1 ms if nothing listens
_NOT_YET = (502, 503, 504)  # what a gateway says while what is behind it starts


@record
class Answer:
    """`text` is what the server said, or why it said nothing."""

    ready: bool
    text: str = ""


def run_healthcheck(engine: Engine, container: str, probe: Probe) -> Answer:
    """Runs the healthcheck's command inside, as the engine would. No text where the container has ended
    or starts again: an event, or a look at it, says more."""
    kind, *words = probe.command
    command = words if kind == "CMD" else ["/bin/sh", "-c", *words]
    try:
        result = engine.exec(container, command, timeout=probe.timeout)
    except TimeoutError:
        return Answer(False, f"did not end within {probe.timeout:g} s")
    except (ConflictError, NotFoundError):
        return Answer(False)
    said = result.output.decode("utf-8", "replace").strip()
    return Answer(result.exit_code == 0, said or f"exit code {result.exit_code}")


def ask(kind: str, endpoint: Endpoint, *, path: str = "/", timeout: float = 1.0) -> Answer:
    """Asks once. `kind`: http, redis, mysql, postgres, or port (accepts a connection and holds it)."""
    host, port = endpoint.host, endpoint.port
    talk = _TALKS.get(kind, _hold)
    if kind == "port" and not endpoint.proxied:
        talk = _accepted
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            return talk(connection, host, path)
    except TimeoutError:
        return Answer(False, f"{host}:{port} did not answer within {timeout:g} s")
    except OSError as error:
        return Answer(False, f"{host}:{port}: {(error.strerror or str(error)).lower()}")


def _accepted(connection: socket.socket, host: str, path: str) -> Answer:
    """Without a proxy between, it was the server itself that took the connection."""
    return Answer(True, "accepts connections")


def _hold(connection: socket.socket, host: str, path: str) -> Answer:
    connection.settimeout(_HOLD)
    with suppress(TimeoutError):
        if not connection.recv(1):
            return Answer(False, "the connection was closed at once")
    return Answer(True, "accepts connections")


def _http(connection: socket.socket, host: str, path: str) -> Answer:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    connection.sendall(request.encode("ascii", "replace"))
    first = _receive(connection, 12).split(b" ")
    if not first[0].startswith(b"HTTP/") or len(first) < 2 or not first[1].isdigit():
        return Answer(False, "no HTTP answer")
    status = int(first[1])
    return Answer(status not in _NOT_YET, f"HTTP {status}")


def _redis(connection: socket.socket, host: str, path: str) -> Answer:
    connection.sendall(b"PING\r\n")
    said = connection.recv(256).decode("utf-8", "replace").strip()
    # A server that asks for a password is up; one that loads its data set is not.
    return Answer(said.startswith(("+PONG", "-NOAUTH", "-NOPERM")), said or "no answer")


def _mysql(connection: socket.socket, host: str, path: str) -> Answer:
    head = _receive(connection, 5)
    if len(head) < 5:
        return Answer(False, "no greeting")
    # Protocol::HandshakeV10 starts with 10; an ERR packet (255), such as "host not allowed", is sent
    # by a server that is up just the same.
    return Answer(head[4] in (9, 10, 255), f"greeting {head[4]}")


def _postgres(connection: socket.socket, host: str, path: str) -> Answer:
    body = struct.pack("!I", 196608) + b"user\0postgres\0database\0postgres\0\0"
    connection.sendall(struct.pack("!I", len(body) + 4) + body)
    said = connection.recv(1024)
    if said[:1] == b"E" and b"C57P03" in said:  # cannot_connect_now: it starts or recovers
        return Answer(False, "the database system is starting up")
    return Answer(said[:1] in (b"R", b"E"), "answers" if said else "no answer")


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


_TALKS: dict[str, Callable[[socket.socket, str, str], Answer]] = {
    "http": _http,
    "redis": _redis,
    "mysql": _mysql,
    "postgres": _postgres,
    "port": _hold,
}
