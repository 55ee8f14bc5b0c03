"""Reads what to sync from the host, at the last moment.

Links are copied as links and never followed. A path that no longer exists becomes a deletion; one that cannot
be read is reported and left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from invoke_devstack.planning.watching.actions import PathPair, relative

_SMALL = 8 * 1024 * 1024  # bytes: read at once, so that its size is what was read


@dataclass(frozen=True, slots=True)
class UploadItem:
    """A file, directory or link for the container. `mode` as in chmod, `mtime` in seconds."""

    path: str
    kind: str  # file, directory, link
    mode: int
    mtime: float
    host: str
    content: bytes | None = None  # None for a large file, which is read while it is sent
    size: int = 0
    link: str = ""
    as_root: bool = False  # owned by root, not by the container's user

    def open(self) -> BinaryIO:
        """The file's content."""
        return BytesIO(self.content) if self.content is not None else open_no_follow(self.host)


@dataclass(slots=True)
class Upload:
    """Items to create and paths to delete in a container. `unreadable` are (host path, reason)."""

    items: list[UploadItem] = field(default_factory=list)
    deletions: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items or self.deletions)

    def replaces(self, path: str) -> bool:
        """Whether it deletes `path`, or creates it or something in it."""
        return path in self.deletions or any(relative(item.path, path) is not None for item in self.items)


def read_upload(copies: Iterable[PathPair], deletions: Iterable[PathPair]) -> Upload:
    """Reads all copies. The deletion of a path that exists again is left out, unless it was a directory."""
    upload = Upload()
    for copy in deletions:
        if copy.directory or not os.path.lexists(copy.host):
            upload.deletions.append(copy.container)
    for copy in copies:
        try:
            item = read_item(copy)
        except FileNotFoundError:
            upload.deletions.append(copy.container)
        except NotADirectoryError:
            continue  # its directory became a file, which is another change
        except OSError as error:
            upload.unreadable.append((copy.host, error.strerror or str(error)))
        else:
            if item is not None:
                upload.items.append(item)
    return upload


def read_item(copy: PathPair) -> UploadItem | None:
    """The item for a path; None for a socket, a device or a pipe. Raises OSError."""
    status = os.lstat(copy.host)
    mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns / 1e9
    if stat.S_ISLNK(status.st_mode):
        target = str(Path(copy.host).readlink())
        return UploadItem(copy.container, "link", 0o777, mtime, copy.host, link=target)
    if stat.S_ISDIR(status.st_mode):
        return UploadItem(copy.container, "directory", mode, mtime, copy.host)
    if not stat.S_ISREG(status.st_mode):
        return None
    with open_no_follow(copy.host) as file:
        status = os.fstat(file.fileno())
        mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns / 1e9
        if status.st_size > _SMALL:
            return UploadItem(copy.container, "file", mode, mtime, copy.host, size=status.st_size)
        content = file.read()
    return UploadItem(copy.container, "file", mode, mtime, copy.host, content, len(content))


def open_no_follow(path: str) -> BinaryIO:
    """Opens a file for reading. Raises OSError for a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")
