"""Blocks of log lines as the engine stamps them: `2026-01-02T03:04:05.123456789Z text\\n`.

To read two million lines in seconds, nothing is decoded, and whole blocks are handled instead of lines
where possible. Docker's stamps are in UTC and of equal width, so they sort as bytes; others (Podman's
have an offset) are converted first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

STAMP = 30  # bytes of a stamp, without the space after it
_PIECE = 16384  # the engine stores longer lines in pieces of this size, each with a stamp
_TURNS = 4  # lines to try one by one before the binary search
_STAMP_SHAPE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
_PREFIX = re.compile(rb"^.{31}", re.MULTILINE)
_LINE_START = re.compile(rb"^(\S+) ", re.MULTILINE)
_LONG_LINE = re.compile(rb"^[^\n]{16446,}$", re.MULTILINE)  # a stamp, a piece, and another stamp


class LineCutter:
    """Turns blocks that are cut anywhere into blocks of whole lines. One for each stream."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """All complete lines so far; keeps the start of an incomplete one."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._rest += data
            return b""
        whole, self._rest = self._rest + data[:end], data[end:]
        return whole

    def finish(self) -> bytes:
        """The rest at the end: a last line without a newline."""
        rest, self._rest = self._rest, b""
        return rest


def rests(cutters: Mapping[str, LineCutter]) -> Iterator[tuple[str, bytes]]:
    """(stream, the start of a line) where there is one at the end."""
    yield from ((name, rest) for name, cutter in cutters.items() if (rest := cutter.finish()))


def normalise(block: bytes) -> bytes:
    """The same lines with stamps in Docker's form."""
    if _STAMP_SHAPE.match(block):
        return block
    return _LINE_START.sub(lambda found: _in_utc(found[1]) + b" ", block)


def _in_utc(stamp: bytes) -> bytes:
    text = stamp.decode("ascii", "replace")
    fraction = re.search(r"\.(\d+)", text)
    nanoseconds = (fraction[1] if fraction else "")[:9].ljust(9, "0")
    try:
        moment = datetime.fromisoformat(re.sub(r"\.\d+", "", text)).astimezone(UTC)
    except ValueError:
        return stamp
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds}Z".encode()


def join_pieces(block: bytes) -> bytes:
    """Removes the stamps in the middle of long lines, between two pieces."""
    if len(block) < _PIECE:
        return block
    return _LONG_LINE.sub(lambda found: _join(found[0]), block)


def _join(line: bytes) -> bytes:
    start, parts = STAMP + 1 + _PIECE, [line[: STAMP + 1 + _PIECE]]
    while _STAMP_SHAPE.match(line, start):
        parts.append(line[start + STAMP + 1 : start + STAMP + 1 + _PIECE])
        start += STAMP + 1 + _PIECE
    parts.append(line[start:])
    return b"".join(parts)


def without_stamps(block: bytes) -> bytes:
    if block.find(b"\n") in (-1, len(block) - 1):
        return block[STAMP + 1 :]
    return _PREFIX.sub(b"", block)


def first_stamp(block: bytes, start: int = 0) -> bytes:
    return block[start : start + STAMP]


def stamps_since(block: bytes, stamp: bytes) -> list[bytes]:
    """The stamps of the last lines in order, back to the last one earlier than `stamp`."""
    stamps: list[bytes] = []
    end = len(block)
    while end > 0:
        start = block.rfind(b"\n", 0, end - 1) + 1
        here = first_stamp(block, start)
        if here < stamp:
            break
        stamps.append(here)
        end = start
    return stamps[::-1]


def last_stamp(block: bytes) -> bytes:
    return first_stamp(block, block.rfind(b"\n", 0, len(block) - 1) + 1)


def is_time(stamp: bytes) -> bool:
    """Whether it is a stamp; an engine that is out of order may send anything."""
    try:
        datetime.fromisoformat(stamp[:19].decode())
    except ValueError:
        return False
    return stamp[20:29].isdigit()


def earlier(stamp: bytes, milliseconds: int) -> bytes:
    """The stamp that many milliseconds before."""
    moment = datetime.fromisoformat(stamp[:19].decode()) + timedelta(microseconds=int(stamp[20:26]))
    before = moment - timedelta(milliseconds=milliseconds)
    return f"{before:%Y-%m-%dT%H:%M:%S.%f}".encode() + stamp[26:]


def end_of_earlier(block: bytes, stamp: bytes, start: int = 0, *, inclusive: bool = False) -> int:
    """Where the lines from `start` on that are earlier than `stamp` (`inclusive`: or equal) end.

    A binary search, since one container's lines are in order of time; but the next few lines are tried
    first, because containers often take turns.
    """
    size, low = len(block), start
    for _ in range(_TURNS):
        here = block[low : low + STAMP]
        if low >= size or here > stamp or (here == stamp and not inclusive):
            return low
        low = block.find(b"\n", low) + 1 or size
    return _gallop(block, low, lambda here: here <= stamp if inclusive else here < stamp)


def _gallop(block: bytes, low: int, is_earlier: Callable[[bytes], bool]) -> int:
    def earlier(position: int) -> bool:
        return is_earlier(block[position : position + STAMP])

    size, step = len(block), 256
    while low < size and earlier(low):
        high = block.find(b"\n", low + step) + 1 or size
        if high < size and earlier(high):
            low, step = high, step * 4
        else:
            return _halve(block, low, high, earlier)
    return low


def _halve(block: bytes, low: int, high: int, earlier: Callable[[int], bool]) -> int:
    """`low` starts an earlier line; `high` starts a later one or is the end."""
    while True:
        half = (low + high) // 2
        middle = block.find(b"\n", half, high - 1) + 1 or block.rfind(b"\n", low, half) + 1
        if not middle:
            return high
        if earlier(middle):
            low = middle
        else:
            high = middle


def matching(block: bytes, pattern: re.Pattern[bytes], skip: int) -> bytes:
    """The lines that contain `pattern` after their first `skip` bytes."""
    lines = (line + b"\n" for line in block.removesuffix(b"\n").split(b"\n"))
    kept = b"".join(line for line in lines if pattern.search(line[skip:]))
    return kept if block.endswith(b"\n") else kept.removesuffix(b"\n")
