"""The sample with and without OpenTelemetry, as processes of their own."""

from __future__ import annotations

import gzip
import os
import queue
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.functional.conftest import find_free_port
from tests.unit.sample.conftest import SAMPLE, databases_at

Sent = queue.Queue[tuple[str, bytes]]
WAIT = 60.0  # seconds, for what comes within one


@pytest.fixture
def receiver() -> Iterator[tuple[str, Sent]]:
    """Its address, and what it was sent: path and body."""
    sent: Sent = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            zipped = self.headers.get("Content-Encoding") == "gzip"
            sent.put((self.path, gzip.decompress(body) if zipped else body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


@contextmanager
def sample(**variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A sample without databases: its address, and its process."""
    port = find_free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    given = {**own, **databases_at(find_free_port()), "PORT": str(port), **variables}
    process = subprocess.Popen(
        [sys.executable, "serve.py"], cwd=SAMPLE, env=given, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        while "Serving on port" not in (line := process.stderr.readline()):
            assert line, "it ended"
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def spans_of(sent: Sent, number: int) -> list[tuple[str, str, str, str]]:
    """So many spans: name, trace, span, parent."""
    found: list[tuple[str, str, str, str]] = []
    while len(found) < number:
        path, body = sent.get(timeout=WAIT)
        if path == "/v1/traces":
            scopes = [
                scope
                for one in ExportTraceServiceRequest.FromString(body).resource_spans
                for scope in one.scope_spans
            ]
            found += [
                (span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                for scope in scopes
                for span in scope.spans
            ]
    return found


def test_a_request_and_what_it_asks_are_one_trace_whose_id_is_in_the_log(receiver: tuple[str, Sent]) -> None:
    endpoint, sent = receiver
    with sample(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_METRICS_EXPORTER="none") as (address, process):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{address}/healthz", timeout=30)
        urllib.request.urlopen(address, timeout=30).read()
        spans = spans_of(sent, 2)
        assert process.stderr is not None
        while "GET / 200" not in (line := process.stderr.readline()):
            assert line, "it ended"
    by_name = {name: rest for name, *rest in spans}
    assert set(by_name) == {"GET /", "INCRBY INFO"}  # and nothing of the probe
    trace, page, parent = by_name["GET /"]
    assert parent == ""
    assert by_name["INCRBY INFO"][0] == trace
    assert by_name["INCRBY INFO"][2] == page
    assert line.strip() == f"GET / 200 trace_id={trace} span_id={page}"


def test_log_records_are_sent_with_the_trace(receiver: tuple[str, Sent]) -> None:
    endpoint, sent = receiver
    with sample(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_METRICS_EXPORTER="none") as (address, _):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{address}/notes", b"text=hello", timeout=30)
        while True:
            path, body = sent.get(timeout=WAIT)
            if path == "/v1/logs" and b"was not saved" in body:
                break
    [[record]] = [
        [record for record in scope.log_records if "was not saved" in record.body.string_value]
        for one in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in one.scope_logs
        if scope.scope.name == "sample"
    ]
    assert re.fullmatch("[0-9a-f]{32}", record.trace_id.hex())
    assert record.severity_text == "ERROR"


def test_what_waits_is_sent_before_it_stops(receiver: tuple[str, Sent]) -> None:
    endpoint, sent = receiver
    later = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_METRICS_EXPORTER": "none"}
    with sample(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **later) as (address, process):
        urllib.request.urlopen(address, timeout=30).read()
        process.terminate()
        assert len(spans_of(sent, 2)) == 2


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import serve, sys; serve.load_app(); "
        "print(*(name for name, found in sys.modules.items() if found and 'opentelemetry' in name))"
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SAMPLE, env=own, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
