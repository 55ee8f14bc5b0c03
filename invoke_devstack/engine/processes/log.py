"""The log that a recorder writes, read as the engine's logs are: since, until, the last lines, followed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from invoke_devstack.engine.transport.streams import engine_time

_BLOCK = 1 << 18
_LOOK = 0.01  # seconds between two looks at a log that is followed
_STAMP = 30  # characters: 2026-11-26T19:00:00.123456789Z
_STREAMS = {b"o": "stdout", b"e": "stderr", b"O": "stdout", b"E": "stderr"}


class ProcessLog:
    """A `LogStream`. `runs` says whether the process goes on: a followed log ends with it."""

    def __init__(
        self,
        path: Path,
        runs: Callable[[], bool] = lambda: False,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str = "",
        until: str = "",
        timestamps: bool = False,
    ) -> None:
        self._path = path
        self._runs = runs
        self._follow = follow
        self._tail = tail
        self._since = stamp_of(since).encode()
        self._until = stamp_of(until).encode()
        self._timestamps = timestamps
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for lines in self._blocks():
            wanted = self._within(lines)
            yield from self._frames(wanted)
            if self._until and len(wanted) < len(lines) and lines[-1][:_STAMP] > self._until:
                return

    def _frames(self, lines: list[bytes]) -> Iterator[tuple[str, bytes]]:
        """Lines of one stream that follow each other, together."""
        frame: list[bytes] = []
        stream = ""
        for line in lines:
            name = line[_STAMP + 1 : _STAMP + 2]
            if name not in _STREAMS:
                continue  # a crash of this machine left a part of a line
            if frame and _STREAMS[name] != stream:
                yield stream, b"".join(frame)
                frame = []
            stream = _STREAMS[name]
            stamp = line[: _STAMP + 1] if self._timestamps else b""
            end = -1 if name.isupper() else None  # the line goes on
            frame.append(stamp + line[_STAMP + 3 : end])
        if frame:
            yield stream, b"".join(frame)

    def _within(self, lines: list[bytes]) -> list[bytes]:
        if not (self._since or self._until):
            return lines
        last = self._until or b"9"
        return [line for line in lines if self._since <= line[:_STAMP] <= last]

    def _blocks(self) -> Iterator[list[bytes]]:
        descriptor = self._first()
        try:
            while descriptor is not None:
                newer = yield from self._lines(descriptor)
                os.close(descriptor)
                descriptor = newer
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _first(self) -> int | None:
        """The file with the first wanted line, opened there; None if there is no log."""
        files = _files(self._path)
        left = self._tail
        for number, (path, state) in enumerate(reversed(files), 1):
            if left is None and number < len(files):
                continue
            descriptor = _open(path, state)
            if descriptor is None:
                return self._first()  # another file was begun meanwhile
            if left is None:
                return descriptor
            start, found = _start_of_last(descriptor, left)
            os.lseek(descriptor, start, os.SEEK_SET)
            left -= found
            if not left or number == len(files):
                return descriptor
            os.close(descriptor)
        return None

    def _lines(self, descriptor: int) -> Generator[list[bytes], None, int | None]:
        """The lines of a file; then the file in which the log goes on is returned, if there is one."""
        rest = b""
        while not self._closed:
            # Both are asked before the last look, so that nothing is missed.
            over = not (self._follow and self._runs())
            is_newest = _is(descriptor, self._path)
            while block := os.read(descriptor, _BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                if lines:
                    yield [line + b"\n" for line in lines]
                if self._closed:
                    return None
            newer = None if is_newest else _open_after(descriptor, self._path)
            if newer is not None or over:
                return newer
            time.sleep(_LOOK)
        return None


def stamp_of(moment: str) -> str:
    """`since` of the engine, seconds since the epoch or RFC 3339, as the log writes times. "" stays ""."""
    if not moment:
        return ""
    seconds, _, fraction = engine_time(moment).partition(".")
    whole = datetime.fromtimestamp(int(seconds), UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{(fraction + '0' * 9)[:9]}Z"


def _files(path: Path) -> list[tuple[Path, os.stat_result]]:
    """The files of a log, the oldest first: `log.1`, `log.2`, `log`."""
    while True:
        names = _names(path)
        with suppress(FileNotFoundError):
            found = [(name, name.stat()) for name in names]
            if names == _names(path):
                return found


def _names(path: Path) -> list[Path]:
    older = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda item: int(item.suffix[1:]))
    return [*older, path] if path.exists() else older


def _open(path: Path, state: os.stat_result) -> int | None:
    """None if it is not that file any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    if os.path.samestat(os.fstat(descriptor), state):
        return descriptor
    os.close(descriptor)
    return None


def _open_after(descriptor: int, path: Path) -> int | None:
    """The file after this one, which may have got another name. The oldest if this one was forgotten."""
    while True:
        files = _files(path)
        own = os.fstat(descriptor)
        here = [number for number, (_, state) in enumerate(files) if os.path.samestat(own, state)]
        following = files[here[0] + 1 :] if here else files
        if not following:
            return None
        if (here or not own.st_nlink) and (found := _open(*following[0])) is not None:
            return found


def _is(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _start_of_last(descriptor: int, count: int) -> tuple[int, int]:
    """Where the last `count` lines begin, and how many of them there are."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    position, found = end, 0
    while position and found <= count:
        size = min(_BLOCK, position)
        position -= size
        block = os.pread(descriptor, size, position)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            found += 1
            if found > count:
                return position + at + 1, count
    return (0, found) if count else (end, 0)
