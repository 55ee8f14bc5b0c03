"""Metrics: their names, and series to draw. Counters become rates, histograms rates with mean and p95."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from invoke_devstack.traces.asking.moments import rfc3339

MOST_SERIES = 50
MOST_POINTS = 1000
_COLUMNS = {
    "value": ["time", "value"],
    "rate": ["time", "per_second"],
    "distribution": ["time", "per_second", "mean", "p95"],
}
_SHOWS = {"gauge": "value", "sum": "rate", "histogram": "distribution", "summary": "distribution"}


def names(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """One entry for each metric of each service."""
    rows = connection.execute(
        "SELECT name, service, unit, kind, description, max(last), count(*) FROM (SELECT series.*, "
        "(SELECT max(time) FROM points WHERE points.series = series.id) AS last FROM series) "
        "WHERE last IS NOT NULL GROUP BY name, service, kind ORDER BY name, service"
    )
    return [
        {
            "name": row[0],
            "service": row[1],
            "unit": row[2],
            "kind": row[3],
            "description": row[4],
            "shows": _SHOWS[row[3]],
            "last": rfc3339(row[5]),
            "series": row[6],
        }
        for row in rows
    ]


def series_of(connection: sqlite3.Connection, name: str, service: str, since: int) -> dict[str, Any] | None:
    """None if there is no such metric. `since` is in nanoseconds."""
    rows = connection.execute(
        "SELECT id, service, unit, kind, description, total, attributes FROM series "
        "WHERE name = ? AND (? = '' OR service = ?) ORDER BY service, attributes LIMIT ?",
        (name, service, service, MOST_SERIES + 1),
    ).fetchall()
    if not rows:
        return None
    shows = _SHOWS[rows[0][3]]
    return {
        "name": name,
        "unit": rows[0][2],
        "kind": rows[0][3],
        "description": rows[0][4],
        "shows": shows,
        "columns": _COLUMNS[shows],
        "more": len(rows) > MOST_SERIES,
        "series": [
            {
                "service": row[1],
                "attributes": json.loads(row[6]),
                "points": _points(connection, row, since),
            }
            for row in rows[:MOST_SERIES]
            if row[3] == rows[0][3]
        ],
    }


def _points(connection: sqlite3.Connection, row: Any, since: int) -> list[list[float | None]]:
    found = connection.execute(
        "SELECT time, value, rest FROM points WHERE series = ? AND time >= ? ORDER BY time DESC LIMIT ?",
        (row[0], since, MOST_POINTS + 1),
    ).fetchall()[::-1]
    kind, total = row[3], bool(row[5])
    if kind == "gauge":
        return [[time / 1e9, value] for time, value, _ in found[-MOST_POINTS:]]
    if kind == "sum":
        return list(_rates(found, total=total))
    return list(_distributions(found, total=total))


def _rates(points: Iterable[Any], *, total: bool) -> Iterator[list[float | None]]:
    """A counter that falls was begun again by a new process."""
    before: tuple[int, float] | None = None
    for time, value, _ in points:
        if before is not None:
            seconds = (time - before[0]) / 1e9
            grown = value - before[1] if total and value >= before[1] else value
            yield [time / 1e9, round(grown / seconds, 6)]
        before = time, value


def _distributions(points: Iterable[Any], *, total: bool) -> Iterator[list[float | None]]:
    before: tuple[int, float, dict[str, Any]] | None = None
    for time, value, text in points:
        rest = json.loads(text) if text else {"count": 0}
        if before is not None:
            seconds = (time - before[0]) / 1e9
            old = before[2] if total and rest["count"] >= before[2]["count"] else {"count": 0}
            count = rest["count"] - old["count"]
            grown = value - (before[1] if old["count"] else 0.0)
            mean = round(grown / count, 6) if count else None
            yield [time / 1e9, round(count / seconds, 6), mean, _p95(rest, old)]
        before = time, value, rest


def _p95(rest: dict[str, Any], old: dict[str, Any]) -> float | None:
    """Within its bucket by proportion; the last bucket has no end, so its start is said."""
    if "q" in rest:
        found = rest["q"].get("0.95")
        return float(found) if found is not None else None
    counts, bounds = rest.get("n") or [], rest.get("b") or []
    earlier = old.get("n") or []
    if len(earlier) == len(counts):
        counts = [max(now - then, 0) for now, then in zip(counts, earlier, strict=True)]
    wanted = sum(counts) * 0.95
    if not wanted or not bounds:
        return None
    reached = 0.0
    for index, count in enumerate(counts):
        if count and reached + count >= wanted:
            if index >= len(bounds):
                break
            low = float(bounds[index - 1]) if index else min(0.0, float(bounds[0]))
            return float(round(low + (float(bounds[index]) - low) * (wanted - reached) / count, 6))
        reached += count
    return float(bounds[-1])
