"""Opens a connection to an engine, whatever the way there: unix socket, TCP, TLS, ssh, Windows pipe.

One way for all: requests go over these sockets, and so do the raw streams.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from typing import IO, cast
from urllib.parse import urlsplit

from invoke_devstack.engine.endpoints import Endpoint, TlsFiles
from invoke_devstack.errors import EngineUnavailableError

Dial = Callable[[float | None], socket.socket]
"""Opens a connected socket within so many seconds. Raises OSError, or EngineUnavailableError."""

TLS_PORT = 2376
PLAIN_PORT = 2375


def dialer(endpoint: Endpoint) -> Dial:
    """How to reach `endpoint`. Raises EngineUnavailableError for a scheme that is not known."""
    parts = urlsplit(endpoint.url)
    if parts.scheme == "unix":
        path = str(endpoint.socket_path)
        return lambda timeout: _dial_unix(path, timeout)
    if parts.scheme in ("tcp", "http", "https"):
        tls = endpoint.tls or (TlsFiles() if parts.scheme == "https" else None)
        address = (parts.hostname or "localhost", parts.port or (TLS_PORT if tls else PLAIN_PORT))
        return _tls_dialer(address, tls) if tls else lambda timeout: _dial_tcp(address, timeout)
    if parts.scheme == "ssh":
        return lambda timeout: SshSocket.open(endpoint.url, timeout)
    if parts.scheme == "npipe":
        return lambda timeout: _dial_pipe(endpoint.url.removeprefix("npipe://"), timeout)
    raise EngineUnavailableError(
        f"`{endpoint.url}` is no address of an engine",
        hint="DOCKER_HOST starts with unix://, tcp:// or ssh://.",
        reason="unreachable",
    )


def _dial_unix(path: str, timeout: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _dial_tcp(address: tuple[str, int], timeout: float | None) -> socket.socket:
    connection = socket.create_connection(address, timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _tls_dialer(address: tuple[str, int], files: TlsFiles) -> Dial:
    try:
        context = ssl.create_default_context(cafile=files.ca or None)
        if not files.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if files.cert and files.key:
            context.load_cert_chain(files.cert, files.key)
    except OSError as error:
        raise EngineUnavailableError(
            f"the certificates for the engine at {address[0]} cannot be read: {error}",
            hint="Look at DOCKER_CERT_PATH, or at the context's TLS files: ca.pem, cert.pem and key.pem.",
            reason="tls",
        ) from error

    def dial(timeout: float | None) -> socket.socket:
        plain = _dial_tcp(address, timeout)
        try:
            return context.wrap_socket(plain, server_hostname=address[0])
        except BaseException:
            plain.close()
            raise

    return dial


def _dial_pipe(path: str, timeout: float | None) -> socket.socket:
    from docker.transport import NpipeSocket

    pipe = NpipeSocket()
    pipe.settimeout(timeout)
    pipe.connect(path)
    return cast(socket.socket, pipe)  # it has the methods of one


class SshSocket(socket.socket):
    """A connection through `docker system dial-stdio` on the other host, as the docker command makes it.

    The ssh command gets one end of a socket pair as its input and output, so that this end is a
    socket like any other, half-close included.
    """

    _process: subprocess.Popen[bytes]
    _complaints: IO[bytes]

    @classmethod
    def open(cls, url: str, timeout: float | None) -> SshSocket:
        ours, theirs = socket.socketpair()
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket
        try:
            process = subprocess.Popen(
                _ssh_command(url, timeout),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=complaints,
                start_new_session=os.name == "posix",  # the terminal's Ctrl-C is not for it
            )
        except FileNotFoundError as error:
            raise EngineUnavailableError(
                f"the engine is at {url}, and there is no `ssh` command",
                hint="Install an ssh client: sudo apt-get install openssh-client.",
                reason="unreachable",
            ) from error
        finally:
            theirs.close()
        connection = cls(fileno=ours.detach())
        connection.settimeout(timeout)
        connection._process, connection._complaints = process, complaints
        return connection

    def complaint(self) -> str:
        """What ssh said before it gave up; empty while it runs."""
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return ""
        self._complaints.seek(0)
        return self._complaints.read().decode("utf-8", "replace").strip()

    def close(self) -> None:
        super().close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
        self._complaints.close()


def _ssh_command(url: str, timeout: float | None) -> list[str]:
    parts = urlsplit(url)
    if not parts.hostname:
        raise EngineUnavailableError(
            f"`{url}` names no host", hint="Write it as ssh://user@host.", reason="unreachable"
        )
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    patience = ["-o", f"ConnectTimeout={max(1, round(timeout or 30))}"]
    return ["ssh", *patience, "-T", *user, *port, "--", parts.hostname, "docker", "system", "dial-stdio"]
