"""What ssh does on the host of a remote engine, besides talking to it: looks for paths, forwards ports. It
keeps the forwards itself, in one background process that its control socket finds again."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.transport.dialing import ssh_target
from invoke_devstack.errors import EngineUnavailableError

if TYPE_CHECKING:
    from invoke_devstack.engine.endpoints import Endpoint

_PATIENCE = 20.0  # seconds for a command on the host, its connection included
_ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3")
_LIST_MISSING = 'n=0; for p; do [ -e "$p" ] || echo $n; n=$((n+1)); done'
_FORWARD = re.compile(r"127\.0\.0\.1:(\d+):(.+):(\d+)")


@cache
def address_of(endpoint: Endpoint) -> str:
    """The host's name or address for other programs than ssh, whose configuration may have its own names."""
    if endpoint.scheme != "ssh":
        return endpoint.host
    answer = _run(["ssh", "-G", *ssh_target(endpoint.url)])
    found = re.search(r"^hostname (\S+)$", answer.stdout, re.MULTILINE) if answer else None
    return found[1] if found else endpoint.host


def missing_paths(endpoint: Endpoint, paths: Sequence[str]) -> frozenset[str] | None:
    """Those of the paths that the host does not have; None if it cannot be asked."""
    if endpoint.scheme != "ssh" or not paths:
        return None if paths else frozenset()
    command = shlex.join(["sh", "-c", _LIST_MISSING, "sh", *paths])
    answer = _run(["ssh", "-T", *ssh_target(endpoint.url), command])
    if answer is None or answer.returncode:
        return None
    return frozenset(paths[int(number)] for number in answer.stdout.split() if number.isdecimal())


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


Forwards = Mapping[tuple[str, int], int]
"""(address, port) on the host -> port on 127.0.0.1 of this machine."""


class Tunnel:
    """The forwards of one project to one host. A background `ssh -M` holds them, and survives the command
    that started it."""

    def __init__(self, endpoint: Endpoint, project: str) -> None:
        self._endpoint = endpoint
        name = hashlib.sha256(f"{endpoint.url}\n{project}".encode()).hexdigest()[:16]
        self._socket = _runtime_folder() / name

    def forwards(self) -> Forwards:
        """What it forwards now; empty if it is not open."""
        if not self._socket.exists():
            return {}
        answer = self._control("check")
        found = re.search(r"pid=(\d+)", answer.stderr) if answer and not answer.returncode else None
        return _forwards_of(int(found[1])) if found else {}

    def open(self, forwards: Forwards) -> None:
        """Forwards these ports instead of those before. Raises EngineUnavailableError."""
        self.close()
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(self._socket.parent)
        wanted = [
            word
            for (address, port), local in forwards.items()
            for word in ("-L", f"127.0.0.1:{local}:{address}:{port}")
        ]
        options = ("-o", "ExitOnForwardFailure=yes", *_ALIVE, "-S", str(self._socket))
        answer = _start(
            [*["ssh", "-M", "-f", "-N", "-T"], *options, *wanted, *ssh_target(self._endpoint.url)]
        )
        if answer:
            raise EngineUnavailableError(
                f"no tunnel to {self._endpoint.url}", details=answer.splitlines()[-3:], reason="unreachable"
            )

    def close(self) -> bool:
        """Ends it; returns whether it was open."""
        if not self._socket.exists():
            return False
        answer = self._control("exit")
        self._socket.unlink(missing_ok=True)
        return answer is not None and not answer.returncode

    def _control(self, command: str) -> subprocess.CompletedProcess[str] | None:
        return _run(["ssh", "-S", str(self._socket), "-O", command, *ssh_target(self._endpoint.url)])


def _start(command: Sequence[str]) -> str:
    """Starts ssh, which goes to the background once it forwards; returns what it said if it failed. Its
    output goes to a file: the process in the background would keep a pipe open."""
    with tempfile.TemporaryFile() as said:
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=_PATIENCE,
                check=False,
                start_new_session=sys.platform != "win32",  # so that Ctrl-C does not reach it
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        said.seek(0)
        return said.read().decode("utf-8", "replace").strip() or f"exit code {code}" if code else ""


def _forwards_of(pid: int) -> Forwards:
    """The forwards in the arguments of a process."""
    import psutil

    try:
        arguments = psutil.Process(pid).cmdline()
    except psutil.Error:
        return {}
    matches = (_FORWARD.fullmatch(value) for flag, value in pairwise(arguments) if flag == "-L")
    return {(match[2], int(match[3])): int(match[1]) for match in matches if match}


def _runtime_folder() -> Path:
    """Where this user's control sockets are: paths of sockets must be short."""
    own = os.environ.get("XDG_RUNTIME_DIR")
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(own) / "devstack" if own else Path(tempfile.gettempdir()) / f"devstack-{user}"


def _check_private(folder: Path) -> None:
    """Raises EngineUnavailableError for a folder in which another user could put a socket."""
    state = folder.stat()
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o022):
        raise EngineUnavailableError(
            f"no tunnel: other users can write to {folder}",
            hint=f"Remove it: rm -r {folder}",
            reason="unreachable",
        )
