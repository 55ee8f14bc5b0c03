"""Reads the body of a request within bounds, however it is packed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from invoke_devstack.errors import DevstackError

LARGEST = 16 * 1024 * 1024  # bytes, packed and unpacked
_MOST_DISCARDED = 256 * 1024 * 1024
_PATIENCE = 30.0  # seconds for a whole body
_GZIP, _DEFLATE = 31, 15  # zlib's `wbits`
_PACKINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class RefusedError(DevstackError):
    """The request is not taken, with a status of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_body(receive: Receive, length: int, packing: str) -> bytes:
    """The unpacked body. `length` is what the request says of its size, 0 if nothing. Raises RefusedError.

    What is too large is read to its end all the same, but not kept, so that the sender gets the answer."""
    unpack = _unpacker(packing)
    try:
        async with asyncio.timeout(_PATIENCE):
            if length > LARGEST:
                await _discard(receive, 0)
                raise _too_large()
            return await _read(receive, unpack)
    except TimeoutError:
        raise RefusedError(408, "the body did not arrive in time") from None


async def _read(receive: Receive, unpack: Callable[[bytes, bool], bytes]) -> bytes:
    parts: list[bytes] = []
    packed = size = 0
    more = True
    while more:
        piece, more = await _piece(receive)
        packed += len(piece)
        try:
            parts.append(unpack(piece, not more))
        except RefusedError:
            if more:
                await _discard(receive, packed)
            raise
        size += len(parts[-1])
        if packed > LARGEST or size > LARGEST:
            parts.clear()
            if more:
                await _discard(receive, packed)
            raise _too_large()
    return b"".join(parts)


def _too_large() -> RefusedError:
    return RefusedError(413, f"a body may have {LARGEST // 1024 // 1024} MiB, also once it is unpacked")


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise RefusedError(400, "the connection was closed before the body was complete")
    return message.get("body", b""), message.get("more_body", False)


async def _discard(receive: Receive, seen: int) -> None:
    more = True
    while more and seen < _MOST_DISCARDED:
        piece, more = await _piece(receive)
        seen += len(piece)


def _unpacker(packing: str) -> Callable[[bytes, bool], bytes]:
    """Takes a piece, and whether it is the last one. Unpacks no more than a little over what is allowed."""
    kind = packing.strip().lower()
    if kind in ("", "identity"):
        return lambda piece, last: piece
    if kind not in _PACKINGS:
        raise RefusedError(415, f"the content encoding `{kind[:40]}` is not supported: use gzip")
    unpacking = zlib.decompressobj(_PACKINGS[kind])

    def unpack(piece: bytes, last: bool) -> bytes:
        try:
            found = unpacking.decompress(piece, LARGEST + 1)
        except zlib.error as error:
            raise RefusedError(400, f"the body is no {kind}: {error}") from None
        if unpacking.unconsumed_tail and len(found) > LARGEST:
            raise _too_large()
        if last and not unpacking.eof and len(found) <= LARGEST:
            raise RefusedError(400, f"the body is no complete {kind}")
        return found

    return unpack
