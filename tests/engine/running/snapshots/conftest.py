"""A stack with data in a volume, and what the tests of snapshots do with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning.plans.snapshots import PROJECT, Snapshot
from invoke_devstack.running.snapshots import restoring, taking
from invoke_devstack.running.snapshots.common import list_snapshots
from tests.engine.stacks import Stack

DB = """
services:
  db:
    image: IMAGE
    init: true
    command: sh -c 'trap "echo closed >> /data/log; exit 0" TERM; while :; do sleep 0.05; done'
    volumes: ["data:/data"]
  web:
    image: IMAGE
    init: true
    command: sleep 1000
    depends_on: [db]
volumes: {data: {}}
"""


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield from _stack(engine, busybox, project, tmp_path)


@pytest.fixture
def other(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    """A second project, as on another machine."""
    folder = tmp_path / "other"
    folder.mkdir()
    yield from _stack(engine, busybox, f"{project}-other", folder)


def _stack(engine: DockerEngine, image: str, project: str, folder: Path) -> Iterator[Stack]:
    stack = Stack(engine, folder, project, image)
    stack.write(DB)
    yield stack
    stack.write(DB)
    stack.down(volumes=True)
    for entry in engine.list_volumes({"label": [f"{PROJECT}={project}"]}):
        engine.remove_volume(entry["Name"])


def shell(stack: Stack, script: str, volume: str = "data") -> str:
    """Runs a script in a container of its own that has the volume at /data; returns what it printed."""
    body = {
        "Image": stack.image,
        "Cmd": ["sh", "-c", script],
        "HostConfig": {"Binds": [f"{stack.project}_{volume}:/data"]},
    }
    made = stack.engine.create_container(f"{stack.project}-shell-{time.monotonic_ns()}", body)
    try:
        stack.engine.start(made)
        assert stack.engine.wait(made, timeout=60) == 0
        return b"".join(data for _, data in stack.engine.logs(made)).decode()
    finally:
        stack.engine.remove_container(made, force=True)


def take(stack: Stack, name: str = "one", service: str = "db") -> Snapshot:
    return taking.take(stack.session(), service, name)


def restore(stack: Stack, name: str = "one", service: str = "db") -> None:
    restoring.restore(stack.session(), service, name)


def names(stack: Stack) -> list[str]:
    return [item.name for item in list_snapshots(stack.engine, stack.project)]


def states(stack: Stack) -> dict[str, str]:
    found = stack.engine.observe(stack.project).containers
    return {item.service: item.state for item in found}


AWKWARD = r"""
cd /data
mkdir -p deep/.hidden 'with space'
echo one > deep/.hidden/file; echo two > 'with space/-dash'; echo three > .dot; echo four > ..twodots
ln -s deep/.hidden/file link; ln -s /nowhere dangling; mkfifo pipe
chown 1234:4321 deep; chmod 700 deep; chmod 640 .dot; chown 99:98 /data; chmod 751 /data
"""
LISTING = "cd /data && find . -exec stat -c '%n %a %u:%g %F %N' {} + | sort; cat .dot deep/.hidden/file"
