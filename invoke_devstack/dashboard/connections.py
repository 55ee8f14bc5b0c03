"""Connections that ask nothing: ten thousand of them must not keep a page from being answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_MOST_IDLE = 256  # connections without a request, before the oldest is closed
_WANTED_FILES = 8192


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn. A connection whose request is not complete may be closed for a newer one."""

    _waiting: dict[BoundedProtocol, None] = {}  # noqa: RUF012 - shared, oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override, unused-ignore]
        super().connection_made(transport)
        self._waiting[self] = None
        while len(self._waiting) > _MOST_IDLE:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """A complete request has a cycle, which answers it."""
        super().data_received(data)
        if self.cycle is not None:
            self._waiting.pop(self, None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._waiting.pop(self, None)


def allow_many_connections() -> None:
    """Raises this process's limit of open files as far as it may: each tab, log and container needs one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted: Any = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
