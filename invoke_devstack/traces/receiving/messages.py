"""OTLP's messages from bytes, and back: protobuf, or the JSON that OTLP defines.

That JSON is protobuf's but for ids, which are hexadecimal and not base64.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from invoke_devstack.errors import UsageError

_REQUESTS: dict[str, Any] = {
    "traces": traces.ExportTraceServiceRequest,
    "logs": logs.ExportLogsServiceRequest,
    "metrics": metrics.ExportMetricsServiceRequest,
}
_RESPONSES: dict[str, tuple[Any, str]] = {
    "traces": (traces.ExportTraceServiceResponse, "rejected_spans"),
    "logs": (logs.ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (metrics.ExportMetricsServiceResponse, "rejected_data_points"),
}
SIGNALS = tuple(_REQUESTS)
_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_DEEPEST = 100


def read_message(signal: str, body: bytes, *, is_json: bool) -> Any:
    """The request of `signal` (traces, logs, metrics) in `body`. Raises UsageError if there is none."""
    message = _REQUESTS[signal]()
    try:
        if is_json:
            json_format.ParseDict(_with_base64(json.loads(body)), message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (DecodeError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # json_format.ParseError is none of these before protobuf 6, and always an Error of its module.
        raise _malformed(signal, error, is_json=is_json) from None
    except json_format.Error as error:
        raise _malformed(signal, error, is_json=is_json) from None
    return message


def _malformed(signal: str, error: Exception, *, is_json: bool) -> UsageError:
    kind = "JSON" if is_json else "protobuf"
    return UsageError(f"the body is no {kind} of OTLP {signal}", hint=str(error)[:200])


def answer_body(signal: str, rejected: int, why: str, *, is_json: bool) -> bytes:
    """The response to a request, of which `rejected` parts were not taken."""
    kind, counted = _RESPONSES[signal]
    response = kind()
    if rejected or why:
        setattr(response.partial_success, counted, rejected)
        response.partial_success.error_message = why
    if is_json:
        return str(json_format.MessageToJson(response, indent=None)).encode()
    return bytes(response.SerializeToString())


def error_body(text: str, *, is_json: bool) -> bytes:
    """A `google.rpc.Status`, whose member 2 is the message."""
    if is_json:
        return json.dumps({"code": 3, "message": text}).encode()
    data = text.encode()[:16000]
    return b"\x08\x03\x12" + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def to_json(message: Message) -> dict[str, Any]:
    """The message as OTLP's JSON has it."""
    data = json_format.MessageToDict(message, use_integers_for_enums=True)
    found: dict[str, Any] = _converted(data, lambda text: base64.b64decode(text).hex())
    return found


def _with_base64(data: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError("the body is no object")
    return _converted(data, _base64_of)


def _base64_of(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        raise binascii.Error(f"an id is not hexadecimal: {text[:40]!r}") from None


def _converted(data: Any, convert: Any, depth: int = 0) -> Any:
    """The same data with its ids converted. Attributes' values are left alone: they have no such members."""
    if depth > _DEEPEST:
        raise RecursionError("nested too deeply")
    if isinstance(data, list):
        return [_converted(item, convert, depth + 1) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: convert(item) if key in _IDS and isinstance(item, str) else _converted(item, convert, depth + 1)
        for key, item in data.items()
    }
