"""Rows of the spans in a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.receiving.cleaning import Cleaner, to_json
from invoke_devstack.traces.rows import CLIENT, PRODUCER, Arrived, SpanRow, Taken

_LATEST = 2**63 - 1
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_MOST_EVENTS = 128
_LONGEST_SERVICE = 256  # characters
UNKNOWN = "unknown_service"

_PEERS = (
    "peer.service",
    "db.system.name",
    "db.system",
    "messaging.system",
    "rpc.system",
    "server.address",
    "net.peer.name",
)
"""What says whom a client calls; the first that is there."""


def rows(message: Any, secrets: SecretValues) -> Taken:
    """The spans of an `ExportTraceServiceRequest`. Those that cannot be stored are counted, with the reason
    of most of them."""
    cleaner = Cleaner(secrets)
    found: list[SpanRow] = []
    faults: Counter[str] = Counter()
    for group in message.resource_spans:
        resource = cleaner.attributes(group.resource.attributes)
        service, text = service_of(resource), to_json(resource)
        for scope in group.scope_spans:
            name = cleaner.name(scope.scope.name)
            for span in scope.spans:
                fault = _fault(span)
                if fault:
                    faults[fault] += 1
                else:
                    found.append(_row(span, service, name, text, cleaner))
    return Taken(Arrived(spans=tuple(found)), faults.total(), why(faults), cleaner.cut)


def why(faults: Counter[str]) -> str:
    """The reasons for people, the most frequent first."""
    return "; ".join(f"{count} × {text}" for text, count in faults.most_common(3))


def service_of(resource: Mapping[str, Any]) -> str:
    return str(resource.get("service.name") or UNKNOWN)[:_LONGEST_SERVICE]


def _fault(span: Any) -> str:
    if len(span.trace_id) != 16 or span.trace_id == _NO_TRACE:
        return "the trace id is not 16 bytes other than zero"
    if len(span.span_id) != 8 or span.span_id == _NO_SPAN:
        return "the span id is not 8 bytes other than zero"
    if max(span.start_time_unix_nano, span.end_time_unix_nano) > _LATEST:
        return "a time is after the year 2262"
    if not (span.start_time_unix_nano or span.end_time_unix_nano):
        return "there is no time"
    return ""


def _row(span: Any, service: str, scope: str, resource: str, cleaner: Cleaner) -> SpanRow:
    cut: list[str] = []
    attributes = cleaner.attributes(span.attributes, cut)
    start = span.start_time_unix_nano or span.end_time_unix_nano
    rest: dict[str, Any] = {"a": attributes}
    if scope:
        rest["s"] = scope
    if span.status.message:
        rest["m"] = cleaner.title(span.status.message)
    if span.events:
        rest["e"] = _events(span, cleaner, cut)
    if span.links:
        rest["l"] = [
            [item.trace_id.hex(), item.span_id.hex(), cleaner.attributes(item.attributes, cut)]
            for item in span.links[:_MOST_EVENTS]
        ]
    if cut:
        rest["c"] = cut
    parent = span.parent_span_id
    return SpanRow(
        span.trace_id,
        span.span_id,
        b"" if len(parent) != 8 or parent == _NO_SPAN else parent,
        service,
        cleaner.title(span.name),
        span.kind,
        start,
        max(span.end_time_unix_nano, start),
        span.status.code,
        _peer(attributes) if span.kind in (CLIENT, PRODUCER) else "",
        resource,
        to_json(rest),
    )


def _events(span: Any, cleaner: Cleaner, cut: list[str]) -> list[Any]:
    """The first ones: a loop that adds events without end keeps its beginning."""
    if len(span.events) > _MOST_EVENTS:
        cleaner.cut += 1
        cut.append(f"{len(span.events) - _MOST_EVENTS} events")
    return [
        [item.time_unix_nano, cleaner.title(item.name), cleaner.attributes(item.attributes, cut)]
        for item in span.events[:_MOST_EVENTS]
    ]


def _peer(attributes: Mapping[str, Any]) -> str:
    found = next((str(attributes[name]) for name in _PEERS if attributes.get(name)), "")
    return found[:_LONGEST_SERVICE]
