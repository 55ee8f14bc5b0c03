"""Spans, logs and points as OTLP has them, for tests and benchmarks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

SECOND = 1_000_000_000
TRACE = bytes(range(16))
NOW = time.time_ns() // SECOND * SECOND


def attributes(values: Mapping[str, Any]) -> list[common_pb2.KeyValue]:
    """Texts, whole numbers, numbers, truth values and lists of them."""
    return [common_pb2.KeyValue(key=name, value=any_value(value)) for name, value in values.items()]


def any_value(value: Any) -> common_pb2.AnyValue:
    if isinstance(value, bool):
        return common_pb2.AnyValue(bool_value=value)
    if isinstance(value, int):
        return common_pb2.AnyValue(int_value=value)
    if isinstance(value, float):
        return common_pb2.AnyValue(double_value=value)
    if isinstance(value, bytes):
        return common_pb2.AnyValue(bytes_value=value)
    if isinstance(value, list):
        items = common_pb2.ArrayValue(values=[any_value(item) for item in value])
        return common_pb2.AnyValue(array_value=items)
    if isinstance(value, dict):
        return common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=attributes(value)))
    return common_pb2.AnyValue(string_value=value)


def span(
    number: int,
    parent: int = 0,
    *,
    name: str = "work",
    kind: int = 1,
    start: float = 0.0,
    seconds: float = 1.0,
    trace: bytes = TRACE,
    error: str = "",
    **values: Any,
) -> trace_pb2.Span:
    """`start` is in seconds after `NOW`; `values` are attributes, with `__` for a dot."""
    begin = NOW + int(start * SECOND)
    return trace_pb2.Span(
        trace_id=trace,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        kind=kind,  # type: ignore[arg-type, unused-ignore]
        start_time_unix_nano=begin,
        end_time_unix_nano=begin + int(seconds * SECOND),
        attributes=attributes({key.replace("__", "."): value for key, value in values.items()}),
        status=trace_pb2.Status(code=2, message=error) if error else None,  # type: ignore[arg-type, unused-ignore]
    )


def traces(*spans: trace_pb2.Span, service: str = "web", **resource: Any) -> Any:
    """A request with the spans of one service."""
    message = trace_service_pb2.ExportTraceServiceRequest()
    group = message.resource_spans.add()
    values = {key.replace("__", "."): value for key, value in resource.items()}
    group.resource.attributes.extend(attributes({"service.name": service, **values}))
    group.scope_spans.add().spans.extend(spans)
    return message


def logs(*records: Mapping[str, Any], service: str = "web") -> Any:
    """A request with logs: `text`, and perhaps `level` (OTLP's number), `trace`, `span`, `at`, attributes."""
    message = logs_service_pb2.ExportLogsServiceRequest()
    group = message.resource_logs.add()
    group.resource.attributes.extend(attributes({"service.name": service}))
    found = group.scope_logs.add()
    for item in records:
        record = found.log_records.add()
        record.time_unix_nano = NOW + int(item.get("at", 0.0) * SECOND)
        record.severity_number = item.get("level", 9)
        record.body.CopyFrom(any_value(item["text"]))
        record.trace_id = item.get("trace", b"")
        record.span_id = item.get("span", b"")
        record.attributes.extend(attributes(item.get("attributes", {})))
    return message


def counter(name: str, *values: float, service: str = "web", start: float = 0.0, step: float = 1.0) -> Any:
    """A request with the points of a counter that only grows, `step` seconds apart."""
    message = metrics_service_pb2.ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    group.resource.attributes.extend(attributes({"service.name": service}))
    metric = group.scope_metrics.add().metrics.add(name=name, unit="1")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = 2  # type: ignore[assignment, unused-ignore]
    for index, value in enumerate(values):
        at = NOW + int((start + index * step) * SECOND)
        metric.sum.data_points.add(time_unix_nano=at, as_double=value)
    return message
