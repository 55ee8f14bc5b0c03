"""Answers of the API of traces, made up: what no application here would send."""

from __future__ import annotations

import time
from typing import Any

from tests.browser.stand_in import Json

NANOSECOND = 1_000_000_000


def moment(seconds: float) -> str:
    whole = int(seconds)
    milliseconds = round((seconds - whole) * 1000) % 1000
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03}Z"


def trace_id(number: int) -> str:
    return f"{number:032x}"


def span(number: int, parent: int | None = None, depth: int = 0, **changes: Any) -> Json:
    """A span of a trace. `offset_ms` and the like are in milliseconds."""
    made: Json = {
        "span_id": f"{number:016x}",
        "parent_id": "" if parent is None else f"{parent:016x}",
        "depth": depth,
        "service": "web",
        "name": "GET /",
        "kind": "server",
        "offset_ms": 0.0,
        "duration_ms": 20.0,
        "self_ms": 5.0,
        "status": "unset",
        "status_text": "",
        "attributes": {},
        "events": [],
        "links": [],
        "resource": "web",
        "scope": "made up",
        "peer": "",
        "orphan": False,
        "shift_ms": 0,
        "cut": [],
    }
    return {**made, **changes}


def trace(number: int, spans: list[Json], began: float = 1_767_600_000.0, **changes: Any) -> Json:
    """One trace: the answer of GET traces/ID."""
    for one in spans:
        one.setdefault("started", moment(began + one["offset_ms"] / 1000))
        one.setdefault("started_ns", str(int((began + one["offset_ms"] / 1000) * NANOSECOND)))
    names = list(dict.fromkeys(one["service"] for one in spans))
    services = [
        {
            "service": name,
            "spans": sum(one["service"] == name for one in spans),
            "errors": sum(one["service"] == name and one["status"] == "error" for one in spans),
        }
        for name in names
    ]
    made: Json = {
        "trace_id": trace_id(number),
        "service": spans[0]["service"],
        "name": spans[0]["name"],
        "started": moment(began),
        "started_ns": str(int(began * NANOSECOND)),
        "duration_ms": max(one["offset_ms"] + one["duration_ms"] for one in spans),
        "errors": sum(one["status"] == "error" for one in spans),
        "complete": True,
        "services": services,
        "spans": spans,
        "resources": {name: {"service.name": name, "service.instance.id": f"{name}-1"} for name in names},
        "more": 0,
    }
    return {**made, **changes}


def log(number: int, text: str, at: float = 1_767_600_000.0, **changes: Any) -> Json:
    """A structured log."""
    made: Json = {
        "id": str(number),
        "time": moment(at),
        "time_ns": str(int(at * NANOSECOND)),
        "service": "web",
        "level": "info",
        "severity": "INFO",
        "text": text,
        "trace_id": "",
        "span_id": "",
        "attributes": {},
        "resource": {"service.name": "web"},
        "scope": "sample",
        "cut": [],
    }
    return {**made, **changes}


def a_visit(number: int, began: float = 1_767_600_000.0, slower: float = 1.0) -> Json:
    """A request that asks Redis and MySQL."""
    redis = {"db.system": "redis", "db.statement": "INCRBY ? ?\nINFO ?", "net.peer.name": "redis"}
    select = "SELECT id, text, UNIX_TIMESTAMP(written_at) FROM notes ORDER BY id DESC LIMIT %s"
    mysql = {"db.system": "mysql", "db.name": "sample", "net.peer.name": "mysql"}
    client = {"kind": "client", "self_ms": 1.0}
    return trace(
        number,
        [
            span(
                1,
                name="GET /",
                duration_ms=14.2 * slower,
                attributes={"http.method": "GET", "http.route": "/", "http.status_code": 200},
            ),
            span(
                2,
                1,
                1,
                name="INCRBY INFO",
                offset_ms=1.1,
                duration_ms=1.9,
                attributes=redis,
                peer="redis",
                **client,
            ),
            span(
                3,
                1,
                1,
                name="SELECT",
                offset_ms=4.0,
                duration_ms=0.9,
                attributes={**mysql, "db.statement": "SELECT 1 FROM notes LIMIT 0"},
                peer="mysql",
                **client,
            ),
            span(
                4,
                1,
                1,
                name="SELECT",
                offset_ms=5.4,
                duration_ms=7.5 * slower,
                attributes={**mysql, "db.statement": select},
                peer="mysql",
                **client,
            ),
        ],
        began,
    )


def answers(traces: list[Json], logs: list[Json] | None = None) -> dict[str, Any]:
    """What the stand-in answers, for these."""
    logs = logs or []
    names = list(dict.fromkeys(one["service"] for whole in traces for one in whole["services"]))
    short = [
        {
            **{name: value for name, value in whole.items() if name != "resources"},
            "spans": len(whole["spans"]),
        }
        for whole in traces
    ]
    status: Json = {
        "receiving": True,
        "endpoint": "http://172.18.0.1:4318",
        "problem": "",
        "hint": "",
        "traces": len(traces),
        "spans": sum(one["spans"] for one in short),
        "logs": len(logs),
        "points": 0,
        "bytes": 1,
        "limit": 2,
        "oldest": None,
        "rejected": 0,
        "cut": 0,
        "services": [{"name": name} for name in names],
    }
    made: dict[str, Any] = {
        "traces/status": status,
        "traces": {"traces": short, "next": ""},
        "traces/logs": {"logs": logs, "next": ""},
        "traces/map": {"nodes": [], "edges": [], "sampled": False},
        "traces/metrics": {"metrics": []},
    }
    for whole in traces:
        own = [one for one in logs if one["trace_id"] == whole["trace_id"]]
        made[f"traces/{whole['trace_id']}"] = whole
        made[f"traces/{whole['trace_id']}/logs"] = {"logs": own}
    return made
