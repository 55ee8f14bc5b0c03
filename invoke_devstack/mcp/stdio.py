"""The client's end of stdin, read so that a signal ends it too. stdout is the SDK's, see `serving`."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

_BLOCK = 1 << 16


class Lines:
    """The lines of stdin, until it ends or `close` is called.

    Not the SDK's reading: that waits for stdin in a thread which nothing ends, so a server that gets a signal
    would go on until its client closes stdin.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        """`on_end` is called when there are no more."""
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        descriptor = _taken_stdin()
        threading.Thread(target=self._read, args=(descriptor,), name="stdin", daemon=True).start()

    def close(self) -> None:
        """From any thread: there is no further line."""
        self._put(None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._queue.get()) is not None:
            yield line
        self._on_end()

    def _read(self, descriptor: int) -> None:
        rest = b""
        with suppress(OSError):
            while block := os.read(descriptor, _BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._put(line.decode("utf-8", "replace"))
        self._put(None)

    def _put(self, line: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._queue.put_nowait, line)


def _taken_stdin() -> int:
    """A descriptor of what is stdin now. From then on, programs that hooks start read nothing there."""
    taken = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return taken
