"""Lines from before the dashboard began: all are found, whichever container has many and which few."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from tests.functional.conftest import Project
from tests.functional.dashboard.served import PATIENCE, Served, serving

_LINES = 60_000
TASKS = "from invoke_devstack import stack\n\nnamespace = stack()\n"
STACK = f"""
services:
  quiet:
    image: IMAGE
    command: ["sh", "-c", "echo quiet begins; exec sleep 1000"]
    stop_grace_period: 0s
  busy:
    image: IMAGE
    command: ["sh", "-c", "sleep 1; seq {_LINES} | sed 's/^/number /'; echo all written; exec sleep 1000"]
    stop_grace_period: 0s
"""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = f"t-past-{secrets.token_hex(4)}"
    state = tmp_path_factory.mktemp("state")
    project = Project(tmp_path_factory.mktemp(name), name, client, {"XDG_STATE_HOME": str(state)})
    project.write("tasks.py", TASKS)
    project.compose(STACK)
    try:
        assert project.invoke("up", "--detach").code == 0
        _wait_until_written(client.containers.get(f"{name}-busy-1"))
        yield project
    finally:
        project.remove_everything()


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    with serving(project) as served:
        yield served


def _found(served: Served, query: str) -> list[str]:
    _, _, text = served.raw("GET", f"/api/v1/logs/search?{query}", served.key())
    answers = [json.loads(line) for line in text.splitlines()]
    return [item["line"]["text"] for item in answers if item["type"] == "match"]


def _wait_until_written(container: Container) -> None:
    deadline = time.monotonic() + PATIENCE
    while b"all written" not in container.logs(tail=1):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_search_finds_early_lines_of_the_busy_service_before_anybody_looked_at_logs(served: Served) -> None:
    assert _found(served, "q=%5Enumber+17%24&regex=1") == ["number 17"]


def test_scrolling_back_finds_every_line_once(served: Served) -> None:
    page = served.until("logs?limit=2000", lambda found: found["lines"])
    lines = page["lines"]
    while page["before"] or (page["older"] and page["lines"]):
        place = f"before={page['before']}" if page["before"] else f"older={lines[0]['time']}"
        _, page = served.get(f"logs?limit=2000&{place}")
        lines = page["lines"] + lines
    texts = [line["text"] for line in lines if line["service"] == "busy"]
    assert texts == [*(f"number {number}" for number in range(1, _LINES + 1)), "all written"]
    assert [line["text"] for line in lines if line["service"] == "quiet"] == ["quiet begins"]


def test_once_somebody_has_looked_at_logs_the_store_gets_what_the_engine_has(served: Served) -> None:
    found = served.until("logs?limit=1", lambda found: not found["older"])
    assert found["total"] == _LINES + 2
    assert _found(served, "q=%5Enumber+17%24&regex=1") == ["number 17"]
