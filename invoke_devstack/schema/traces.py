"""Members of a trace and of its spans, as `traces` and the dashboard's API answer."""

from __future__ import annotations

from invoke_devstack.schema.shapes import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    OPEN_OBJECT,
    TEXT,
    by_name,
    one_of,
    record_of,
    several,
)

_PART = {"service": TEXT, "spans": INTEGER, "errors": INTEGER}
_EVENT = {"name": TEXT, "offset_ms": NUMBER, "time": TEXT, "attributes": OPEN_OBJECT}
_LINK = {"trace_id": TEXT, "span_id": TEXT, "attributes": OPEN_OBJECT}
TRACE = {
    "trace_id": TEXT,
    "service": TEXT,
    "name": TEXT,
    "started": TEXT,
    "started_ns": TEXT,
    "duration_ms": NUMBER,
    "spans": INTEGER,
    "errors": INTEGER,
    "complete": BOOLEAN,
    "services": several(record_of(_PART)),
}
SPAN = {
    "span_id": TEXT,
    "parent_id": TEXT,
    "depth": INTEGER,
    "service": TEXT,
    "name": TEXT,
    "kind": one_of("internal", "server", "client", "producer", "consumer"),
    "started": TEXT,
    "started_ns": TEXT,
    "offset_ms": NUMBER,
    "duration_ms": NUMBER,
    "self_ms": NUMBER,
    "status": one_of("unset", "ok", "error"),
    "status_text": TEXT,
    "attributes": OPEN_OBJECT,
    "events": several(record_of(_EVENT)),
    "links": several(record_of(_LINK)),
    "resource": TEXT,
    "scope": TEXT,
    "peer": TEXT,
    "orphan": BOOLEAN,
    "shift_ms": NUMBER,
    "cut": several(TEXT),
}
WHOLE_TRACE = {
    **TRACE,
    "spans": several(record_of(SPAN)),
    "more": INTEGER,
    "resources": by_name(OPEN_OBJECT),
}
