"""One small stack and one dashboard for the tests of a module."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from tests.functional.conftest import Project
from tests.functional.dashboard.served import Served, serving

TASKS = '''
from typing import Literal

from invoke_devstack import stack

dev = stack()
namespace = dev


@dev.action("Greet", service="web")
def greet(c, name: str, times: int = 1, how: Literal["kindly", "loudly"] = "kindly"):
    """Says hello."""
    for _ in range(times):
        print(f"hello {name} {how}")
    c.run("echo from the shell")


@dev.action("Stumble")
def stumble(c):
    raise ValueError("no luck today")
'''
STACK = """
services:
  db:
    image: IMAGE
    command: ["sh", "-c", "echo db is up; exec sleep 1000"]
    stop_grace_period: 0s
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "true", "s3cr3t-of-web-42"], interval: 1s}
  web:
    image: IMAGE
    command:
      - sh
      - -c
      - |
        echo first; echo '{"level": "error", "msg": "broken", "user": {"id": 7}}'
        echo '<script>alert(1)</script>'; exec sleep 1000
    stop_grace_period: 0s
    environment: {GREETING: hello, API_TOKEN: s3cr3t-of-web-42}
    depends_on: {db: {condition: service_healthy}}
volumes:
  data:
"""


@dataclass
class Dashboard:
    project: Project
    served: Served


@pytest.fixture(scope="module")
def board(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Dashboard]:
    """A stack that is up, and its dashboard."""
    name = f"t-dash-{secrets.token_hex(4)}"
    directory = tmp_path_factory.mktemp(name)
    state = tmp_path_factory.mktemp("state")
    project = Project(directory, name, client, {"XDG_STATE_HOME": str(state)}, measured=True)
    project.write("tasks.py", TASKS)
    project.compose(STACK)
    try:
        assert project.invoke("up", "--detach").code == 0
        with serving(project) as served:
            yield Dashboard(project, served)
    finally:
        project.remove_everything()
