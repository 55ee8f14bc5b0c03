"""Structured logs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record
from invoke_devstack.traces.asking.moments import rfc3339
from invoke_devstack.traces.asking.traces import escaped

LEVELS = ("trace", "debug", "info", "warning", "error", "fatal")
_STEP = 4  # OTLP has four numbers for each level
MOST_OF_TRACE = 5000
_COLUMNS = "logs.id, time, service, level, trace, span, logs.text, resources.text, rest"
_FROM = f"SELECT {_COLUMNS} FROM logs JOIN resources ON resources.id = logs.resource"


@record(kw_only=True)
class WantedLogs:
    """Which logs. Times are nanoseconds, `level` is the lowest; `cursor` is `next` of an earlier answer."""

    services: Sequence[str] = ()
    level: str = ""
    text: str = ""
    trace: bytes = b""
    span: bytes = b""
    since: int = 0
    until: int = 0
    limit: int = 200
    cursor: str = ""


def find_logs(connection: sqlite3.Connection, wanted: WantedLogs) -> dict[str, Any]:
    """The newest first. Raises UsageError for an unknown level or cursor."""
    conditions = ["1"]
    values: list[object] = []
    plain, coded = (
        f"%{escaped(text)}%" for text in (wanted.text, json.dumps(wanted.text, ensure_ascii=False)[1:-1])
    )
    marks = ",".join("?" * len(wanted.services))
    choices: tuple[tuple[object, str, tuple[object, ...]], ...] = (
        (wanted.services, f"service IN ({marks})", tuple(wanted.services)),
        (wanted.level, f"level >= {_lowest(wanted.level)}", ()),  # a number, so that an index is found
        (wanted.text, r"(logs.text LIKE ? ESCAPE '\' OR rest LIKE ? ESCAPE '\')", (plain, coded)),
        (wanted.trace, "trace = ? AND trace != x''", (wanted.trace,)),
        (wanted.span, "span = ?", (wanted.span,)),
        (wanted.since, "time >= ?", (wanted.since,)),
        (wanted.until, "time <= ?", (wanted.until,)),
        (wanted.cursor, "(time, logs.id) < (?, ?)", _position(wanted.cursor)),
    )
    for is_set, condition, given in choices:
        if is_set:
            conditions.append(condition)
            values += given
    query = f"{_FROM} WHERE {' AND '.join(conditions)} ORDER BY time DESC, logs.id DESC LIMIT ?"
    rows = connection.execute(query, (*values, wanted.limit + 1)).fetchall()
    kept = rows[: wanted.limit]
    more = f"{kept[-1][1]}-{kept[-1][0]}" if len(rows) > len(kept) else ""
    return {"logs": [_log(row) for row in kept], "next": more}


def logs_of_trace(connection: sqlite3.Connection, trace: bytes) -> list[dict[str, Any]]:
    """The oldest first."""
    rows = connection.execute(
        f"{_FROM} WHERE trace = ? AND trace != x'' ORDER BY time, logs.id LIMIT ?", (trace, MOST_OF_TRACE)
    )
    return [_log(row) for row in rows]


def _lowest(level: str) -> int:
    if level and level not in LEVELS:
        raise UsageError(f"unknown level `{level[:40]}`", hint=f"Levels: {', '.join(LEVELS)}.")
    return LEVELS.index(level) * _STEP + 1 if level else 0


def _position(cursor: str) -> tuple[int, int]:
    time, _, number = cursor.partition("-")
    try:
        return (int(time), int(number)) if cursor else (0, 0)
    except ValueError:
        raise UsageError("unknown cursor", hint="Take `next` of an earlier answer.") from None


def level_of(number: int) -> str:
    """The name of OTLP's number; empty for 0."""
    return LEVELS[min((number - 1) // _STEP, len(LEVELS) - 1)] if number > 0 else ""


def _log(row: Any) -> dict[str, Any]:
    id_, time, service, level, trace, span, text, resource, stored = row
    rest = json.loads(stored)
    return {
        "id": id_,
        "time": rfc3339(time),
        "time_ns": str(time),
        "service": service,
        "level": level_of(level),
        "severity": rest.get("n", ""),
        "text": text,
        "trace_id": trace.hex(),
        "span_id": span.hex(),
        "attributes": rest["a"],
        "resource": json.loads(resource),
        "scope": rest.get("s", ""),
        "cut": rest.get("c", []),
    }
