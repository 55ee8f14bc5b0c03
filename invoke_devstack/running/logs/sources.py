"""Which containers' logs to read, and which part of each."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from invoke_devstack.engine.protocol import Engine, LogStream
from invoke_devstack.errors import EngineUnavailableError, UsageError
from invoke_devstack.planning import labels
from invoke_devstack.records import record
from invoke_devstack.running.logs.lines import STAMP, LineCutter, join_pieces, normalise, rests

_SMALL = 1 << 16
_NAP = 0.0003
"""Seconds. The engine sends line by line; reading each at once only slows it down."""
_RUSH = 0.002
"""Seconds. A line that comes sooner than this after the last one is one of many, so the next may wait."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


@record
class Source:
    """A container whose log is read."""

    id: str
    name: str
    service: str
    number: int = 0


@record
class Range:
    """Which part of a log to read. `since` and `until` are seconds since the epoch, with a fraction."""

    since: str = ""
    until: str = ""
    tail: int | None = None


def sources(engine: Engine, project: str, services: tuple[str, ...]) -> list[Source]:
    """The project's containers (of these services, if any), running or not, without one-off containers."""
    found = engine.list_containers({"label": (f"{labels.PROJECT}={project}", f"{labels.ONEOFF}=False")})
    all_sources = (_source(item) for item in found)
    return sorted(
        (item for item in all_sources if not services or item.service in services),
        key=lambda item: (item.service, item.name),
    )


def _source(listed: Mapping[str, Any]) -> Source:
    name = str((listed.get("Names") or [listed["Id"][:12]])[0]).lstrip("/")
    own = listed.get("Labels") or {}
    return Source(listed["Id"], name, own.get(labels.SERVICE, name), int(own.get(labels.NUMBER) or 0))


def uses_terminal(engine: Engine, container_id: str) -> bool:
    """Whether the container has a TTY, so that its log comes without frames."""
    return bool((engine.inspect_container(container_id).get("Config") or {}).get("Tty"))


def stamped_blocks(
    engine: Engine, source: Source, wanted: Range, *, follow: bool = False
) -> Generator[tuple[str, bytes], None, None]:
    """(stream, whole lines that start with a stamp in Docker's form). A last line without a newline comes at
    the end."""
    stream = engine.logs(
        source.id,
        follow=follow,
        tail=wanted.tail,
        since=wanted.since,
        until=wanted.until,
        timestamps=True,
        tty=uses_terminal(engine, source.id),
    )
    cutters: dict[str, LineCutter] = {}
    try:
        try:
            for name, data in in_step(stream) if follow else paced(stream):
                block = cutters.setdefault(name, LineCutter()).feed(data)
                if block:
                    yield name, normalise(join_pieces(block))
        except EngineUnavailableError:
            if not follow:  # who follows reads it again, whole
                yield from _stamped_rests(cutters)
            raise
        yield from _stamped_rests(cutters)
    finally:
        stream.close()


def _stamped_rests(cutters: Mapping[str, LineCutter]) -> Iterator[tuple[str, bytes]]:
    for name, rest in rests(cutters):
        if len(rest) > STAMP:
            yield name, normalise(join_pieces(rest))


def in_step(stream: LogStream) -> Iterator[tuple[str, bytes]]:
    """What comes, at once; but of a busy container a few lines at a time, or twenty of them would take the
    CPU from the quiet ones."""
    read_at = 0.0
    for name, data in stream:
        busy = time.monotonic() - read_at < _RUSH
        yield name, data
        if busy:
            time.sleep(_RUSH)
        read_at = time.monotonic()


def paced(stream: LogStream) -> Iterator[tuple[str, bytes]]:
    """The blocks of a history, in larger pieces than the engine sends."""
    for name, data in stream:
        if len(data) < _SMALL:
            time.sleep(_NAP)
        yield name, data


def moment(text: str, option: str) -> str:
    """`10m` (ago), `1h30m`, RFC 3339 (local time if it has no zone) or seconds since the epoch, converted to
    seconds since the epoch for the engine. Empty stays empty. Raises UsageError."""
    if not text:
        return ""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return text
    parts = _RELATIVE.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return f"{time.time() - sum(float(number) * _UNITS[unit] for number, unit in parts):.9f}"
    try:
        return _epoch(datetime.fromisoformat(text), text)
    except ValueError:
        raise UsageError(
            f"invalid --{option} `{text}`: not a time",
            hint=f"Examples: `--{option} 10m` (ago), `--{option} 2026-01-31T12:00:00Z`.",
        ) from None


def _epoch(when: datetime, text: str) -> str:
    fraction = re.search(r"\.(\d{1,9})", text)
    whole = int(when.astimezone(UTC).replace(microsecond=0).timestamp())
    return f"{whole}.{(fraction[1] if fraction else '').ljust(9, '0')}"


def as_moment(stamp: bytes) -> str:
    """A stamp in Docker's form as the engine accepts it in `since`."""
    text = stamp.decode("ascii")
    return _epoch(datetime.fromisoformat(text), text)
