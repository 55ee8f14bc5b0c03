"""Runs `invoke` as if this machine were Windows: `python -m tests.as_windows WORD...`; or imports all
`modules`.

The libraries are those of this machine. What the package sees is Windows: `sys.platform`, no module and no
name that is missing there, nothing but sockets to wait for, and the engine behind a named pipe: in fact
the socket of DEVSTACK_TEST_PIPE. It cannot show drives and backslashes, real pipes, or a real console.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import os
import pkgutil
import select
import selectors
import signal
import socket
import ssl
import stat
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

REFUSED = """
fcntl grp inotify_simple posix_ipc pty pwd readline resource supervisor syslog termios tty
"""
SIGNALS = """
SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH pthread_kill
pthread_sigmask sigwait
"""
CALLS = """
O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK WNOHANG chown ctermid fchmod fchown fork getegid geteuid getgid
getgroups getloadavg getpgid getpgrp getuid getxattr killpg lchown listxattr mkfifo openpty pidfd_open
posix_spawn register_at_fork removexattr sched_getaffinity sendfile set_blocking setsid setxattr sysconf
tcgetpgrp ttyname uname waitid
"""
LIBRARIES = """
asyncio colorama concurrent.futures ctypes docker getpass google.protobuf http.server invoke.main
logging.handlers mcp multiprocessing opentelemetry.proto.trace.v1.trace_pb2 platform psutil pytest requests
rich.console rich.live sqlite3 starlette.applications starlette.responses starlette.routing subprocess
tempfile uuid uvicorn watchfiles webbrowser xmlrpc.client yaml
"""
ALLOWED = frozenset(
    f"invoke_devstack.{name}"
    for name in (
        *(f"engine.processes.{part}" for part in ("keeper", "locking", "process", "recorder", "supervisor")),
        "running.watch.changes.inotify_source",
    )
)
"""What only POSIX, or only Linux, imports: behind the one question of the system that its user asks."""


class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname.partition(".")[0] in REFUSED.split():
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


class Pipe:
    """`docker.transport.NpipeSocket`, on the socket of the engine of this machine."""

    def connect(self, path: str) -> None:
        assert path == "//./pipe/docker_engine", path
        self._far = socket.socket(AF_UNIX, socket.SOCK_STREAM)
        self._far.connect(os.environ["DEVSTACK_TEST_PIPE"])

    def recv_into(self, block: bytearray) -> int:
        return self._far.recv_into(block)

    def sendall(self, data: bytes) -> None:
        self._far.sendall(data)

    def send(self, data: bytes) -> int:
        if not data:
            self._far.shutdown(socket.SHUT_WR)
        return self._far.send(data) if data else 0

    def close(self) -> None:
        self._far.shutdown(socket.SHUT_RDWR)
        self._far.close()


AF_UNIX = socket.AF_UNIX
_select = select.select


def select_sockets(r: Any, w: Any, x: Any, timeout: float | None = None) -> Any:
    """`select`, which takes nothing but sockets."""
    for item in (*r, *w):
        number = item if isinstance(item, int) else item.fileno()
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(10038, "An operation was attempted on something that is not a socket")
    return _select(r, w, x, timeout)


def become_windows() -> None:
    for name in LIBRARIES.split():
        importlib.import_module(name)
    import docker.transport

    for name in [name for name in sys.modules if name.partition(".")[0] in REFUSED.split()]:
        del sys.modules[name]
    sys.meta_path.insert(0, Refuse())
    ssl.enum_certificates = lambda store: []  # type: ignore[attr-defined]
    socket.socketpair = functools.partial(socket.socketpair, AF_UNIX)
    setattr(docker.transport, "NpipeSocket", Pipe)  # noqa: B010 - which has only what is used of it
    remove(socket, "AF_UNIX")
    remove(signal, SIGNALS)
    remove(os, CALLS)
    remove(select, "poll epoll")
    remove(selectors, "PollSelector")
    selectors.SelectSelector._select = staticmethod(select_sockets)  # type: ignore[attr-defined]
    select.select = select_sockets
    sys.platform = "win32"


def remove(module: ModuleType, names: str) -> None:
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)


def unimportable() -> list[str]:
    """The modules of the package that cannot be imported, although they should be."""
    import invoke_devstack

    failed = []
    for module in pkgutil.walk_packages(invoke_devstack.__path__, "invoke_devstack."):
        try:
            importlib.import_module(module.name)
        except Exception as error:
            failed.append(f"{module.name}: {error!r}")
    return [line for line in failed if line.partition(":")[0] not in ALLOWED]


def main(words: Sequence[str]) -> None:
    become_windows()
    if words == ["modules"]:
        sys.stdout.write("".join(f"{line}\n" for line in unimportable()))
        return
    from invoke.main import program

    program.run(["invoke", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
