"""Moments and durations: from what a person or program writes, and to it. Stored times are nanoseconds."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

from invoke_devstack.errors import UsageError

_SECOND = 1_000_000_000
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")


def seconds_in(text: str) -> float:
    """`15m`, `1h30m`, `200ms`; a number alone is seconds. Raises UsageError."""
    plain = text.strip().lower()
    if re.fullmatch(r"\d{1,12}(?:\.\d+)?", plain):
        return float(plain)
    if not _DURATION.fullmatch(plain) or len(plain) > 40:
        raise UsageError(f"invalid duration `{text[:40]}`", hint="Examples: `200ms`, `15m`, `1h30m`.")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(plain))


def moment(text: str) -> int:
    """RFC 3339, or a duration back from now. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or "-" not in text:
        return max(time.time_ns() - int(_ago(text) * _SECOND), 0)
    aware = found if found.tzinfo else found.astimezone()
    return int(aware.timestamp() * 1_000_000) * 1000


def _ago(text: str) -> float:
    try:
        return seconds_in(text)
    except UsageError:
        hint = "Examples: `15m` (ago), `2026-01-31T09:30:00Z`."
        raise UsageError(f"invalid time `{text[:40]}`", hint=hint) from None


def rfc3339(nanoseconds: int) -> str:
    """In UTC, with microseconds."""
    seconds, rest = divmod(nanoseconds, _SECOND)
    start = _to_the_second(seconds)
    return f"{start}.{rest // 1000:06d}Z" if start else "9999-12-31T23:59:59.000000Z"


@lru_cache(maxsize=256)
def _to_the_second(seconds: int) -> str:
    """Remembered, as thousands of spans are of the same few seconds. Empty after the year 9999."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return ""


def milliseconds(nanoseconds: float) -> float:
    return round(nanoseconds / 1_000_000, 3)
