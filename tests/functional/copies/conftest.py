"""One stack whose service writes its own name all the time, and copies of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import pytest

from invoke_devstack.planning import labels
from tests.functional.conftest import Ended, Project, find_free_port, output_of

COMPOSE = """
services:
  web:
    image: IMAGE
    init: true
    stop_grace_period: 1s
    command:
      - sh
      - -c
      - |
        echo "started $$(hostname)"
        (while :; do hostname >> /data/log; sleep 0.1; done) &
        exec httpd -f -p 80 -h /data
    ports: ["127.0.0.1:${WEB_PORT}:80"]
    volumes: [data:/data]
volumes: {data: {}}
"""
TASKS = """
import os
from pathlib import Path

from invoke_devstack import stack

namespace = stack()


@namespace.after("web")
def note(c):
    seen = c.run("echo $DEVSTACK_COPY $COMPOSE_PROJECT_NAME", hide=True, in_stream=False).stdout.strip()
    host = namespace.run_in("web", "hostname").strip()
    with Path(__file__).with_name("hook.log").open("a") as file:
        file.write(f"{os.environ.get('DEVSTACK_COPY', '')}|{seen}|{host}\\n")
"""


@dataclass
class Stack(Project):
    """A stack and its copies."""

    def in_copy(self, name: str) -> Project:
        """The same folder, with the variable that chooses a copy."""
        return replace(self, variables={**self.variables, "DEVSTACK_COPY": name})

    def add(self, name: str, *words: str) -> Ended:
        return self.invoke("copies.add", name, "--json", *words, timeout=150)

    def rows(self) -> dict[str, dict[str, Any]]:
        """What `copies.list` says, by the copies' names."""
        return {row["copy"]: row for row in self.invoke("copies.list", "--json").json()}

    def web(self, name: str = "") -> Any:
        """The container of the stack, or of a copy."""
        return self.client.containers.get(f"{self.copy_project(name)}-web-1")

    def copy_project(self, name: str) -> str:
        return f"{self.name}-copy-{name}" if name else self.name

    def written(self, name: str = "") -> set[str]:
        """The names of the containers that have written to the data of the stack, or of a copy."""
        return {*output_of(self.web(name), "sort", "-u", "/data/log").decode().split()}

    def left(self, name: str = "") -> list[str]:
        """The names of all that the engine has of a copy, or of all copies: whatever says so in any way."""
        own = [f"{labels.COPY_OF}={self.name}", *([f"{labels.COPY}={name}"] if name else [])]
        found: set[str] = set()
        project = self.copy_project(name)
        for label in (own, [f"{labels.PROJECT}={project}"], [f"{labels.LOCK}={project}"]) if name else (own,):
            filters: dict[str, Any] = {"label": label}
            found |= {str(item.name) for item in self.client.containers.list(all=True, filters=filters)}
            found |= {str(item.name) for item in self.client.networks.list(filters=filters)}
            found |= {str(item.name) for item in self.client.volumes.list(filters=filters)}
        return sorted(found)


def copies_of(folder: Path, client: docker.DockerClient) -> Iterator[Stack]:
    """A stack that is up; at the end it and its copies are removed."""
    variables = {"WEB_PORT": str(find_free_port()), "XDG_STATE_HOME": str(folder / "state")}
    project = Stack(folder, f"t-cop-{secrets.token_hex(4)}", client, variables)
    project.write("tasks.py", TASKS)
    project.compose(COMPOSE)
    try:
        up = project.invoke("up", "--detach")
        assert up.code == 0, up.err
        yield project
    finally:
        for name in project.rows():
            project.invoke("copies.end", name)
        left = project.left()
        project.remove_everything()
        assert left == []


@pytest.fixture(scope="module")
def stack(client: docker.DockerClient, busybox: str, tmp_path_factory: Any) -> Iterator[Stack]:
    yield from copies_of(tmp_path_factory.mktemp("copies"), client)
