"""What is to be brought into a container, read from the host at the last moment.

Links are carried as links and never followed; a path that went away meanwhile is carried as a
deletion; one that cannot be read is named and left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from invoke_devstack.planning.watching import Copy

_SMALL = 8 * 1024 * 1024  # bytes: read at once, so that its size is what was read


@dataclass(frozen=True, slots=True)
class Item:
    """A file, directory or link as it is to be in the container. `mode` as in chmod, `mtime` in seconds."""

    path: str
    kind: str  # file, directory, link
    mode: int
    mtime: float
    host: str
    content: bytes | None = None  # None for a large file, whose content is read while it is sent
    size: int = 0
    link: str = ""
    as_root: bool = False  # it belongs to root, not to the container's user

    def open(self) -> BinaryIO:
        """Its content."""
        return BytesIO(self.content) if self.content is not None else open_itself(self.host)


@dataclass(slots=True)
class Parcel:
    """`unreadable` are (host path, reason)."""

    items: list[Item] = field(default_factory=list)
    deletions: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items or self.deletions)


def make_parcel(copies: Iterable[Copy], deletions: Iterable[Copy]) -> Parcel:
    """Reads all copies. A deletion of what is there again is left out, unless it was a directory."""
    parcel = Parcel()
    for copy in deletions:
        if copy.directory or not os.path.lexists(copy.host):
            parcel.deletions.append(copy.container)
    for copy in copies:
        try:
            item = read_item(copy)
        except FileNotFoundError:
            parcel.deletions.append(copy.container)
        except NotADirectoryError:
            continue  # its directory became a file, which has a change of its own
        except OSError as error:
            parcel.unreadable.append((copy.host, error.strerror or str(error)))
        else:
            if item is not None:
                parcel.items.append(item)
    return parcel


def read_item(copy: Copy) -> Item | None:
    """The item of a copy; None for a socket, a device or a pipe. Raises OSError."""
    status = os.lstat(copy.host)
    mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns / 1e9
    if stat.S_ISLNK(status.st_mode):
        target = str(Path(copy.host).readlink())
        return Item(copy.container, "link", 0o777, mtime, copy.host, link=target)
    if stat.S_ISDIR(status.st_mode):
        return Item(copy.container, "directory", mode, mtime, copy.host)
    if not stat.S_ISREG(status.st_mode):
        return None
    with open_itself(copy.host) as file:
        status = os.fstat(file.fileno())
        mode, mtime = stat.S_IMODE(status.st_mode), status.st_mtime_ns / 1e9
        if status.st_size > _SMALL:
            return Item(copy.container, "file", mode, mtime, copy.host, size=status.st_size)
        content = file.read()
    return Item(copy.container, "file", mode, mtime, copy.host, content, len(content))


def open_itself(path: str) -> BinaryIO:
    """Opens a file for reading, but not what a link in its place points to."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")
