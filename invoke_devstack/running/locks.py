"""One command at a time may change a project: a lock file, which the system releases when we die.

Beside the lock stands who holds it (pid, command, since when), so that the one who waits can say so.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import Notice
from invoke_devstack.running.session import Session

_TURN = 0.1  # seconds between two tries


@contextmanager
def project_lock(session: Session, *, timeout: float | None = None) -> Iterator[None]:
    """While entered, no other command of this user changes the project on this engine.

    Waits for it (`timeout` seconds, None for ever) and says who has it. Raises DevstackError when the
    time is over, Interrupted at once when a signal comes.
    """
    from filelock import FileLock, Timeout

    path = _lock_path(session.project, session.engine.endpoint)
    lock = FileLock(path, timeout=0, mode=0o600)
    until = None if timeout is None else time.monotonic() + timeout
    told = False
    while True:
        with suppress(Timeout):
            lock.acquire()
            break
        told = told or _tell(session, path)
        if until is not None and time.monotonic() > until:
            raise DevstackError(
                f"project {session.project} is held by {_holder(path)}",
                hint="Wait until it has ended, or end it.",
            )
        session.interrupt.pause(_TURN)
    try:
        _write_holder(path)
        yield
    finally:
        lock.release()


def _lock_path(project: str, endpoint: Endpoint) -> Path:
    """In a folder of the user's own. Two engines at different addresses have different locks."""
    mark = hashlib.sha256(f"{_address(endpoint)}\0{project}".encode()).hexdigest()[:16]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    folder = Path(base) / f"invoke-devstack-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
        raise DevstackError(
            f"{folder} belongs to somebody else", hint="It is made for you alone: ask for it to be removed."
        )
    return folder / f"{project}-{mark}.lock"


def _address(endpoint: Endpoint) -> str:
    """A socket has one, whichever link leads to it: /var/run is mostly a link to /run."""
    return str(endpoint.socket_path.resolve()) if endpoint.scheme == "unix" else endpoint.url


def _write_holder(lock: Path) -> None:
    about = {"pid": os.getpid(), "command": _own_command(), "since": time.time()}
    file = lock.with_suffix(".json")
    file.touch(mode=0o600)
    file.write_text(json.dumps(about), encoding="utf-8")


def _own_command() -> str:
    """Program and task, without the arguments: they may hold a secret."""
    return " ".join((Path(sys.argv[0]).name, *sys.argv[1:2]))


def _holder(lock: Path) -> str:
    try:
        about = json.loads(lock.with_suffix(".json").read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(about["since"]).strftime("%H:%M:%S")
        return f"`{about['command']}` (pid {about['pid']}, since {since})"
    except (OSError, ValueError, KeyError):
        return "another command"


def _tell(session: Session, lock: Path) -> bool:
    session.emit(
        Notice(
            text=f"Waiting for {_holder(lock)}, which is changing project {session.project}.", level="warning"
        )
    )
    return True
