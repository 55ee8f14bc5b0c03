"""Streams that last: logs and events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from invoke_devstack.engine.api import BLOCK, Api, RawStream, filters_of
from invoke_devstack.engine.containers import path_of
from invoke_devstack.engine.frames import Demultiplexer
from invoke_devstack.engine.protocol import EngineEvent, EventStream, LogStream

_LINES = 1 << 15
"""Bytes. A follower gets line by line, and room for more is not had for nothing: 20 µs for each read."""


class Streams:
    """The part of the engine that tells as it happens."""

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
        return LogOfContainer(stream, tty=tty, block=_LINES if follow else BLOCK)

    def events(
        self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = ""
    ) -> EventStream:
        """Listening when it returns: nothing that happens after is missed."""
        span = {"since": engine_time(since), "until": engine_time(until)}
        return EventsOfEngine(self._api.open("GET", "/events", {"filters": filters_of(filters), **span}))


class LogOfContainer:
    """See `LogStream`."""

    def __init__(self, stream: RawStream, *, tty: bool, block: int = BLOCK) -> None:
        """`block`: how many bytes are read at once, at most."""
        self._stream = stream
        self._tty = tty
        self._block = block

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        frames = Demultiplexer()
        try:
            while block := self._stream.read(self._block):
                if self._tty:
                    yield "stdout", block
                else:
                    yield from frames.feed(block)
            yield from frames.finish()
        finally:
            self._stream.close()

    def close(self) -> None:
        self._stream.close()


class EventsOfEngine:
    """See `EventStream`."""

    def __init__(self, stream: RawStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[EngineEvent]:
        rest = b""
        try:
            while block := self._stream.read():
                *lines, rest = (rest + block).split(b"\n")
                yield from (read_event(line) for line in lines if line.strip())
        finally:
            self._stream.close()

    def close(self) -> None:
        self._stream.close()


def engine_time(text: str) -> str:
    """A time as the engine takes it: seconds since the epoch, with nanoseconds. RFC 3339 is turned into
    that, to the nanosecond; what is a number already stays as it is. Raises ValueError for neither."""
    if not text or re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    match = re.fullmatch(r"(.+?T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        raise ValueError(f"`{text}` is no time of RFC 3339")
    seconds = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    return f"{int(seconds)}.{(match[2] or '')[:9]:0<9}"


def read_event(line: bytes) -> EngineEvent:
    """One line of `GET /events`."""
    body = json.loads(line)
    actor = body.get("Actor") or {}
    return EngineEvent(
        type=body.get("Type", ""),
        action=body.get("Action", ""),
        id=actor.get("ID", ""),
        attributes=actor.get("Attributes") or {},
        time=body["timeNano"] / 1e9 if "timeNano" in body else float(body.get("time", 0)),
    )
