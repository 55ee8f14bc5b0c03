"""Rows of the points of metrics in a request."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.receiving.cleaning import Cleaner, to_json
from invoke_devstack.traces.receiving.spans import service_of, why
from invoke_devstack.traces.rows import Arrived, PointRow, Taken

_LATEST = 2**63 - 1
_CUMULATIVE = 2
_MOST_BUCKETS = 400
Found = tuple[float, dict[str, Any]]


def rows(message: Any, secrets: SecretValues) -> Taken:
    """The points of an `ExportMetricsServiceRequest`."""
    cleaner = Cleaner(secrets)
    found: list[PointRow] = []
    faults: Counter[str] = Counter()
    for group in message.resource_metrics:
        service = service_of(cleaner.attributes(group.resource.attributes))
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                for row in _rows_of(metric, service, cleaner):
                    if isinstance(row, str):
                        faults[row] += 1
                    else:
                        found.append(row)
    return Taken(Arrived(points=tuple(found)), faults.total(), why(faults), cleaner.cut)


def _rows_of(metric: Any, service: str, cleaner: Cleaner) -> Iterator[PointRow | str]:
    """A row for each point, or why there is none."""
    kind = metric.WhichOneof("data")
    if kind is None or not metric.name:
        yield "a metric without a name or without points"
        return
    data = getattr(metric, kind)
    total = getattr(data, "aggregation_temporality", _CUMULATIVE) == _CUMULATIVE
    # A sum that may fall is a level, as a gauge is.
    shown = "gauge" if kind == "sum" and not data.is_monotonic else kind
    shown = "histogram" if kind == "exponential_histogram" else shown
    for point in data.data_points:
        value, rest = _READ[kind](point)
        if not (0 < point.time_unix_nano <= _LATEST):
            yield "a point has no time"
        elif not math.isfinite(value):
            yield "a value is not a finite number"
        else:
            yield PointRow(
                cleaner.name(metric.name),
                service,
                cleaner.name(metric.unit),
                shown,
                cleaner.title(metric.description)[:1000],
                total,
                to_json(dict(sorted(cleaner.attributes(point.attributes).items()))),
                point.time_unix_nano,
                value,
                to_json(rest) if rest else "",
            )


def _number(point: Any) -> Found:
    return (point.as_int if point.WhichOneof("value") == "as_int" else point.as_double), {}


def _histogram(point: Any) -> Found:
    """`b`: upper bounds of the buckets; `n`: how many are in each, and above the last one."""
    bounds, counts = (
        list(point.explicit_bounds[:_MOST_BUCKETS]),
        list(point.bucket_counts[: _MOST_BUCKETS + 1]),
    )
    return point.sum, {"count": point.count, "b": bounds, "n": counts}


def _exponential(point: Any) -> Found:
    """The same with its buckets in place of the formula. Values below zero are counted without a bucket."""
    if abs(point.scale) > 20:
        return point.sum, {"count": point.count, "b": [], "n": []}
    base = 2.0 ** (2.0**-point.scale)
    offset, counts = point.positive.offset, list(point.positive.bucket_counts[:_MOST_BUCKETS])
    bounds = [_power(base, offset + index) for index in range(len(counts) + 1)]
    return point.sum, {"count": point.count, "b": bounds, "n": [point.zero_count, *counts, 0]}


def _power(base: float, exponent: int) -> float:
    try:
        return min(base**exponent, 1e300)
    except OverflowError:
        return 1e300


def _summary(point: Any) -> Found:
    quantiles = {
        str(item.quantile): item.value for item in point.quantile_values[:20] if math.isfinite(item.value)
    }
    return point.sum, {"count": point.count, "q": quantiles}


_READ = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}
