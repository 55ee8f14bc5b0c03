"""What `--trace` costs the requests of the sample: two containers of it in one stack, visited in turns.

One has the variables that `up --trace` gives, the other has an empty endpoint, which means off. The dashboard
receives meanwhile. Both use the same Redis and MySQL.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.sides import Project, free_port
from benchmarks.traces.serving import own_state

_WARM = 30  # requests before the first that counts
_PATIENCE = 600.0  # seconds for the first `up`, which may build images


def measure_cost(requests: int) -> None:
    """Prints p50 and p95 of both, and what a request takes of the processor."""
    with tempfile.TemporaryDirectory() as folder, own_state():
        project = Project.copy_example(Path(folder, f"devstack-bench-{uuid.uuid4().hex[:6]}"))
        plain = free_port()
        _add_plain(project.directory / "services", plain)
        with _up(project):
            ports = {"without": plain, "with": project.ports["WEB_PORT"]}
            containers = {"without": f"{project.name}-plain-1", "with": f"{project.name}-web-1"}
            _visit_in_turns(ports, _WARM)
            before = {side: _processor_time(name) for side, name in containers.items()}
            times = _visit_in_turns(ports, requests)
            time.sleep(1)  # what waits to be sent is part of the cost
            spent = {side: _processor_time(name) - before[side] for side, name in containers.items()}
    print(f"load {os.getloadavg()[0]:.1f}; {requests} requests to each, in turns\n")
    print("| --trace | p50 | p95 | processor time for each |\n| --- | --- | --- | --- |")
    for side in ports:
        print(
            f"| {side} | {_quantile(times[side], 0.5):.1f} ms | {_quantile(times[side], 0.95):.1f} ms | "
            f"{spent[side] / requests * 1000:.1f} ms |"
        )


def _add_plain(folder: Path, port: int) -> None:
    """The service `web` once more, as `plain`, without traces and at another port. Both may be slow to start:
    on a busy machine that says nothing about traces."""
    text = (folder / "web.yaml").read_text().replace("retries: 15", "retries: 200")
    (folder / "web.yaml").write_text(text)
    text = text.partition("    x-devstack:")[0]
    for before, after in (
        ("  web:", "  plain:"),
        ("${WEB_PORT:-8080}", str(port)),
        ("    environment:", '    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: ""'),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (folder / "plain.yaml").write_text(text)


@contextmanager
def _up(project: Project) -> Iterator[None]:
    variables = {**os.environ, **{name: str(port) for name, port in project.ports.items()}}
    variables["COMPOSE_PROJECT_NAME"] = project.name

    def invoke(*words: str) -> None:
        command = [sys.executable, "-m", "invoke", *words]
        subprocess.run(command, cwd=project.directory, env=variables, check=True, timeout=_PATIENCE)

    try:
        invoke("up", "--detach", "--trace", "--wait-timeout", "500")
        command = [sys.executable, "-m", "invoke", "dashboard", "--no-open"]
        with subprocess.Popen(
            command, cwd=project.directory, env=variables, stdout=subprocess.PIPE, text=True
        ) as dashboard:
            try:
                assert dashboard.stdout is not None
                dashboard.stdout.readline()
                time.sleep(2)  # until it receives
                yield
            finally:
                dashboard.send_signal(signal.SIGINT)
    finally:
        invoke("down", "--volumes", "--rmi", "local", "--yes")


def _visit_in_turns(ports: dict[str, int], requests: int) -> dict[str, list[float]]:
    """Seconds of each request, by side."""
    found: dict[str, list[float]] = {side: [] for side in ports}
    for number in range(requests):
        sides = list(ports) if number % 2 else list(reversed(ports))
        for side in sides:
            began = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", ports[side], timeout=60)
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            found[side].append(time.perf_counter() - began)
            connection.close()
            assert answer.status == 200, answer.status
    return found


def _quantile(values: Sequence[float], part: float) -> float:
    """In milliseconds."""
    return sorted(values)[int(len(values) * part)] * 1000


def _processor_time(container: str) -> float:
    """Of all processes in it, in seconds."""
    command = ("docker", "inspect", "--format", "{{.Id}}", container)
    id_ = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    for place in (f"/sys/fs/cgroup/cpuacct/docker/{id_}/cpuacct.usage",):
        if Path(place).exists():
            return int(Path(place).read_text()) / 1e9
    found = next(Path("/sys/fs/cgroup").rglob(f"*{id_}*/cpu.stat"))
    return int(found.read_text().split("usage_usec ")[1].split()[0]) / 1e6
