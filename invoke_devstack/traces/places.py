"""Where the traces of a project are kept, and the key and port under which they are taken.

Both stay the same for as long as the file is there: containers hold them in their variables, and a second
`up --trace` shall recreate nothing. The folder is this user's alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import stat
from contextlib import suppress
from pathlib import Path

from invoke_devstack.errors import FileError
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.records import record
from invoke_devstack.settings import state_folder

KEY_HEADER = "x-devstack-key"
_FIRST_PORT, _PORTS = 12000, 9000  # below those of the dashboard
_KEY_BYTES = 24


@record
class Door:
    """What opens a project's receiver."""

    key: str
    port: int


def folder_of(project: str) -> Path:
    """The folder of a project's traces. It may not exist."""
    return state_folder() / "traces" / project


def database_of(project: str) -> Path:
    return folder_of(project) / "traces.db"


def private_folder(project: str) -> Path:
    """The folder, which exists now and which nobody else can read. Raises FileError."""
    folder = folder_of(project)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise file_error(error, "write", folder) from None
    return folder


def read_door(project: str) -> Door | None:
    """None if no `up` had traces on yet, or the file is damaged."""
    try:
        found = json.loads((folder_of(project) / "door.json").read_text("utf-8"))
        door = Door(str(found["key"]), int(found["port"]))
        return door if door.key and 0 < door.port < 65536 else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def door_of(project: str) -> Door:
    """The project's door, made when first asked for. Raises FileError."""
    folder = private_folder(project)
    if (found := read_door(project)) is not None:
        return found
    door = Door(secrets.token_hex(_KEY_BYTES), _free_port(own_port(project)))
    partial = folder / f"door.json.{os.getpid()}.partial"
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"key": door.key, "port": door.port}, file)
        partial.replace(folder / "door.json")
    except OSError as error:
        raise file_error(error, "write", folder / "door.json") from None
    return read_door(project) or _gone(folder)


def own_port(project: str) -> int:
    """The port of a project's receiver: always the same one."""
    number = int.from_bytes(hashlib.sha256(f"traces/{project}".encode()).digest()[:4], "big")
    return _FIRST_PORT + number % _PORTS


def _free_port(first: int) -> int:
    """The first one from there on that nobody uses now."""
    for port in range(first, first + 50):
        with socket.socket() as probing, suppress(OSError):
            probing.bind(("127.0.0.1", port))
            return port
    return first


def _gone(folder: Path) -> Door:
    raise FileError(f"{folder} was removed meanwhile", hint="Try again.")
