"""A stack on a real engine, and a file whose services wait for each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from tests.engine.stacks import Stack

ORDERED = """
services:
  db:
    image: IMAGE
    command: sh -c 'sleep 0.3; touch /tmp/ok; exec sleep 1000'
    init: true
    healthcheck: {test: "test -f /tmp/ok", interval: 120s}
    volumes: ["data:/data"]
  migrate:
    image: IMAGE
    command: sh -c 'echo migrated'
    depends_on: {db: {condition: service_healthy}}
  web:
    image: IMAGE
    command: sleep 1000
    init: true
    depends_on: {migrate: {condition: service_completed_successfully}}
volumes: {data: {}}
"""


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Stack:
    return Stack(engine, tmp_path, project, busybox)
