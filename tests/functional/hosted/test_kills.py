"""Whatever is killed with SIGKILL, whenever: nothing is left over, nothing is lost, the next command goes on.

The whole is `invoke test.kills`: 50 kills, of which the tests include a few.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import Project, find_free_port
from tests.functional.hosted.kills import VICTIMS, Kills

ROUNDS = int(os.environ.get("DEVSTACK_KILLS", "3"))
SEED = int(os.environ.get("DEVSTACK_KILLS_SEED", "1"))


@pytest.mark.timeout(120 + 60 * ROUNDS)
def test_kills_at_random_moments(new_project: Callable[..., Project], client: docker.DockerClient) -> None:
    if not client.images.list(name="python:3.13-slim"):
        pytest.skip("no image python:3.13-slim on this engine: `make up` gets it")
    runtime = Path(tempfile.mkdtemp(prefix="k-", dir="/tmp"))  # a name that leaves room for a socket's
    project = new_project(variables={"XDG_RUNTIME_DIR": str(runtime)})
    series = Kills(project, runtime, find_free_port(), find_free_port(), random.Random(SEED))
    try:
        series.prepare()
        series.run(ROUNDS)
    finally:
        project.invoke("down", timeout=180)
        shutil.rmtree(runtime, ignore_errors=True)
    assert sum(series.killed.values()) == ROUNDS
    assert {*series.killed} == {*VICTIMS[:ROUNDS]}
    print(f"seed {SEED}: {series.killed}, {len(series.answered)} writes answered and kept")
