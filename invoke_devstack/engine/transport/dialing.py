"""Opens connections to an engine: unix socket, TCP, TLS, ssh, Windows pipe. Requests and raw streams both use
them."""

from __future__ import annotations

import selectors
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO
from urllib.parse import urlsplit

from invoke_devstack.engine.endpoints import Endpoint, TlsFiles
from invoke_devstack.errors import EngineUnavailableError

Dial = Callable[[float | None], socket.socket]
"""Opens a connected socket, within a number of seconds. Raises OSError or EngineUnavailableError."""

TLS_PORT = 2376
PLAIN_PORT = 2375


def dialer(endpoint: Endpoint) -> Dial:
    """How to reach `endpoint`. Raises EngineUnavailableError for an unknown scheme."""
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
        return partial(_dial_pipe, endpoint.url.removeprefix("npipe://"))
    raise EngineUnavailableError(
        f"invalid engine address `{endpoint.url}`",
        hint="It must start with unix://, tcp:// or ssh://.",
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
            hint="Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH, or in the Docker context.",
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
    from invoke_devstack.engine.transport.named_pipe import dial_pipe

    return dial_pipe(path, timeout)


class SshSocket(socket.socket):
    """A connection through `docker system dial-stdio` on the other host, like the docker command's.

    ssh has one end of a socket pair as its input and output, so that this end is an ordinary socket,
    half-close included."""

    _process: subprocess.Popen[bytes]
    _complaints: IO[bytes]
    _closing: threading.Lock

    @classmethod
    def open(cls, url: str, timeout: float | None) -> SshSocket:
        if sys.platform == "win32":  # where a socket cannot be the input of a program
            host = shlex.join(ssh_target(url))
            raise EngineUnavailableError(
                f"the engine at {url} cannot be reached through ssh on Windows",
                hint=f"Open a tunnel: ssh -N -L 2375:/var/run/docker.sock {host}, and set "
                "DOCKER_HOST=tcp://localhost:2375",
                reason="unreachable",
            )
        ours, theirs = socket.socketpair()
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket
        try:
            process = subprocess.Popen(
                _ssh_command(url, timeout),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=complaints,
                start_new_session=sys.platform != "win32",  # so that Ctrl-C does not reach it
            )
        except FileNotFoundError as error:
            raise EngineUnavailableError(
                f"the engine at {url} needs `ssh`, which is not installed",
                hint="Install it: sudo apt-get install openssh-client",
                reason="unreachable",
            ) from error
        finally:
            theirs.close()
        connection = cls(fileno=ours.detach())
        connection.settimeout(timeout)
        connection._process, connection._complaints = process, complaints
        connection._closing = threading.Lock()
        return connection

    def complaint(self) -> str:
        """ssh's error output; empty while it runs."""
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return ""
        self._complaints.seek(0)
        return self._complaints.read().decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Both the thread that reads and the one that wants it to end close it: a file that two threads close
        at once raises ValueError."""
        super().close()
        with self._closing:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
                self._process.wait()
            self._complaints.close()


def _ssh_command(url: str, timeout: float | None) -> list[str]:
    patience = ["-o", f"ConnectTimeout={max(1, round(timeout or 30))}"]
    return ["ssh", *patience, "-T", *ssh_target(url), "docker", "system", "dial-stdio"]


def ssh_target(url: str) -> list[str]:
    """The arguments of ssh that name the host of an address. Raises EngineUnavailableError."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise EngineUnavailableError(
            f"the address `{url}` has no host", hint="Write it as ssh://user@host.", reason="unreachable"
        )
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    return [*user, *port, "--", parts.hostname]


_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def readable(descriptors: Iterable[int], timeout: float | None = None) -> set[int]:
    """Those that can be read, as soon as one can; none after `timeout` seconds."""
    return _wait(descriptors, selectors.EVENT_READ, timeout)


def wait_writable(descriptor: int) -> None:
    """Returns once it takes data."""
    _wait((descriptor,), selectors.EVENT_WRITE, None)


def _wait(descriptors: Iterable[int], event: int, timeout: float | None) -> set[int]:
    with _Selector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, event)
        return {key.fd for key, _ in selector.select(timeout)}
