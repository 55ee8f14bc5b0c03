"""Rows of the structured logs in a request."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.receiving.cleaning import Cleaner, to_json
from invoke_devstack.traces.receiving.spans import service_of, why
from invoke_devstack.traces.rows import Arrived, LogRow, Taken

_LATEST = 2**63 - 1


def rows(message: Any, secrets: SecretValues) -> Taken:
    """The logs of an `ExportLogsServiceRequest`."""
    cleaner = Cleaner(secrets)
    found: list[LogRow] = []
    faults: Counter[str] = Counter()
    for group in message.resource_logs:
        resource = cleaner.attributes(group.resource.attributes)
        service, text = service_of(resource), to_json(resource)
        for scope in group.scope_logs:
            name = cleaner.name(scope.scope.name)
            for item in scope.log_records:
                if max(item.time_unix_nano, item.observed_time_unix_nano) > _LATEST:
                    faults["a time is after the year 2262"] += 1
                else:
                    found.append(_row(item, service, name, text, cleaner))
    return Taken(Arrived(logs=tuple(found)), faults.total(), why(faults), cleaner.cut)


def _row(item: Any, service: str, scope: str, resource: str, cleaner: Cleaner) -> LogRow:
    cut: list[str] = []
    before = cleaner.cut
    body = cleaner.value(item.body)
    if cleaner.cut > before:
        cut.append("text")
    rest: dict[str, Any] = {"a": cleaner.attributes(item.attributes, cut)}
    text = body if isinstance(body, str) else "" if body is None else to_json(body)
    if scope:
        rest["s"] = scope
    if item.severity_text:
        rest["n"] = cleaner.name(item.severity_text)
    if cut:
        rest["c"] = cut
    trace, span = item.trace_id, item.span_id
    return LogRow(
        item.time_unix_nano or item.observed_time_unix_nano or time.time_ns(),
        service,
        item.severity_number,
        trace if len(trace) == 16 and any(trace) else b"",
        span if len(span) == 8 and any(span) else b"",
        text,
        resource,
        to_json(rest),
    )
