"""The receiver as Node's official exporters meet it, which send JSON and protobuf. They come from npm, so
this runs where `DEVSTACK_NODE` is set."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.traces.asking.traces import read_trace
from invoke_devstack.traces.places import KEY_HEADER
from tests.unit.dashboard.test_receiver import KEY, Served

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("DEVSTACK_NODE") or not shutil.which("npm"),
        reason="packages come from npm: DEVSTACK_NODE=1",
    ),
    pytest.mark.timeout(400),
]
PACKAGES = (
    "@opentelemetry/api",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-trace-node",
    "@opentelemetry/exporter-trace-otlp-http",
    "@opentelemetry/exporter-trace-otlp-proto",
)
PROGRAM = """
import { NodeTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-KIND";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { trace, SpanKind, SpanStatusCode } from "@opentelemetry/api";

const provider = new NodeTracerProvider({
  resource: defaultResource().merge(detectResources({ detectors: [envDetector] })),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const tracer = trace.getTracer("shop");
tracer.startActiveSpan("GET /", { kind: SpanKind.SERVER }, (root) => {
  const attributes = { "db.statement": "SELECT 1", rows: 3, share: 0.5, names: ["a"], password: "x" };
  tracer.startActiveSpan("SELECT", { kind: SpanKind.CLIENT, attributes }, (query) => {
    query.recordException(new Error("no such table"));
    query.setStatus({ code: SpanStatusCode.ERROR, message: "no such table" });
    query.end();
  });
  console.log(root.spanContext().traceId);
  root.end();
});
await provider.forceFlush();
await provider.shutdown();
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
    return folder


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = Served()
    yield found
    found.stop()


@pytest.mark.parametrize("kind", ["http", "proto"])
def test_a_node_process_sends_a_trace_by_the_variables_alone(
    served: Served, project: Path, kind: str
) -> None:
    """`http` sends JSON, `proto` protobuf."""
    program = project / f"{kind}.mjs"
    program.write_text(PROGRAM.replace("KIND", kind))
    variables = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{served.port}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"{KEY_HEADER}={KEY}",
        "OTEL_SERVICE_NAME": "shop",
    }
    done = subprocess.run(
        ["node", program], env=variables, cwd=project, check=True, timeout=60, capture_output=True, text=True
    )
    id_ = bytes.fromhex(done.stdout.strip())
    found = served.reading.ask(lambda opened: read_trace(opened, id_), None)
    assert found is not None, done.stderr
    root, query = found["spans"]
    assert (root["name"], root["kind"], root["service"]) == ("GET /", "server", "shop")
    assert query["attributes"] == {
        "db.statement": "SELECT 1",
        "rows": 3,
        "share": 0.5,
        "names": ["a"],
        "password": "***",
    }
    assert (query["parent_id"], query["status_text"]) == (root["span_id"], "no such table")
    assert query["events"][0]["attributes"]["exception.message"] == "no such table"
    assert found["resources"][root["resource"]]["telemetry.sdk.language"] == "nodejs"
    assert served.receiver.rejected == 0
