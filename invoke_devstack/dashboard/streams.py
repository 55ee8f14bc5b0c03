"""Streams: server-sent events for a tab, and the lines of JSON that answer an action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from invoke_devstack.dashboard.acting.runs import Run, Told
from invoke_devstack.dashboard.answers import to_text
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.hub import Told as HubTold
from invoke_devstack.dashboard.watching.stack import now

_BEAT = 10.0  # seconds
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def tab_stream(hub: Hub, request: Request, first: Callable[[], list[tuple[str, Any]]]) -> StreamingResponse:
    """Everything that a tab is told. `first` makes what one gets that missed something."""
    last = request.headers.get("last-event-id") or request.query_params.get("last", "")
    lines = request.query_params.get("logs") == "lines"
    return StreamingResponse(_tab(hub, last, first, lines), headers=_HEADERS, media_type="text/event-stream")


async def _tab(
    hub: Hub, last: str, first: Callable[[], list[tuple[str, Any]]], lines: bool
) -> AsyncIterator[str]:
    tab = hub.join(last, reads_lines=lines)
    try:
        newest = last if tab.resumed else hub.last_id()
        yield _event("hello", to_text({"boot": hub.boot, "resumed": tab.resumed}), newest)
        if not tab.resumed:
            for type_, data in await asyncio.to_thread(first):
                yield _event(type_, to_text(data))
        while (told := await tab.wait(_BEAT)) is not None:
            if told:
                yield "".join(_of(hub, item) for item in told)
            else:
                yield _event("beat", to_text({"time": now()}))
    finally:
        hub.leave(tab)


def _of(hub: Hub, told: HubTold) -> str:
    return _event(told.type, told.data, hub.id_of(told))


def _event(type_: str, data: str, id_: str = "") -> str:
    number = f"id: {id_}\n" if id_ else ""
    return f"{number}event: {type_}\ndata: {data}\n\n"


def run_stream(run: Run) -> StreamingResponse:
    """The events of an action, one line of JSON each, framed by its start and end."""
    return StreamingResponse(
        _run(run), headers={**_HEADERS, "x-devstack-run": run.id}, media_type="application/x-ndjson"
    )


async def _run(run: Run) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Told | None] = asyncio.Queue()
    run.listen(lambda event: _put(loop, queue, event))
    yield f"{to_text(run.started())}\n"
    while (event := await queue.get()) is not None:
        yield f"{to_text(event)}\n"
    yield f"{to_text(run.finished())}\n"


def _put(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[Told | None], event: Told | None) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(queue.put_nowait, event)


def long_answer(pieces: Iterator[str] | Iterator[bytes], kind: str, *, file: str = "") -> StreamingResponse:
    """What takes long to find or is large, piece by piece. `file`: it is saved under that name."""
    saved = {"content-disposition": f'attachment; filename="{file}"'} if file else {}
    return StreamingResponse(iterate_in_threadpool(pieces), headers={**_HEADERS, **saved}, media_type=kind)
