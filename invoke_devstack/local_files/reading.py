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


def _content(descriptor: int, file: Path, largest: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "", str(file))
    if status.st_size > largest:
        raise _too_large(file, largest)
    waits = sys.platform != "win32" and not stat.S_ISREG(status.st_mode)
    content = bytearray()
    while block := _arriving(descriptor, file, bool(content)) if waits else os.read(descriptor, _BLOCK):
        content += block
        if len(content) > largest:
            raise _too_large(file, largest)
    if stat.S_ISFIFO(status.st_mode):
        _pipes[file] = bytes(content)
    return bytes(content)


def _arriving(descriptor: int, file: Path, begun: bool) -> bytes:
    """The next block of a pipe or device; b"" at its end."""
    began, patience = time.monotonic(), PATIENCE
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while (left := began + patience - time.monotonic()) > 0:
        events = poll.poll(min(left, 0.05) * 1000)
        try:
            block = os.read(descriptor, _BLOCK)
        except BlockingIOError:
            patience = ANSWER
            continue
        if block or events or begun:
            return block
    who = "the program that writes to it does not answer" if patience == ANSWER else "no program writes to it"
    raise FileError(
        f"cannot read {file}: it is a pipe, and {who}",
        hint="Start the program that writes to it, or replace it with a file.",
        reason="silent",
    )


def _too_large(file: Path, largest: int) -> FileError:
    return FileError(
        f"cannot read {file}: it is larger than {largest >> 20} MB",
        hint=f"Is it the right file? `ls -ld {file}`",
        reason="size",
    )
