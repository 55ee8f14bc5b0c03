"""Lists traces, and one trace with its spans."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record
from invoke_devstack.traces.asking.moments import milliseconds, rfc3339
from invoke_devstack.traces.asking.waterfall import Node, arrange
from invoke_devstack.traces.keeping.database import DURATION

MOST_SPANS = 20_000
_BUDGET = 0.08  # seconds that a search may take before it says where to go on
_FEW = 2000  # traces that are sorted rather than looked for among all
_SLOWER = f"{DURATION} >= ?"
KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
_SUMMARY = "trace, service, name, rooted, root_start, root_end, start, end, spans, errors"
_SPANS = "SELECT span, parent, service, name, kind, start, end, status, peer, resource, rest FROM spans"


@record(kw_only=True)
class Wanted:
    """Which traces. Times are nanoseconds; `cursor` is the `next` of an earlier answer."""

    services: Sequence[str] = ()
    errors: bool = False
    slower_than: int = 0
    since: int = 0
    until: int = 0
    text: str = ""
    limit: int = 100
    cursor: str = ""


def find_traces(connection: sqlite3.Connection, wanted: Wanted, budget: float = _BUDGET) -> dict[str, Any]:
    """The newest first. A search for a text ends after `budget` seconds, with `next` where to go on. Raises
    UsageError for an unknown cursor."""
    deadline = time.monotonic() + budget
    found: list[Any] = []
    position = ""
    for row in _candidates(connection, wanted):
        too_long = wanted.text and position and time.monotonic() > deadline
        if len(found) == wanted.limit or too_long:
            return {"traces": _summaries(connection, found), "next": position}
        position = f"{row[6]}-{row[0].hex()}"
        if not wanted.text or _has_text(connection, row, wanted.text):
            found.append(row)
    return {"traces": _summaries(connection, found), "next": ""}


def _candidates(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[Any]:
    conditions = ["1"]
    values: list[object] = []
    simple: tuple[tuple[object, str, tuple[object, ...]], ...] = (
        (wanted.errors, "errors > 0", ()),
        (wanted.since, "start >= ?", (wanted.since,)),
        (wanted.until, "start <= ?", (wanted.until,)),
        (wanted.cursor, "(start, trace) < (?, ?)", _position(wanted.cursor)),
    )
    for is_set, condition, given in simple:
        if is_set:
            conditions.append(condition)
            values += given
    few = False
    by_service = f"service IN ({','.join('?' * len(wanted.services))})"
    by_index: tuple[tuple[object, str, str, str, tuple[object, ...]], ...] = (
        (
            wanted.services,
            "parts",
            by_service,
            f"EXISTS (SELECT 1 FROM parts WHERE parts.trace = traces.trace AND {by_service})",
            tuple(wanted.services),
        ),
        (wanted.slower_than, "traces", _SLOWER, _SLOWER, (wanted.slower_than,)),
    )
    for is_set, table, condition, otherwise, given in by_index:
        if is_set:
            are_few = _are_few(connection, table, condition, given)
            chosen = f"trace IN (SELECT trace FROM {table} WHERE {condition})"
            conditions.append(chosen if are_few else otherwise)
            values += given
            few |= are_few
    # The sign keeps SQLite from walking through all traces in the order of their start.
    order = "+start DESC, trace DESC" if few else "start DESC, trace DESC"
    query = f"SELECT {_SUMMARY} FROM traces WHERE {' AND '.join(conditions)} ORDER BY {order}"
    return connection.execute(query, values)


def _are_few(connection: sqlite3.Connection, source: str, within: str, given: Sequence[object]) -> bool:
    """Whether an index leads to so few traces that these are sorted."""
    query = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {within} LIMIT {_FEW + 1})"
    return bool(connection.execute(query, given).fetchone()[0] <= _FEW)


def _position(cursor: str) -> tuple[int, bytes]:
    start, _, trace = cursor.partition("-")
    try:
        return (int(start), bytes.fromhex(trace)) if cursor else (0, b"")
    except ValueError:
        raise UsageError("unknown cursor", hint="Take `next` of an earlier answer.") from None


def _has_text(connection: sqlite3.Connection, row: Any, text: str) -> bool:
    """In the id, or in a name or attribute of a span."""
    if row[0].hex().startswith(text.lower()):
        return True
    plain = f"%{escaped(text)}%"
    coded = f"%{escaped(json.dumps(text, ensure_ascii=False)[1:-1])}%"
    query = (
        r"SELECT 1 FROM spans WHERE trace = ? AND (name LIKE ? ESCAPE '\' OR rest LIKE ? ESCAPE '\') LIMIT 1"
    )
    return connection.execute(query, (row[0], plain, coded)).fetchone() is not None


def escaped(text: str) -> str:
    """For LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _summaries(connection: sqlite3.Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [_summary(connection, row) for row in rows]


def _summary(connection: sqlite3.Connection, row: Any) -> dict[str, Any]:
    trace, service, name, rooted, root_start, root_end, start, end, spans, errors = row
    parts = connection.execute(
        "SELECT service, spans, errors FROM parts WHERE trace = ? ORDER BY spans DESC, service", (trace,)
    )
    return {
        "trace_id": trace.hex(),
        "service": service,
        "name": name,
        "started": rfc3339(root_start if rooted else start),
        "started_ns": str(root_start if rooted else start),
        "duration_ms": milliseconds(root_end - root_start if rooted else end - start),
        "spans": spans,
        "errors": errors,
        "complete": bool(rooted),
        "services": [{"service": item[0], "spans": item[1], "errors": item[2]} for item in parts],
    }


def find_id(connection: sqlite3.Connection, prefix: str) -> list[bytes]:
    """The ids of at most two traces that begin so. Raises UsageError for what no id begins with."""
    text = prefix.strip().lower()
    if not text or len(text) > 32 or set(text) - set("0123456789abcdef"):
        raise UsageError(f"`{prefix[:60]}` is no trace id", hint="It has 32 hexadecimal digits.")
    low, high = bytes.fromhex(text.ljust(32, "0")), bytes.fromhex(text.ljust(32, "f"))
    rows = connection.execute("SELECT trace FROM traces WHERE trace BETWEEN ? AND ? LIMIT 2", (low, high))
    return [row[0] for row in rows]


def read_trace(connection: sqlite3.Connection, trace: bytes, *, brief: bool = False) -> dict[str, Any] | None:
    """A trace with its spans in the order of a waterfall; None if it is not there. `brief`: without what has
    its usual value (`USUAL`) and the times of spans, which follow from `first_ns`; half as long."""
    row = connection.execute(f"SELECT {_SUMMARY} FROM traces WHERE trace = ?", (trace,)).fetchone()
    if row is None:
        return None
    # Sorting is the waterfall's business; the database sorts only where it has to choose.
    chosen = "ORDER BY start, id LIMIT ?" if row[8] > MOST_SPANS else "LIMIT ?"
    rows = connection.execute(f"{_SPANS} WHERE trace = ? {chosen}", (trace, MOST_SPANS)).fetchall()
    nodes = arrange(
        [Node(item[0], item[1], item[5], item[6], item[4], (item[2], item[9]), item) for item in rows]
    )
    first = min((node.start for node in nodes), default=0)
    shown = _brief_span if brief else _span
    return {
        **_summary(connection, row),
        **({"first_ns": str(first)} if brief else {}),
        "spans": [shown(node, rest, first) for node, rest in zip(nodes, _rests(nodes), strict=True)],
        "more": max(row[8] - len(nodes), 0),
        "resources": _resources(connection, {item[9] for item in rows}),
    }


def _rests(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """What is stored as JSON of each, read as one text: that takes a third of the time of many small ones,
    and names that come again are in memory once."""
    rows: list[Any] = [node.row for node in nodes]
    found: list[dict[str, Any]] = json.loads(f"[{','.join(row[10] for row in rows)}]")
    return found


def _resources(connection: sqlite3.Connection, ids: set[int]) -> dict[str, Any]:
    found = {}
    for id_ in sorted(ids):
        text = connection.execute("SELECT text FROM resources WHERE id = ?", (id_,)).fetchone()
        found[str(id_)] = json.loads(text[0]) if text else {}
    return found


USUAL: dict[str, Any] = {
    "span_id": "",
    "parent_id": "",
    "depth": 0,
    "service": "",
    "name": "",
    "kind": "internal",
    "started": "",
    "started_ns": "",
    "offset_ms": 0.0,
    "duration_ms": 0.0,
    "self_ms": 0.0,
    "status": "unset",
    "status_text": "",
    "attributes": {},
    "events": [],
    "links": [],
    "resource": "",
    "scope": "",
    "peer": "",
    "orphan": False,
    "shift_ms": 0.0,
    "cut": [],
}
"""All that is said of a span, in this order, as it is for most."""


def _span(node: Node, rest: dict[str, Any], first: int) -> dict[str, Any]:
    row: Any = node.row
    start = row[5]
    times = {"started": rfc3339(start), "started_ns": str(start)}
    return {**USUAL, **_brief_span(node, rest, first), **times}


def _brief_span(node: Node, rest: dict[str, Any], first: int) -> dict[str, Any]:
    row: Any = node.row
    found = {
        "span_id": row[0].hex(),
        "parent_id": row[1].hex(),
        "depth": node.depth,
        "service": row[2],
        "name": row[3],
        "kind": named(KINDS, row[4]),
        "offset_ms": milliseconds(node.start - first),
        "duration_ms": milliseconds(node.end - node.start),
        "self_ms": milliseconds(node.self_time),
        "attributes": rest["a"],
        "resource": str(row[9]),
    }
    if row[7]:
        found["status"] = named(STATUSES, row[7])
    if row[8] and not any(child.place != node.place for child in node.children):
        found["peer"] = row[8]
    if node.orphan:
        found["orphan"] = True
    if node.shift:
        found["shift_ms"] = milliseconds(node.shift)
    if len(rest) > 1:
        _add_rest(found, rest, node.shift - first)
    return found


def _add_rest(found: dict[str, Any], rest: dict[str, Any], add: int) -> None:
    found.update(
        {name: rest[key] for key, name in (("m", "status_text"), ("s", "scope"), ("c", "cut")) if key in rest}
    )
    if "e" in rest:
        found["events"] = [_event(item, add) for item in rest["e"]]
    if "l" in rest:
        found["links"] = [
            {"trace_id": item[0], "span_id": item[1], "attributes": item[2]} for item in rest["l"]
        ]


def named(names: Sequence[str], number: int) -> str:
    """The name of a number of OTLP; the first one for a number that it does not have."""
    return names[number] if 0 <= number < len(names) else names[0]


def _event(item: Any, add: int) -> dict[str, Any]:
    at, name, attributes = item
    return {"name": name, "offset_ms": milliseconds(at + add), "time": rfc3339(at), "attributes": attributes}
