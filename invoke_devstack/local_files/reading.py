"""Reads a file that a person names: a file, or a pipe that a program fills (1Password's `.env`), but nothing
endless and nothing silent. What is read is small enough to be kept in memory."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from pathlib import Path

from invoke_devstack.errors import FileError
from invoke_devstack.local_files.failures import file_error

LARGEST = 8 << 20  # bytes: a thousand times what people write by hand
PATIENCE = 1.0  # seconds for a program to open the other end of a pipe
ANSWER = 10.0  # seconds for one that has opened it: it may ask its user for permission first
LONGEST = 30.0  # seconds for all that it writes
_BLOCK = 1 << 16

_pipes: dict[Path, bytes] = {}
"""A pipe gives its content once, and one command reads a file more than once."""


def read_bytes(file: Path, largest: int = LARGEST) -> bytes:
    """The content of a file or pipe. Raises FileError, also for more than `largest` bytes."""
    if file in _pipes:
        return _pipes[file]
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            return _content(descriptor, file, largest)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise file_error(error, "read", file) from error


def read_text(file: Path) -> str:
    """The text of a file in UTF-8. Raises FileError, which names the first line that is something else."""
    content = read_bytes(file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(
            f"line {line} of {file.name} is not UTF-8: byte 0x{content[error.start]:02x}",
            hint=f"Save {file.name} as UTF-8 text.",
        ) from None


def text_if_any(file: Path, largest: int = LARGEST) -> str:
    """The text of a file; "" if there is none, or it is large or no file. Never waits."""
    if not file.is_file():
        return ""
    try:
        return read_bytes(file, largest).decode("utf-8", "replace")
    except FileError:
        return ""


def _content(descriptor: int, file: Path, largest: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "", str(file))
    if status.st_size > largest:
        raise _too_large(file, largest)
    is_pipe = stat.S_ISFIFO(status.st_mode)
    waits = sys.platform != "win32" and not stat.S_ISREG(status.st_mode)
    arriving = _Arriving(descriptor, file, is_pipe) if waits else None
    content = bytearray()
    while block := arriving.next() if arriving else os.read(descriptor, _BLOCK):
        content += block
        if len(content) > largest:
            raise _too_large(file, largest)
    if is_pipe:
        _pipes[file] = bytes(content)
    return bytes(content)


class _Arriving:
    """What comes out of a pipe or device. A device has no program that may need a while."""

    def __init__(self, descriptor: int, file: Path, is_pipe: bool) -> None:
        self._descriptor = descriptor
        self._file = file
        self._is_pipe = is_pipe
        self._until = time.monotonic() + (LONGEST if is_pipe else PATIENCE)
        self._begun = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def next(self) -> bytes:
        """The next block; b"" at the end."""
        began, patience, opened = time.monotonic(), PATIENCE, self._begun
        while (left := min(began + patience, self._until) - time.monotonic()) > 0:
            events = self._poll.poll(min(left, 0.05) * 1000)
            try:
                block = os.read(self._descriptor, _BLOCK)
            except BlockingIOError:
                patience, opened = ANSWER, True
                continue
            if block or events or self._begun:
                self._begun = True
                return block
        raise self._silent(opened)

    def _silent(self, opened: bool) -> FileError:
        if not self._is_pipe:
            why = "it is a device that does not end" if self._begun else "it is a device that does not answer"
            hint = "Replace it with a file."
        else:
            late = "does not end" if time.monotonic() >= self._until else "does not answer"
            who = f"the program that writes to it {late}" if opened else "no program writes to it"
            why = f"it is a pipe, and {who}"
            hint = "Start the program that writes to it, or replace it with a file."
        return FileError(f"cannot read {self._file}: {why}", hint=hint, reason="silent")


def _too_large(file: Path, largest: int) -> FileError:
    return FileError(
        f"cannot read {file}: it is larger than {largest >> 20} MB",
        hint=f"Is it the right file? `ls -ld {file}`",
        reason="size",
    )
