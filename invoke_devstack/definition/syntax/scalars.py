"""Texts to numbers and booleans and back, as in Go, because Compose's output and hash are Go's."""

from __future__ import annotations

import math
import re
import struct
from datetime import datetime
from typing import Any

from invoke_devstack.late_patterns import late

_INTEGER = late(r"[+-]?[0-9]+")
_FLOAT = late(r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|inf|infinity|nan)", re.I | re.A)
_BOOLEANS = {
    **dict.fromkeys(("true", "y", "yes", "on"), True),
    **dict.fromkeys(("false", "n", "no", "off"), False),
}


def parse_integer(text: str) -> int:
    """A decimal integer of 64 bits. Raises ValueError."""
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"invalid integer `{text}`")
    return int(text)


def parse_float(text: str) -> float:
    """A decimal number. Raises ValueError."""
    if not _FLOAT.fullmatch(text):
        raise ValueError(f"invalid number `{text}`")
    return float(text)


def parse_boolean(text: str) -> bool:
    """`true`, `false` and their synonyms in YAML 1.1. Raises ValueError."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"invalid boolean `{text}`; write true or false") from None


def to_text(value: Any) -> str:
    """A scalar as Go's `fmt` prints it: `true`, `1.5`, `1e+06`."""
    match value:
        case str():
            return value
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value, 6)
        case datetime():
            return date_text(value)
    return str(value)


def date_text(value: datetime) -> str:
    """RFC 3339."""
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def float_text(value: float, exponent_from: int) -> str:
    """The shortest decimal of a float; with an exponent below -4 and from `exponent_from` on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, point = _digits(repr(value))
    exponent = point - 1
    if exponent < -4 or exponent >= exponent_from:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + _plain(digits, point)


def json_float(value: float) -> str:
    """A float as Go's `encoding/json` prints it."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        sign, digits, point = _digits(repr(value))
        return sign + _plain(digits, point)
    text = float_text(value, 0)
    return re.sub(r"e-0(\d)$", r"e-\1", text)


def single_precision(value: float) -> float:
    """The shortest decimal that has the same 32-bit float as `value`: Compose keeps `cpus` in 32 bits."""
    if value == 0 or math.isinf(value) or math.isnan(value):
        return value
    try:
        packed = struct.pack("f", value)
    except OverflowError:
        return math.copysign(math.inf, value)
    for precision in range(1, 10):
        short = float(f"{value:.{precision}g}")
        if struct.pack("f", short) == packed:
            return short
    return float(struct.unpack("f", packed)[0])


def _digits(text: str) -> tuple[str, str, int]:
    """A decimal's sign, its significant digits, and the number of digits before the point."""
    from decimal import Decimal

    sign, digits, exponent = Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).lstrip("0") or "0"
    point = len(shown) + int(exponent)
    stripped = shown.rstrip("0") or "0"
    return ("-" if sign else "", stripped, point if stripped != "0" else 1)


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"
