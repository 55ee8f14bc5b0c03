"""What is stored: spans, structured logs and points of metrics. Times are nanoseconds since the epoch."""

from __future__ import annotations

from typing import NamedTuple

UNSET, OK, ERROR = 0, 1, 2
"""The status of a span, as OTLP numbers it."""
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""The kind of a span, as OTLP numbers it."""


class SpanRow(NamedTuple):
    """`parent` is empty for a root. `peer` is what a client calls that may have no spans of its own, such as
    mysql. `resource` and `rest` are JSON: an object each, `rest` with what only its reader needs."""

    trace: bytes
    span: bytes
    parent: bytes
    service: str
    name: str
    kind: int
    start: int
    end: int
    status: int
    peer: str
    resource: str
    rest: str


class LogRow(NamedTuple):
    """`level` is OTLP's number, 0 if unknown. `trace` and `span` may be empty."""

    time: int
    service: str
    level: int
    trace: bytes
    span: bytes
    text: str
    resource: str
    rest: str


class PointRow(NamedTuple):
    """`series` is JSON: attributes. `kind`: gauge, sum, histogram, summary. A number of a sum or histogram
    that is `total` counts since the start of its process, else since the last point. `value` is the number,
    or the sum of a histogram; `rest` is JSON of its counts."""

    name: str
    service: str
    unit: str
    kind: str
    description: str
    total: bool
    series: str
    time: int
    value: float
    rest: str


class Arrived(NamedTuple):
    """One batch, ready to be stored."""

    spans: tuple[SpanRow, ...] = ()
    logs: tuple[LogRow, ...] = ()
    points: tuple[PointRow, ...] = ()


class Taken(NamedTuple):
    """A batch, and what of it was not taken: a number, and why. `cut` counts texts that were shortened."""

    batch: Arrived
    rejected: int = 0
    why: str = ""
    cut: int = 0
