"""Durations and sizes: read as Compose reads them, printed as it prints them.

A duration is a float of seconds and a size an int of bytes, so other rooms can calculate with them.
"""

from __future__ import annotations

import re
from typing import Self

from invoke_devstack.late_patterns import late

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 24 * 3600 * 10**9,
    "w": 7 * 24 * 3600 * 10**9,
}
_DURATION_PART = late(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)")
_SIZE = late(r"(\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?(?:b|([kmgtp])(?:i?b)?)?", re.IGNORECASE | re.ASCII)
_SIZE_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_MAX_INT64 = 2**63 - 1
_LONGEST = 100  # characters that a duration or a size can have


class Seconds(float):
    """A length of time in seconds; its text is Go's, as in `docker compose config`: `1m30s`, `500ms`."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: str | float) -> Self:
        """`1h5m`, `2d`, `0.5s` (Compose Specification, "Specifying durations"). Raises ValueError."""
        if not isinstance(value, str):
            return cls(value)
        return cls(parse_nanoseconds(value) / 10**9)

    def __str__(self) -> str:
        return format_nanoseconds(round(self * 10**9))


class Bytes(int):
    """A size in bytes; its text is the bare number."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: str | int | float) -> Self:
        """`64m`, `1.5gb`, `1024`, and `-1` for no limit. Raises ValueError."""
        if not isinstance(value, str):
            return cls(value)
        return cls(int(value) if value.lstrip("-").isdecimal() else parse_size(value))


def parse_size(text: str) -> int:
    """Bytes (Compose Specification, "Specifying byte values"). Raises ValueError, also for a negative one."""
    match = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"invalid size `{text[:_LONGEST]}`; write 64m, 1.5gb or a number of bytes")
    power = _SIZE_POWERS[match[2].lower()] if match[2] else 0
    return min(int(float(match[1]) * 1024**power), _MAX_INT64)


def parse_nanoseconds(text: str) -> int:
    """A duration in nanoseconds. Raises ValueError."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    if len(body) > _LONGEST:
        raise ValueError(f"invalid duration `{text[:_LONGEST]}…`; write 10s, 1m30s or 500ms")
    total, end = 0, 0
    for match in _DURATION_PART.finditer(body):
        if match.start() != end:
            break
        total += _product(match[1], _NANOSECONDS[match[2]])
        end = match.end()
    if not body or end != len(body) or total > _MAX_INT64:
        raise ValueError(f"invalid duration `{text}`; write 10s, 1m30s or 500ms")
    return -total if text[0] == "-" else total


def _product(number: str, unit: int) -> int:
    if number.isdecimal():
        return int(number) * unit
    from decimal import Decimal

    return int(Decimal(number) * unit)


def format_nanoseconds(nanoseconds: int) -> str:
    """Go's `time.Duration.String()`."""
    if nanoseconds == 0:
        return "0s"
    sign = "-" if nanoseconds < 0 else ""
    rest = abs(nanoseconds)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if rest < size * 1000:
            return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, rest = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _decimal(number: int, unit: int) -> str:
    whole, fraction = divmod(number, unit)
    if not fraction:
        return str(whole)
    digits = str(fraction).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"
