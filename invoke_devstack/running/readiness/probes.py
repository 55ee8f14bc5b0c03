"""Asks a server whether it is ready: runs its healthcheck, or talks to its port in its own protocol.

Each question is one command or one connection. A new protocol is a `ProbeKind` (with its images) in
`planning/known_images.py` and a function here, in `_PROTOCOLS`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError, NotFoundError
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import Probe
from invoke_devstack.records import record
from invoke_devstack.running.ports.addresses import Address

USER_AGENT = "invoke-devstack (readiness)"
"""By which an application's log tells our questions from visits."""
_HOLD = 0.04  # seconds that a connection must live: a proxy drops it within 1 ms if nothing listens
_NOT_YET = (502, 503, 504)  # a gateway's answers while the server behind it starts


@record
class Answer:
    """`text` is what the server said, or why it said nothing. `from_server`: it is an application's error,
    not the silence of one that has not started."""

    ready: bool
    text: str = ""
    from_server: bool = False

    @property
    def hint(self) -> str:
        """What to fix if the healthcheck itself is broken, else ""."""
        if "not found" not in self.text:
            return ""
        return "The image does not have the healthcheck's command: install it, or use another one."


def run_healthcheck(engine: Engine, container: str, probe: Probe) -> Answer:
    """Runs the healthcheck's command in the container, as the engine would. No text if the container has
    ended or is restarting: its state says more."""
    form, *words = probe.command
    command = words if form == "CMD" else ["/bin/sh", "-c", *words]
    try:
        result = engine.exec(container, command, timeout=probe.timeout)
    except TimeoutError:
        return Answer(False, f"did not end within {round(probe.timeout, 1):g} s")
    except (ConflictError, NotFoundError):
        return Answer(False)
    said = result.output.decode("utf-8", "replace").strip()
    return Answer(result.exit_code == 0, said or f"exit code {result.exit_code}")


def ask(kind: ProbeKind, address: Address, *, path: str = "/", timeout: float = 1.0) -> Answer:
    """Connects once, for `timeout` seconds at most, and talks the protocol of `kind`. A healthcheck's port
    is only connected to."""
    accepted = False
    try:
        with socket.create_connection((address.host, address.port), timeout=timeout) as connection:
            accepted = True
            talk = _PROTOCOLS.get(kind, _hold if address.proxied else _accept)
            answer = talk(connection, address.host, path)
    except OSError as error:
        answer = Answer(False, _silence(address, error, timeout))
    own = answer.from_server or (accepted and not address.proxied)
    return replace(answer, from_server=kind is ProbeKind.HTTP and not answer.ready and own)


def _silence(address: Address, error: OSError, timeout: float) -> str:
    place = f"{address.host}:{address.port}"
    if isinstance(error, TimeoutError):
        return f"{place} did not answer within {timeout:g} s"
    return f"{place}: {(error.strerror or str(error)).lower()}"


def _accept(connection: socket.socket, host: str, path: str) -> Answer:
    """Without a proxy in between, the server itself accepted the connection."""
    return Answer(True, "accepts connections")


def _hold(connection: socket.socket, host: str, path: str) -> Answer:
    connection.settimeout(_HOLD)
    with suppress(TimeoutError):
        if not connection.recv(1):
            return Answer(False, "the connection was closed at once")
    return Answer(True, "accepts connections")


def _http(connection: socket.socket, host: str, path: str) -> Answer:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\nConnection: close\r\n"
        "Accept: */*\r\n\r\n"
    )
    connection.sendall(request.encode("ascii", "replace"))
    first = _receive(connection, 12).split(b" ")
    if not first[0].startswith(b"HTTP/") or len(first) < 2 or not first[1].isdigit():
        return Answer(False, "no HTTP response", from_server=first != [b""])
    status = int(first[1])
    return Answer(status not in _NOT_YET, f"HTTP {status}", from_server=True)


def _redis(connection: socket.socket, host: str, path: str) -> Answer:
    connection.sendall(b"PING\r\n")
    said = connection.recv(256).decode("utf-8", "replace").strip()
    # A server that wants a password is up; one that is loading its data set is not.
    return Answer(said.startswith(("+PONG", "-NOAUTH", "-NOPERM")), said or "no answer")


def _mysql(connection: socket.socket, host: str, path: str) -> Answer:
    head = _receive(connection, 5)
    if len(head) < 5:
        return Answer(False, "no greeting")
    # Protocol::HandshakeV10 starts with 10. A server that sends an ERR packet (255), such as "host not
    # allowed", is up as well.
    return Answer(head[4] in (9, 10, 255), f"greeting {head[4]}")


def _postgres(connection: socket.socket, host: str, path: str) -> Answer:
    body = struct.pack("!I", 196608) + b"user\0postgres\0database\0postgres\0\0"
    connection.sendall(struct.pack("!I", len(body) + 4) + body)
    said = connection.recv(1024)
    if said[:1] == b"E" and b"C57P03" in said:  # cannot_connect_now
        return Answer(False, "the database system is starting up")
    return Answer(said[:1] in (b"R", b"E"), "answers" if said else "no answer")


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


_PROTOCOLS: dict[ProbeKind, Callable[[socket.socket, str, str], Answer]] = {
    ProbeKind.HTTP: _http,
    ProbeKind.REDIS: _redis,
    ProbeKind.MYSQL: _mysql,
    ProbeKind.POSTGRES: _postgres,
}
"""Each takes the connection, the host and the path; other kinds of probes only connect."""
