"""Senders of spans, which wait for each answer, as an SDK does.

A request is made and encoded by the official SDK once; each time it is sent, it has new ids and times. So the
senders take little of the machine that the dashboard is measured on.
"""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from invoke_devstack.traces.places import KEY_HEADER, Door

BATCH = 500
SPANS_OF_TRACE = 10
_RESOURCE = Resource({"service.name": "web", "service.instance.id": "web-1"})
_QUERY: dict[str, str | int] = {
    "db.system": "mysql",
    "db.name": "app",
    "db.user": "app",
    "db.statement": "SELECT count(*) FROM visits WHERE path = %s",
    "net.peer.name": "mysql",
    "net.peer.port": 3306,
}
_REQUEST: dict[str, str | int] = {"http.method": "GET", "http.route": "/"}
_STEP = 100_000  # nanoseconds between two spans of a trace


@dataclass
class Sent:
    """What one sender sent. `acknowledged` has a pair for each request: when it was answered (seconds since
    the epoch), and the ids of its traces. `answers` are seconds."""

    acknowledged: list[tuple[float, bytes]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def spans(self) -> int:
        """Those that were acknowledged."""
        return len(self.acknowledged) * BATCH


class Sender:
    """A connection to the receiver, and what went through it."""

    def __init__(self, door: Door) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)
        self._headers = {KEY_HEADER: door.key, "content-type": "application/x-protobuf"}
        self._request = encode_spans(_example())
        self._spans = [
            span
            for group in self._request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        self.sent = Sent()

    def send(self) -> None:
        """One request with new traces."""
        ids = os.urandom(BATCH // SPANS_OF_TRACE * 16)
        for index, trace in enumerate(_pieces(ids, 16)):
            self._renew(self._spans[index * SPANS_OF_TRACE : (index + 1) * SPANS_OF_TRACE], trace)
        self._post(ids)

    def send_large_trace(self, spans: int) -> str:
        """Its id, in hexadecimal. It has a root, and below it groups of ten."""
        trace, root = os.urandom(16), os.urandom(8)
        began, parent = time.time_ns(), b""
        for first in range(0, spans, BATCH):
            for index, span in enumerate(self._spans, first):
                id_ = os.urandom(8) if index else root
                span.trace_id, span.span_id = trace, id_
                span.parent_span_id = (root if index % 10 == 1 else parent) if index else b""
                parent = id_
                span.start_time_unix_nano = began + index * _STEP
                span.end_time_unix_nano = began + (index * _STEP + _STEP if index else spans * _STEP)
            self._post(trace)
        return trace.hex()

    def _renew(self, spans: Any, trace: bytes) -> None:
        now, root = time.time_ns(), b""
        for index, (span, id_) in enumerate(zip(spans, _pieces(os.urandom(8 * len(spans)), 8), strict=True)):
            root = root or id_
            span.trace_id, span.span_id = trace, id_
            span.parent_span_id = root if index else b""
            span.start_time_unix_nano = now + index * _STEP
            span.end_time_unix_nano = now + (index * _STEP + 90_000 if index else len(spans) * _STEP)

    def _post(self, ids: bytes) -> None:
        body = self._request.SerializeToString()
        began = time.monotonic()
        try:
            self._connection.request("POST", "/v1/traces", body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._refuse(repr(error))
            return
        self.sent.answers.append(time.monotonic() - began)
        if answer.status == 200 and not text:
            self.sent.acknowledged.append((time.time(), ids))
        else:
            self._refuse(f"{answer.status} {text[:200]!r}")

    def _refuse(self, why: str) -> None:
        self.sent.refused[why] = self.sent.refused.get(why, 0) + 1


def send_for(door: Door, seconds: float, rate: float) -> Sent:
    """No more than `rate` spans a second. In a process of its own."""
    sender = Sender(door)
    began, tried = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        if tried < elapsed * rate:
            sender.send()
            tried += BATCH
        else:
            time.sleep(0.002)
    return sender.sent


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _example() -> list[ReadableSpan]:
    """A request to a service, and what that asks a database; as many as there are in a batch."""
    found: list[ReadableSpan] = []
    for trace in range(1, BATCH // SPANS_OF_TRACE + 1):
        contexts = [
            SpanContext(trace, span, False, TraceFlags(TraceFlags.SAMPLED))
            for span in range(1, SPANS_OF_TRACE + 1)
        ]
        found += [
            ReadableSpan(
                name="SELECT" if index else "GET /",
                context=context,
                parent=contexts[0] if index else None,
                resource=_RESOURCE,
                attributes=_QUERY if index else _REQUEST,
                kind=SpanKind.CLIENT if index else SpanKind.SERVER,
                start_time=1,
                end_time=2,
            )
            for index, context in enumerate(contexts)
        ]
    return found
