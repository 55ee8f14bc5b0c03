"""Which containers' logs are shown, and what of each."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from invoke_devstack.engine.protocol import Engine, LogStream
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.running.log_lines import LineCutter, join_pieces, normalise

_SMALL = 1 << 16
_NAP = 0.0003
"""The engine sends a log line by line: whoever reads each at once only keeps it from sending."""
_RUSH = 0.002
"""Seconds. What comes sooner than this after the last lines is one of many, and the next may wait as long."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


@dataclass(frozen=True, slots=True)
class Source:
    """One container whose log is read."""

    id: str
    name: str
    service: str


@dataclass(frozen=True, slots=True)
class Range:
    """What of a log is asked for. `since` and `until` are seconds since the epoch, with a fraction."""

    since: str = ""
    until: str = ""
    tail: int | None = None


def sources(engine: Engine, project: str, services: tuple[str, ...]) -> list[Source]:
    """The project's containers, running or not, one-off ones left out; of these services if any."""
    found = engine.list_containers({"label": (f"{labels.PROJECT}={project}", f"{labels.ONEOFF}=False")})
    wanted = (source_of(item["Id"], _name(item), item.get("Labels") or {}) for item in found)
    return sorted(
        (item for item in wanted if not services or item.service in services),
        key=lambda item: (item.service, item.name),
    )


def source_of(container_id: str, name: str, container_labels: Mapping[str, str]) -> Source:
    return Source(container_id, name, container_labels.get(labels.SERVICE, name))


def _name(listed: Mapping[str, Any]) -> str:
    return str((listed.get("Names") or [listed["Id"][:12]])[0]).lstrip("/")


def uses_terminal(engine: Engine, container_id: str) -> bool:
    """Whether its log comes without frames."""
    return bool((engine.inspect_container(container_id).get("Config") or {}).get("Tty"))


def stamped_blocks(
    engine: Engine, source: Source, wanted: Range, *, follow: bool = False
) -> Generator[tuple[str, bytes], None, None]:
    """(stream, whole lines that begin with a stamp of Docker's form). A last line without a newline
    comes at the end."""
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
        for name, data in in_step(stream) if follow else paced(stream):
            block = cutters.setdefault(name, LineCutter()).feed(data)
            if block:
                yield name, normalise(join_pieces(block))
        for name, cutter in cutters.items():
            if rest := cutter.finish():
                yield name, normalise(join_pieces(rest))
    finally:
        stream.close()


def in_step(stream: LogStream) -> Iterator[tuple[str, bytes]]:
    """What comes, at once; of a container that writes line upon line, a few lines at a time: twenty of
    them would take the processor from what is quiet and waited for."""
    read_at = 0.0
    for name, data in stream:
        busy = time.monotonic() - read_at < _RUSH
        yield name, data
        if busy:
            time.sleep(_RUSH)
        read_at = time.monotonic()


def paced(stream: LogStream) -> Iterator[tuple[str, bytes]]:
    """The blocks of a history, in larger pieces than they are sent in."""
    for name, data in stream:
        if len(data) < _SMALL:
            time.sleep(_NAP)
        yield name, data


def moment(text: str, option: str) -> str:
    """`10m` (ago), `1h30m`, RFC 3339 (local time where it names no zone) or seconds since the epoch,
    as the engine takes it: seconds since the epoch. Empty stays empty. Raises UsageError."""
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
            f"--{option} `{text}` is no time",
            hint="Write it as `10m` (ago), `2026-01-31T12:00:00Z`, or seconds since the epoch.",
        ) from None


def _epoch(when: datetime, text: str) -> str:
    fraction = re.search(r"\.(\d{1,9})", text)
    whole = int(when.astimezone(UTC).replace(microsecond=0).timestamp())
    return f"{whole}.{(fraction[1] if fraction else '').ljust(9, '0')}"


def as_moment(stamp: bytes) -> str:
    """A stamp of Docker's form as the engine takes it in `since`."""
    text = stamp.decode("ascii")
    return _epoch(datetime.fromisoformat(text), text)
