"""One thread or command at a time changes what is in the folder of a project."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from invoke_devstack.engine.processes import folders


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While entered, nobody else is, and the folder is there."""
    while True:
        descriptor = _open(folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, folder / "lock"):
                yield
                return
        finally:
            os.close(descriptor)


def _open(folder: Path) -> int:
    while True:
        folders.make_private(folder)
        with contextlib.suppress(FileNotFoundError):  # somebody has removed the folder again
            return os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether it still is that file: whoever had the lock may have removed the folder."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
