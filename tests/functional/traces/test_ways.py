"""The other ways by which traces reach the receiver: through forwarders, from a process of this machine, and
to the dashboard that took the place of one that was killed."""

from __future__ import annotations

import json
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.functional.conftest import Project
from tests.functional.dashboard.conftest import Dashboard
from tests.functional.dashboard.served import serving
from tests.functional.samples import FIRST_UP

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="containers reach this machine otherwise"),
    pytest.mark.timeout(700),
]

STACK = """
services:
  web:
    image: python:3.13-slim # a forwarder needs an image with a program that passes connections on
    command: ["sleep", "1000"]
    stop_grace_period: 0s
    networks: [inside, default]
networks:
  inside: {internal: true}
x-devstack:
  processes:
    job:
      command: [sh, -c, "env > FOLDER/job.new; mv FOLDER/job.new FOLDER/job.env; exec sleep 1000"]
      stop_grace_period: 1s
"""


SEND = """
import os, sys, urllib.request
key, _, value = os.environ["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
headers = {key: value, "content-type": "application/json"}
address = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
request = urllib.request.Request(address, sys.argv[1].encode(), headers)
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient) -> Iterator[Project]:
    """A stack with traces on, whose containers reach this machine by forwarders alone."""
    name = f"t-ways-{secrets.token_hex(4)}"
    variables = {
        "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
        "INVOKE_DEVSTACK_TRACE_FORWARDER": "1",
    }
    made = Project(tmp_path_factory.mktemp(name), name, client, variables, measured=True)
    made.write("tasks.py", "from invoke_devstack import stack\n\nnamespace = stack()\n")
    made.compose(STACK.replace("FOLDER", str(made.directory)))
    try:
        for flags in ([], ["--trace"]):  # the image must be there before a forwarder is made of it
            up = made.invoke("up", "--detach", *flags, timeout=FIRST_UP)
            assert up.code == 0, up.err
        yield made
    finally:
        made.invoke("down", "--yes")
        made.remove_everything()


@pytest.fixture
def board(project: Project) -> Iterator[Dashboard]:
    with serving(project) as served:
        served.until("traces/status", lambda found: found["receiving"] or found["problem"])
        yield Dashboard(project, served)


def body(trace: str, **span: Any) -> str:
    now = time.time_ns()
    times = {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1_000_000)}
    values = {"traceId": trace, "spanId": trace[:16], **times, **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [values]}]}]})


def send_from_web(project: Project, trace: str, **span: Any) -> None:
    command = ["python", "-c", SEND, body(trace, **{"name": "from web", **span})]
    code, output = project.container("web").exec_run(command)
    assert (code, output.strip()) == (0, b"{}"), output


def variables_of_job(project: Project) -> dict[str, str]:
    file = project.directory / "job.env"
    deadline = time.monotonic() + 60
    while not (file.exists() and "OTEL_" in file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return {name: value for name, value in found.items() if name.startswith("OTEL_")}


def test_a_container_sends_through_the_forwarder(project: Project, board: Dashboard) -> None:
    env = project.container("web").attrs["Config"]["Env"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://traces-forwarder:4318" in env
    trace = secrets.token_hex(16)
    send_from_web(project, trace)
    assert board.served.get(f"traces/{trace}")[1]["name"] == "from web"


def test_a_process_of_this_machine_has_the_same_variables_and_sends_with_them(
    project: Project, board: Dashboard
) -> None:
    given = variables_of_job(project)
    assert set(given) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_SERVICE_NAME",
        "OTEL_RESOURCE_ATTRIBUTES",
    }
    assert given["OTEL_SERVICE_NAME"] == "job"
    trace = secrets.token_hex(16)
    key, _, value = given["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    request = urllib.request.Request(
        f"{given['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces",
        body(trace, name="from job").encode(),
        {key: value, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == b"{}"
    assert board.served.get(f"traces/{trace}")[1]["name"] == "from job"


def test_what_was_acknowledged_is_there_after_the_dashboard_was_killed(project: Project) -> None:
    before, after = secrets.token_hex(16), secrets.token_hex(16)
    with serving(project) as first:
        first.until("traces/status", lambda found: found["receiving"])
        send_from_web(project, before)
        first.process.kill()
        first.process.wait(60)
    with serving(project) as second:
        second.until("traces/status", lambda found: found["receiving"])
        send_from_web(project, after)
        assert second.get(f"traces/{before}")[1]["name"] == "from web"
        assert second.get(f"traces/{after}")[1]["name"] == "from web"
    shown = project.invoke("traces", "--service", "unknown_service", "--since", "1h", "--json").json()
    assert {before, after} <= {row["trace_id"] for row in shown}


def test_the_flags_of_traces_choose(project: Project, board: Dashboard) -> None:
    slow, failed = secrets.token_hex(16), secrets.token_hex(16)
    now = time.time_ns()
    spans: dict[str, dict[str, Any]] = {
        slow: {"name": "slow", "endTimeUnixNano": str(now + 900_000_000)},
        failed: {"name": "failed", "status": {"code": 2}},
    }
    for trace, span in spans.items():
        send_from_web(project, trace, **span)

    def found(*words: str) -> set[str]:
        return {row["trace_id"] for row in project.invoke("traces", *words, "--json").json()}

    assert slow in found("--slower-than", "200ms") and failed not in found("--slower-than", "200ms")
    assert found("--errors") == {failed}
    assert {slow, failed} <= found("--service", "unknown_service")  # as it calls itself
    assert found("--service", "web") == set()
    unknown = project.invoke("traces", "--service", "unknown-service")
    assert unknown.code == 2 and "`unknown_service`" in unknown.err
    wrong = project.invoke("traces", "--slower-than", "soon")
    assert wrong.code == 2 and "`soon`" in wrong.err
