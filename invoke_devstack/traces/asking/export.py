"""A trace as OTLP's JSON, which other tools read, and which can be imported again."""

from __future__ import annotations

import json
import sqlite3
from typing import Any


def export_trace(connection: sqlite3.Connection, trace: bytes) -> dict[str, Any] | None:
    """A `TracesData` with all spans as they arrived; None if there are none."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    rows = connection.execute(
        "SELECT span, parent, name, kind, start, end, status, resource, rest FROM spans WHERE trace = ? "
        "ORDER BY id",
        (trace,),
    )
    for row in rows:
        rest = json.loads(row[8])
        groups.setdefault((row[7], rest.get("s", "")), []).append(_span(trace, row, rest))
    if not groups:
        return None
    found = []
    for (resource, scope), spans in groups.items():
        text = connection.execute("SELECT text FROM resources WHERE id = ?", (resource,)).fetchone()
        attributes = _attributes(json.loads(text[0]) if text else {})
        scopes = [{"scope": {"name": scope}, "spans": spans}]
        found.append({"resource": {"attributes": attributes}, "scopeSpans": scopes})
    return {"resourceSpans": found}


def _span(trace: bytes, row: Any, rest: dict[str, Any]) -> dict[str, Any]:
    span, parent, name, kind, start, end, status, _, _ = row
    found = {
        "traceId": trace.hex(),
        "spanId": span.hex(),
        "parentSpanId": parent.hex(),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _attributes(rest["a"]),
        "events": [
            {"timeUnixNano": str(at), "name": title, "attributes": _attributes(attributes)}
            for at, title, attributes in rest.get("e", ())
        ],
        "links": [
            {"traceId": other, "spanId": of, "attributes": _attributes(attributes)}
            for other, of, attributes in rest.get("l", ())
        ],
        "status": {"code": status, "message": rest.get("m", "")},
    }
    return {key: value for key, value in found.items() if value not in ("", [])}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    return {} if value is None else {"stringValue": value}
