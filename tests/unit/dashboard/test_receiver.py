"""The receiver of OTLP, as clients meet it: with the official SDK, and with everything that is wrong."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from invoke_devstack.dashboard.traces.bodies import LARGEST, Receive, RefusedError, read_body
from invoke_devstack.dashboard.traces.listening import _config
from invoke_devstack.dashboard.traces.receiver import Receiver
from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.asking.reading import Reading
from invoke_devstack.traces.asking.traces import Wanted, find_traces, read_trace
from invoke_devstack.traces.keeping.writer import Writer
from invoke_devstack.traces.places import KEY_HEADER, database_of, private_folder
from tests import otlp

KEY = "0123456789abcdef"
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Served:
    """A receiver at a port of this machine."""

    def __init__(self) -> None:
        private_folder("p")
        self.writer = Writer(database_of("p"))
        self.writer.start()
        self.reading = Reading("p")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.receiver = Receiver(KEY, self.writer, SecretValues())
        self._server = uvicorn.Server(_config(self.receiver))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])))
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.writer.stop()

    def post(
        self, body: bytes | Iterator[bytes], path: str = "/v1/traces", *, kind: str = PROTOBUF, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {KEY_HEADER: KEY, "content-type": kind, **named})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def listed(self) -> list[dict[str, Any]]:
        nothing: list[dict[str, Any]] = []
        return self.reading.ask(lambda opened: find_traces(opened, Wanted(limit=1000))["traces"], nothing)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = Served()
    yield found
    found.stop()


def _span_with(member: str) -> bytes:
    """JSON with a span that has this one."""
    return f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{{member}}}]}}]}}]}}'.encode()


def one(number: int = 1, **values: Any) -> bytes:
    return bytes(otlp.traces(otlp.span(number, **values)).SerializeToString())


def test_the_official_sdk_sends_over_protobuf(served: Served) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    endpoint = f"http://127.0.0.1:{served.port}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, headers={KEY_HEADER: KEY})))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER) as root:
        with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT) as query:
            query.set_attribute("db.statement", "SELECT 1")
            query.record_exception(ValueError("no such table"))
            query.set_status(Status(StatusCode.ERROR, "no such table"))
        id_ = root.get_span_context().trace_id.to_bytes(16, "big")
    assert provider.force_flush()
    provider.shutdown()
    found = served.reading.ask(lambda opened: read_trace(opened, id_), None)
    assert found is not None
    root_span, query_span = found["spans"]
    assert (root_span["service"], root_span["name"], root_span["kind"]) == ("shop", "GET /", "server")
    assert query_span["attributes"]["db.statement"] == "SELECT 1"
    assert (query_span["status"], query_span["status_text"]) == ("error", "no such table")
    assert query_span["events"][0]["attributes"]["exception.type"] == "ValueError"
    assert found["resources"][root_span["resource"]]["telemetry.sdk.language"] == "python"


def test_json_is_taken_as_otlp_writes_it(served: Served) -> None:
    """As opentelemetry-proto's example: numbers of 64 bits as texts, ids in hexadecimal, unknown members."""
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
        "parentSpanId": "",
        "name": "I'm a server span",
        "startTimeUnixNano": str(otlp.NOW),
        "endTimeUnixNano": otlp.NOW + 1_000_000,
        "kind": 2,
        "attributes": [
            {"key": "my.span.attr", "value": {"stringValue": "some value"}},
            {"key": "n", "value": {"intValue": "7"}},
        ],
        "unknownMember": {"x": 1},
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}
    body = {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "lib"}, "spans": [span]}]}]
    }
    status, answer = served.post(json.dumps(body).encode(), kind=f"{JSON}; charset=utf-8")
    assert (status, json.loads(answer)) == (200, {})
    (found,) = served.listed()
    assert (found["trace_id"], found["service"]) == ("5b8efff798038103d269b633813fc60c", "my.service")


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_packed_bodies_are_unpacked(served: Served, packing: str) -> None:
    body = gzip.compress(one()) if packing == "gzip" else zlib.compress(one())
    assert served.post(body, content_encoding=packing) == (200, b"")
    assert len(served.listed()) == 1


def test_logs_and_metrics_have_their_paths(served: Served) -> None:
    assert served.post(otlp.logs({"text": "x"}).SerializeToString(), "/v1/logs") == (200, b"")
    assert served.post(otlp.counter("n", 1.0).SerializeToString(), "/v1/metrics") == (200, b"")
    stored = served.reading.stored()
    assert (stored["logs"], stored["points"]) == (1, 1)


def test_what_is_fine_in_a_batch_is_taken_and_the_rest_is_counted(served: Served) -> None:
    bad = otlp.span(2)
    bad.trace_id = b"short"
    status, answer = served.post(otlp.traces(otlp.span(1), bad).SerializeToString())
    response = ExportTraceServiceResponse.FromString(answer)
    assert (status, response.partial_success.rejected_spans) == (200, 1)
    assert response.partial_success.error_message == "1 × the trace id is not 16 bytes other than zero"
    assert [item["spans"] for item in served.listed()] == [1]


def test_a_megabyte_in_an_attribute_is_cut_and_the_answer_says_so(served: Served) -> None:
    _, answer = served.post(one(note="<script>" + "x" * 1_000_000))
    response = ExportTraceServiceResponse.FromString(answer)
    assert response.partial_success.rejected_spans == 0
    assert response.partial_success.error_message == "1 texts, lists or events were cut"


BAD: list[tuple[bytes, dict[str, Any], int, bytes]] = [
    (b"\xff\xff\xff garbage", {}, 400, b"no protobuf of OTLP traces"),
    (one()[:-3], {}, 400, b"no protobuf"),
    (b"{", {"kind": JSON}, 400, b"no JSON of OTLP traces"),
    (b"[1]", {"kind": JSON}, 400, b"is no object"),
    (b"null", {"kind": JSON}, 400, b"is no object"),
    (b'{"resourceSpans": 5}', {"kind": JSON}, 400, b"no JSON of OTLP"),
    (_span_with('"name": 5'), {"kind": JSON}, 400, b"no JSON"),
    (_span_with('"traceId": "xyz"'), {"kind": JSON}, 400, b"hexadecimal"),
    (b"[" * 200_000, {"kind": JSON}, 400, b"no JSON"),
    (b'"\xff"', {"kind": JSON}, 400, b"no JSON"),
    (_span_with(r'"name": "\ud800"'), {"kind": JSON}, 400, b"no JSON"),
    (b"no gzip", {"content_encoding": "gzip"}, 400, b"the body is no gzip"),
    (gzip.compress(one() * 100)[:-20], {"content_encoding": "gzip"}, 400, b"no complete gzip"),
    (one(), {"content_encoding": "br"}, 415, b"`br` is not supported"),
    (one(), {"kind": "text/plain"}, 415, b"content type must be"),
    (one(), {"x_devstack_key": "wrong"}, 401, b"not the key"),
    (one(), {"x_devstack_key": ""}, 401, b"not the key"),
    (one(), {"x_devstack_key": "sch\xfcssel"}, 401, b"not the key"),
    (one(), {"path": "/v1/other"}, 404, b"no such path"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "request_", "status", "text"), BAD, ids=[f"{index}-{row[2]}" for index, row in enumerate(BAD)]
)
def test_a_bad_request_gets_a_clear_answer_and_stores_nothing(
    served: Served, body: bytes, request_: dict[str, Any], status: int, text: bytes
) -> None:
    found, answer = served.post(body, **request_)
    assert (found, text in answer) == (status, True), answer
    assert served.listed() == []
    assert served.receiver.rejected == 1
    assert served.post(one())[0] == 200  # it goes on


def test_a_body_of_100_mb_is_refused_and_the_sender_gets_the_answer(served: Served) -> None:
    """With its length said before, and in pieces of unknown number."""
    assert served.post(bytes(100_000_000))[0] == 413
    status, answer = served.post(iter([bytes(1_000_000)] * 100))
    assert (status, b"16 MiB" in answer) == (413, True)
    assert served.post(one())[0] == 200


def _pieces_of(body: Iterator[bytes]) -> Receive:
    """As the server hands in a body."""

    async def receive() -> dict[str, Any]:
        piece = next(body, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    return receive


def _packed(size: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1_000_000)
    return b"".join([*(packer.compress(block) for _ in range(size // len(block))), packer.flush()])


@pytest.mark.parametrize("packing", ["", "gzip"])
def test_what_is_too_large_is_never_in_memory_as_a_whole(packing: str) -> None:
    """100 MB in pieces, and a small body that unpacks to 200 MB."""
    pieces = iter([_packed(200_000_000)]) if packing else (bytes(1_000_000) for _ in range(100))
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as caught:
            asyncio.run(read_body(_pieces_of(pieces), 0, packing))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.status == 413
    assert most < 3 * LARGEST


def test_a_small_body_that_unpacks_to_a_lot_is_refused(served: Served) -> None:
    assert served.post(_packed(200_000_000), content_encoding="gzip")[0] == 413
    assert served.post(one())[0] == 200


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\n{KEY_HEADER}: {KEY}\r\n"
        connection.sendall(f"{head}Content-Type: {PROTOBUF}\r\nContent-Length: 1000\r\n\r\nabc".encode())
    deadline = time.monotonic() + 60
    while not served.receiver.rejected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.receiver.rejected == 1
    assert served.post(one())[0] == 200


def test_many_senders_at_once_lose_nothing(served: Served) -> None:
    """Each sends its spans twice, in parts of traces that all have."""

    def send(first: int) -> None:
        for start in range(first, first + 1000, 250):
            body = otlp.traces(
                *(otlp.span(number, trace=_shared(number)) for number in range(start, start + 250))
            )
            for _ in range(2):
                assert served.post(body.SerializeToString()) == (200, b"")

    threads = [threading.Thread(target=send, args=(1 + number * 1000,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = served.listed()
    assert (len(found), sum(item["spans"] for item in found)) == (10, 8000)


def _shared(number: int) -> bytes:
    return (number % 10 + 1).to_bytes(16, "big")


def test_a_trace_of_10000_spans_is_whole(served: Served) -> None:
    numbers = range(2, 10_001)
    served.post(one(1, seconds=20_000.0))
    for start in range(2, 10_001, 1000):
        part = [
            otlp.span(item, 1, start=item, db__statement="SELECT 1")
            for item in numbers
            if start <= item < start + 1000
        ]
        served.post(otlp.traces(*part).SerializeToString())
    found = served.reading.ask(lambda opened: read_trace(opened, otlp.TRACE), None)
    assert found is not None
    assert (len(found["spans"]), found["more"]) == (10_000, 0)


def test_while_nothing_can_be_stored_senders_are_asked_to_try_again(served: Served) -> None:
    served.writer._file.mkdir()  # as no file can be opened there
    status, answer = served.post(one())
    assert (status, b"traces cannot be stored" in answer) == (503, True)
    served.writer._file.rmdir()
    assert served.post(one())[0] == 200
