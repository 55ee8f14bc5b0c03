"""Long streams: logs and events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from invoke_devstack.engine.protocol import EngineEvent, EventStream, LogStream
from invoke_devstack.engine.transport import shapes
from invoke_devstack.engine.transport.api import BLOCK, Api, RawStream, decode_line, filters_of, path_of
from invoke_devstack.engine.transport.frames import Demultiplexer
from invoke_devstack.engine.transport.http import LONGEST_LINE

_LINES = 1 << 15
"""Bytes. A follower reads line by line, and a larger buffer costs 20 µs for each read."""


class Streams:
    """The part of the engine that follows logs and events."""

    _api: Api

    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str = "",
        until: str = "",
        timestamps: bool = False,
        tty: bool = False,
    ) -> LogStream:
        params = {
            "stdout": True,
            "stderr": True,
            "follow": follow,
            "tail": "all" if tail is None else str(tail),
            "since": engine_time(since),
            "until": engine_time(until),
            "timestamps": timestamps,
        }
        stream = self._api.open("GET", path_of(container, "/logs"), params)
        return LogOfContainer(stream, self._api, tty=tty, block=_LINES if follow else BLOCK)

    def events(
        self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = ""
    ) -> EventStream:
        """It is listening when it returns: no later event is missed."""
        span = {"since": engine_time(since), "until": engine_time(until)}
        stream = self._api.open("GET", "/events", {"filters": filters_of(filters), **span})
        return EventsOfEngine(stream, self._api)


class LogOfContainer:
    """See `LogStream`."""

    def __init__(self, stream: RawStream, api: Api, *, tty: bool, block: int = BLOCK) -> None:
        """`tty`: it is the output of a terminal, without frames. `block`: the most bytes that are read at
        once."""
        self._stream = stream
        self._api = api
        self._frames = None if tty else Demultiplexer(api.invalid_stream)
        self._block = block
        self._is_closed = False

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        frames = self._frames
        try:
            while block := self._stream.read(self._block):
                if frames is None:
                    yield "stdout", block
                else:
                    yield from frames.feed(block)
            if frames is not None:
                is_cut = frames.is_cut and not self._is_closed
                yield from frames.finish()
                if is_cut:
                    raise self._api.cut_off("a log")
        finally:
            self._stream.close()

    def close(self) -> None:
        self._is_closed = True
        self._stream.close()


class EventsOfEngine:
    """See `EventStream`."""

    def __init__(self, stream: RawStream, api: Api) -> None:
        self._stream = stream
        self._api = api

    def __iter__(self) -> Iterator[EngineEvent]:
        rest = b""
        try:
            while block := self._stream.read():
                *lines, rest = (rest + block).split(b"\n")
                yield from (self._event(line) for line in lines if line.strip())
                if len(rest) > LONGEST_LINE:
                    raise self._api.invalid_stream("an event does not end")
        finally:
            self._stream.close()

    def _event(self, line: bytes) -> EngineEvent:
        return read_event(decode_line(line, shapes.EVENT, self._api.url))

    def close(self) -> None:
        self._stream.close()


def engine_time(text: str) -> str:
    """A time as the engine takes it: seconds since the epoch, with nanoseconds. Takes RFC 3339 or such a
    number; raises ValueError for anything else."""
    if not text or re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    match = re.fullmatch(r"(.+?T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        raise ValueError(f"invalid RFC 3339 time `{text}`")
    seconds = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    return f"{int(seconds)}.{(match[2] or '')[:9]:0<9}"


def read_event(body: Mapping[str, Any]) -> EngineEvent:
    """An object of `GET /events`."""
    actor = body.get("Actor") or {}
    return EngineEvent(
        type=body.get("Type", ""),
        action=body.get("Action", ""),
        id=actor.get("ID", ""),
        attributes=actor.get("Attributes") or {},
        time=body["timeNano"] / 1e9 if "timeNano" in body else float(body.get("time", 0)),
    )
