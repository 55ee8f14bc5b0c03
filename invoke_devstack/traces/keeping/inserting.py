"""Puts one batch into the tables. A span that is there, by trace and span id, is not counted again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from invoke_devstack.traces.rows import ERROR, Arrived, LogRow, PointRow, SpanRow

_SPAN = """INSERT INTO spans(
    trace, span, parent, service, name, kind, start, end, status, peer, resource, rest)
VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(trace, span) DO NOTHING"""
_IS_BETTER = "excluded.rooted * 2 + (excluded.root_start < root_start) > rooted * 2"
"""Whether the root in the new batch takes the place of that of before: it has no parent, or is earlier."""
_TRACE = f"""INSERT INTO traces VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(trace) DO UPDATE SET
service = CASE WHEN {_IS_BETTER} THEN excluded.service ELSE service END,
name = CASE WHEN {_IS_BETTER} THEN excluded.name ELSE name END,
root_end = CASE WHEN {_IS_BETTER} THEN excluded.root_end ELSE root_end END,
root_start = CASE WHEN {_IS_BETTER} THEN excluded.root_start ELSE root_start END,
rooted = max(rooted, excluded.rooted), start = min(start, excluded.start), end = max(end, excluded.end),
spans = spans + excluded.spans, errors = errors + excluded.errors, arrived = excluded.arrived"""
_PART = """INSERT INTO parts VALUES(?,?,?,?) ON CONFLICT(trace, service)
DO UPDATE SET spans = spans + excluded.spans, errors = errors + excluded.errors"""
_LOG = """INSERT INTO logs(time, service, level, trace, span, text, resource, rest, arrived)
VALUES(?,?,?,?,?,?,?,?,?)"""
_SERIES = """INSERT INTO series(name, service, unit, kind, description, total, attributes)
VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET unit = excluded.unit RETURNING id"""
_POINT = """INSERT INTO points VALUES(?,?,?,?,?) ON CONFLICT
DO UPDATE SET value = excluded.value, rest = excluded.rest"""
_MOST_REMEMBERED = 10_000


class Inserter:
    """Remembers the ids of resources and series. `connection` has a transaction open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[str, int] = {}
        self._series: dict[tuple[str, str, str, str], int] = {}

    def forget(self) -> None:
        """What was remembered may have been removed or rolled back."""
        self._resources.clear()
        self._series.clear()

    def insert(self, batch: Arrived, now: int) -> tuple[int, int]:
        """`now` is in seconds. Returns how many spans were new, and how many of those had failed."""
        new = self._insert_spans(batch.spans)
        self._summarise(new, now)
        self._insert_logs(batch.logs, now)
        self._insert_points(batch.points, now)
        return len(new), sum(row.status == ERROR for row in new)

    def _insert_spans(self, rows: Iterable[SpanRow]) -> list[SpanRow]:
        cursor, new = self._connection.cursor(), []
        for row in rows:
            cursor.execute(_SPAN, (*row[:10], self._resource(row.resource), row.rest))
            if cursor.rowcount == 1:
                new.append(row)
        return new

    def _summarise(self, rows: Sequence[SpanRow], now: int) -> None:
        traces: dict[bytes, _Summary] = {}
        parts: dict[tuple[bytes, str], list[int]] = {}
        for row in rows:
            summary = traces.get(row.trace)
            if summary is None:
                traces[row.trace] = summary = _Summary(row)
            summary.add(row)
            part = parts.setdefault((row.trace, row.service), [0, 0])
            part[0] += 1
            part[1] += row.status == ERROR
        self._connection.executemany(_TRACE, (item.values(now) for item in traces.values()))
        self._connection.executemany(_PART, ((*key, *counts) for key, counts in parts.items()))

    def _insert_logs(self, rows: Iterable[LogRow], now: int) -> None:
        self._connection.executemany(
            _LOG, ((*row[:6], self._resource(row.resource), row.rest, now) for row in rows)
        )

    def _insert_points(self, rows: Iterable[PointRow], now: int) -> None:
        self._connection.executemany(
            _POINT, [(self._series_of(row), row.time, row.value, row.rest, now) for row in rows]
        )

    def _resource(self, text: str) -> int:
        found = self._resources.get(text)
        if found is None:
            if len(self._resources) >= _MOST_REMEMBERED:
                self._resources.clear()
            self._connection.execute("INSERT OR IGNORE INTO resources(text) VALUES(?)", (text,))
            row = self._connection.execute("SELECT id FROM resources WHERE text = ?", (text,)).fetchone()
            found = self._resources[text] = int(row[0])
        return found

    def _series_of(self, row: PointRow) -> int:
        key = (row.name, row.service, row.kind, row.series)
        found = self._series.get(key)
        if found is None:
            if len(self._series) >= _MOST_REMEMBERED:
                self._series.clear()
            values = (row.name, row.service, row.unit, row.kind, row.description, row.total, row.series)
            found = self._series[key] = int(self._connection.execute(_SERIES, values).fetchone()[0])
        return found


class _Summary:
    """What of a trace is in one batch. Its root is a span without a parent, else the earliest one."""

    def __init__(self, first: SpanRow) -> None:
        self._trace = first.trace
        self._root = first
        self._start, self._end = first.start, first.end
        self._spans = self._errors = 0

    def add(self, row: SpanRow) -> None:
        self._spans += 1
        self._errors += row.status == ERROR
        self._start, self._end = min(self._start, row.start), max(self._end, row.end)
        if (bool(row.parent), row.start) < (bool(self._root.parent), self._root.start):
            self._root = row

    def values(self, now: int) -> tuple[object, ...]:
        root = self._root
        return (
            self._trace, root.service, root.name, not root.parent, root.start, root.end,
            self._start, self._end, self._spans, self._errors, now,
        )  # fmt: skip
