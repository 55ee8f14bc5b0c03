"""Replaces files so that a full disk or a kill leaves the old content or the new one, whole.

Not a library: of those that replace files (atomicwrites, safer), none flushes to the disk and also keeps
links, mode and owner.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from invoke_devstack.errors import FileError
from invoke_devstack.local_files.failures import file_error

PRIVATE = 0o600
_SUFFIX = ".partial"
_LONGEST = 200  # bytes of a name, so that there is room for more: disks take 255


def replace_text(file: Path, text: str, *, new_mode: int = PRIVATE) -> None:
    """Gives `file` this content, as `rewritten` does."""
    with rewritten(file, new_mode) as partial:
        partial.write(text.encode())


@contextmanager
def rewritten(file: Path, new_mode: int, *, flushed: bool = True) -> Iterator[BinaryIO]:
    """New content for `file`, or for the file that it links to, in its place once the body has ended. It
    keeps its mode, owner, group and extended attributes; a new file has `new_mode`, less the umask. Raises
    FileError: then the file is as it was."""
    target = Path(os.path.realpath(file))
    before = _status_to_keep(target, file)
    remove_leftovers(target)
    with replaced(target, new_mode, flushed=flushed) as partial:
        yield partial
        if before is not None:
            _keep(before, target, partial)


def with_line_ends_of(before: str, text: str) -> str:
    """`text`, to be added to `before`: with CR and LF where that has them."""
    return text.replace("\n", "\r\n") if "\r\n" in before else text


@contextmanager
def replaced(file: Path, mode: int, *, flushed: bool = True) -> Iterator[BinaryIO]:
    """A new file beside `file`, with `mode` less the umask. It takes the place of `file` when the body has
    ended, and disappears when that fails. Unless it is `flushed` first, it may be lost with the power. Raises
    FileError."""
    partial = partial_of(file)
    try:
        with writing(file):
            partial.unlink(missing_ok=True)  # of an earlier process with the same number
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(partial, flags, mode), "wb") as opened:
                yield opened
                if flushed:
                    flush_to_disk(opened)
            partial.replace(file)
            if flushed:
                _flush_folder(file.parent)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """An OSError of the body is a FileError that says that `file` cannot be written."""
    try:
        yield
    except OSError as error:
        raise file_error(error, "write", file) from error


def flush_to_disk(opened: BinaryIO) -> None:
    """Returns when the content is on the disk."""
    opened.flush()
    os.fsync(opened.fileno())


def remove_leftovers(file: Path) -> None:
    """Removes the partial files beside `file` whose process was killed."""
    import psutil

    start = f".{file.name}."
    with suppress(OSError):
        for entry in os.scandir(file.parent):
            pid = entry.name.removeprefix(start).removesuffix(_SUFFIX)
            known = pid.isdecimal() and entry.name == partial_of(file, pid).name
            if known and not psutil.pid_exists(int(pid)):
                Path(entry.path).unlink()


def partial_of(file: Path, pid: int | str = "") -> Path:
    """Where this process, or another, puts the new file until it is whole."""
    name = os.fsdecode(os.fsencode(file.name)[:_LONGEST])
    return file.with_name(f".{name}.{pid or os.getpid()}{_SUFFIX}")


def _status_to_keep(target: Path, file: Path) -> os.stat_result | None:
    """None for a new file. Raises FileError for what cannot be replaced without losing something."""
    with writing(file):
        try:
            status = target.stat()  # follows only links that lead in a circle
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "", str(file))
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "", str(file))
    if not stat.S_ISREG(status.st_mode):
        hint = "Write to another file."
        raise FileError(f"cannot write {file}: it is not a file", hint=hint, reason="kind")
    if status.st_nlink > 1:
        hint = f"Make it a file of its own: `cp -p {file} {file}.new && mv {file}.new {file}`."
        text = f"cannot write {file}: it has a second name (a hard link), which would keep the old content"
        raise FileError(text, hint=hint, reason="owner")
    return status


def _keep(before: os.stat_result, target: Path, partial: BinaryIO) -> None:
    """Gives the new file the owner, group, mode and extended attributes of the old one."""
    if sys.platform == "win32":
        return
    now = os.fstat(partial.fileno())
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        _give_to(before, target, partial)
    os.fchmod(partial.fileno(), stat.S_IMODE(before.st_mode))  # after the owner, which clears some bits
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(partial.fileno(), name, os.getxattr(target, name))


def _give_to(before: os.stat_result, target: Path, partial: BinaryIO) -> None:
    try:
        os.fchown(partial.fileno(), before.st_uid, before.st_gid)
    except PermissionError as error:
        hint = f"Take ownership of it: `sudo chown $(id -u):$(id -g) {target}`."
        text = f"cannot write {target}: it belongs to another user or group, and writing would make it yours"
        raise FileError(text, hint=hint, reason="owner") from error


def _flush_folder(folder: Path) -> None:
    """So that the new name is on the disk too, where a folder can be flushed."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
