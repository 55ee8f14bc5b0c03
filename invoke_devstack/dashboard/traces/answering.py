"""What the pages and programs get under `/api/v1/traces`: questions from parameters of a request."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from invoke_devstack.dashboard.traces.collector import Collector
from invoke_devstack.errors import UsageError
from invoke_devstack.traces.asking import export, logs, metrics, service_map, traces
from invoke_devstack.traces.asking.moments import moment

Query = Mapping[str, str]
_MOST = 1000
_MAP_STAYS = 2.0  # seconds
_MAP_SINCE, _METRICS_SINCE = "15m", "15m"


class Answering:
    """Each method answers one path. They read the disk, so they run in a thread."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._reading = collector.reading
        self._lock = threading.Lock()
        self._map: tuple[str, float, dict[str, Any]] = "", 0.0, {}

    def find(self, query: Query, _: object = ()) -> dict[str, Any]:
        wanted = traces.Wanted(
            services=tuple(filter(None, (query.get("service", ""),))),
            errors=query.get("errors", "") not in ("", "0"),
            slower_than=int(_number(query, "slower_than_ms", 0.0) * 1e6),
            since=_moment(query, "since"),
            until=_moment(query, "until"),
            text=query.get("text", ""),
            limit=_limit(query, 100),
            cursor=query.get("cursor", ""),
        )
        return self._reading.ask(
            lambda opened: traces.find_traces(opened, wanted), {"traces": [], "next": ""}
        )

    def one(self, trace: str, *, brief: bool = False) -> dict[str, Any] | None:
        id_ = _id(trace, 16)
        return self._reading.ask(lambda opened: traces.read_trace(opened, id_, brief=brief), None)

    def logs_of(self, trace: str) -> dict[str, Any]:
        id_ = _id(trace, 16)
        nothing: list[dict[str, Any]] = []
        return {"logs": self._reading.ask(lambda opened: logs.logs_of_trace(opened, id_), nothing)}

    def exported(self, trace: str) -> dict[str, Any] | None:
        id_ = _id(trace, 16)
        return self._reading.ask(lambda opened: export.export_trace(opened, id_), None)

    def imported(self, body: bytes) -> dict[str, Any]:
        """Raises UsageError for what is no OTLP JSON."""
        from invoke_devstack.traces.receiving import spans
        from invoke_devstack.traces.receiving.messages import read_message

        message = read_message("traces", body, is_json=True)
        taken = spans.rows(message, self._collector.secrets)
        if not taken.batch.spans and not taken.rejected:
            raise UsageError("there are no spans in it", hint='It takes OTLP JSON: `{"resourceSpans": […]}`.')
        new = self._collector.store(taken.batch) if taken.batch.spans else 0
        ids = dict.fromkeys(row.trace.hex() for row in taken.batch.spans)
        return {"trace_ids": list(ids), "spans": new, "rejected": taken.rejected, "why": taken.why}

    def map(self, query: Query, _: object = ()) -> dict[str, Any]:
        text = query.get("since") or _MAP_SINCE
        with self._lock:  # tabs ask often, and for the same
            drawn, at, found = self._map
            if text != drawn or time.monotonic() - at > _MAP_STAYS:
                found = self._drawn(moment(text))
                self._map = text, time.monotonic(), found
            return found

    def _drawn(self, since: int) -> dict[str, Any]:
        empty = {"sampled": False, "spans": 0, "seconds": 0.0, "nodes": [], "edges": []}
        return self._reading.ask(lambda opened: service_map.draw_map(opened, since), empty)

    def logs(self, query: Query, _: object = ()) -> dict[str, Any]:
        wanted = logs.WantedLogs(
            services=tuple(name for name in query.get("services", "").split(",") if name),
            level=query.get("level", ""),
            text=query.get("text", ""),
            trace=_id(query["trace"], 16) if query.get("trace") else b"",
            span=_id(query["span"], 8) if query.get("span") else b"",
            since=_moment(query, "since"),
            until=_moment(query, "until"),
            limit=_limit(query, 200),
            cursor=query.get("cursor", ""),
        )
        return self._reading.ask(lambda opened: logs.find_logs(opened, wanted), {"logs": [], "next": ""})

    def metrics(self) -> dict[str, Any]:
        nothing: list[dict[str, Any]] = []
        return {"metrics": self._reading.ask(metrics.names, nothing)}

    def series(self, name: str, query: Query) -> dict[str, Any] | None:
        since = moment(query.get("since") or _METRICS_SINCE)
        service = query.get("service", "")
        return self._reading.ask(lambda opened: metrics.series_of(opened, name, service, since), None)

    def status(self) -> dict[str, Any]:
        return self._collector.status()


def _id(text: str, size: int) -> bytes:
    if not re.fullmatch(f"[0-9a-fA-F]{{{size * 2}}}", text):
        raise UsageError(f"an id has {size * 2} hexadecimal digits")
    return bytes.fromhex(text)


def _moment(query: Query, name: str) -> int:
    text = query.get(name, "")
    return moment(text) if text else 0


def _number(query: Query, name: str, default: float) -> float:
    text = query.get(name, "")
    if not text:
        return default
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e12:
        raise UsageError(f"`{name}` must be a number from 0 on")
    return found


def _limit(query: Query, default: int) -> int:
    return max(1, min(int(_number(query, "limit", default)), _MOST))
