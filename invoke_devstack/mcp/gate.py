"""Which calls of one server may run at the same time.

Calls that change something come one after the other: the lock of the project is for other processes, and what
a process starts gets in under it. Adding a copy sets variables of the process, so it is alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Kind = Literal["looks", "changes", "alone"]


class Gate:
    """For the calls of one event loop."""

    def __init__(self) -> None:
        self._inside: list[Kind] = []
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def passed(self, kind: Kind) -> AsyncIterator[None]:
        """While entered, nothing runs beside it that may not."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._is_open(kind))
            self._inside.append(kind)
        try:
            yield
        finally:
            self._inside.remove(kind)
            await asyncio.shield(self._tell())

    def _is_open(self, kind: Kind) -> bool:
        if kind == "alone":
            return not self._inside
        return "alone" not in self._inside and not (kind == "changes" and "changes" in self._inside)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
