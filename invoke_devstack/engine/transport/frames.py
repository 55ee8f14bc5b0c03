"""The engine's multiplexed stream: frames of 8 bytes of header (stream, 0, 0, 0, length as 4 bytes,
big-endian) and their data
(https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach, "Stream format").

Pure. A log of two million lines has as many frames, too many to handle one by one in Python: a block is split
at everything that looks like a header, at once, and the lengths then prove that the split is right.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

HEADER = 8
_LARGEST = 1 << 24  # bytes of a frame; engines write some kilobytes
_HEADERS = {
    "stdout": re.compile(rb"\x01\0\0\0(.{4})", re.DOTALL),
    "stderr": re.compile(rb"\x02\0\0\0(.{4})", re.DOTALL),
}
_STREAMS = {1: "stdout", 2: "stderr"}


class Demultiplexer:
    """Turns blocks of the stream, cut anywhere, into (stream, bytes) pairs of whole frames, in order.
    Neighbouring frames of one stream are one pair."""

    def __init__(self, wrong: Callable[[str], Exception] = ValueError) -> None:
        """`wrong` makes the error to raise for what is no frame, of a sentence."""
        self._rest = b""
        self._wrong = wrong

    def feed(self, block: bytes) -> Iterator[tuple[str, bytes]]:
        data = self._rest + block if self._rest else block
        if len(data) > _LARGEST + len(block):
            raise self._wrong("a frame is too large")
        swept = _sweep(data)
        if swept is not None:
            stream, payload, self._rest = swept
            if payload:
                yield stream, payload
            return
        yield from self._walk(data)

    @property
    def is_cut(self) -> bool:
        """Whether the stream so far ends in the middle of a frame."""
        return bool(self._rest)

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """The data of a last frame that was cut off."""
        rest, self._rest = self._rest, b""
        if len(rest) > HEADER:
            yield _STREAMS.get(rest[0], "stdout"), rest[HEADER:]

    def _walk(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Frame by frame, for blocks that mix streams or contain data that looks like a header."""
        start, size = 0, len(data)
        current = "stdout"
        pieces: list[bytes] = []
        while size - start >= HEADER:
            if data[start] > 3 or data[start + 1 : start + 4] != b"\0\0\0":
                raise self._wrong("it has no frames")
            end = start + HEADER + int.from_bytes(data[start + 4 : start + HEADER], "big")
            if end > size:
                break
            stream = _STREAMS.get(data[start], "stdout")
            if stream != current and pieces:
                yield current, b"".join(pieces)
                pieces = []
            current = stream
            pieces.append(data[start + HEADER : end])
            start = end
        self._rest = data[start:]
        if pieces:
            yield current, b"".join(pieces)


def _sweep(data: bytes) -> tuple[str, bytes, bytes] | None:
    """(stream, data of all whole frames, the rest), if `data` has only frames of one stream."""
    stream = _STREAMS.get(data[0], "") if len(data) >= HEADER else ""
    if not stream:
        return None
    before, *parts = _HEADERS[stream].split(data)
    payloads = parts[1::2]
    lengths = struct.unpack(f">{len(payloads)}I", b"".join(parts[::2]))
    found = tuple(map(len, payloads))
    if before or found[:-1] != lengths[:-1]:
        return None
    missing = lengths[-1] - found[-1]
    if missing > 0:
        payloads.pop()
        return stream, b"".join(payloads), data[len(data) - found[-1] - HEADER :]
    if missing < -(HEADER - 1):
        return None
    return stream, b"".join(payloads)[: missing or None], data[len(data) + missing :] if missing else b""
