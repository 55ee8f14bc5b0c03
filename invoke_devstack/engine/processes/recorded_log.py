"""The log of a process as its recorder writes it. It imports nothing of ours: see `recorder`."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

SEGMENT = 32 << 20
"""Bytes of a log, after which it goes on in a new file."""
_SEGMENTS = 8
_LONGEST_LINE = 1 << 14


class Log:
    """Lines with their time and stream: `o` or `e`, and `O` or `E` if the line goes on. The oldest are
    forgotten: `log` is the newest of a few files, before it come `log.2`, `log.1`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = {"o": b"", "e": b""}
        self._open()

    def record(self, name: str, block: bytes) -> None:
        """Appends whole lines; what has no newline yet waits, up to the length of Docker's own lines."""
        *lines, rest = (self._rest[name] + block).split(b"\n")
        stamp = f"{now()} {name} ".encode()
        data = stamp + (b"\n" + stamp).join(lines) + b"\n" if lines else b""
        while len(rest) >= _LONGEST_LINE:
            data += f"{now()} {name.upper()} ".encode() + rest[:_LONGEST_LINE] + b"\n"
            rest = rest[_LONGEST_LINE:]
        self._rest[name] = rest
        if data:
            self._append(data)

    def flush(self) -> None:
        """Ends lines that have no newline."""
        for name, rest in self._rest.items():
            if rest:
                self.record(name, b"\n")

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size

    def _append(self, data: bytes) -> None:
        """A full disk loses the lines and not the process."""
        try:
            write_all(self._file, data)
            self._size += len(data)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
        if self._size >= SEGMENT:
            self._begin_another()

    def _begin_another(self) -> None:
        older = sorted(int(path.suffix[1:]) for path in self._path.parent.glob("log.[0-9]*"))
        with contextlib.suppress(OSError):
            self._path.rename(f"{self._path}.{older[-1] + 1 if older else 1}")
            for number in older[: -(_SEGMENTS - 2)]:
                Path(f"{self._path}.{number}").unlink()
            full = self._file
            self._open()
            os.close(full)


def now() -> str:
    """RFC 3339 in nanoseconds, always of the same length."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09d}Z"


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
