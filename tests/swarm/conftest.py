"""One cluster for all of these tests, and a project to deploy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.swarm.cluster import Cluster, missing
from tests.swarm.full import IS_FULL
from tests.swarm.project import Project

NODES = 3 if IS_FULL else 2


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if why := missing():
        pytest.skip(f"no cluster can be made here: {why}")
    with Cluster(NODES) as made:
        made.give_busybox(1)
        image = f"{made.registry}/busybox"
        made.client(1).images.get("devstack-test/busybox:1").tag(image, "1")
        made.client(1).images.push(image, "1")
        yield made


@pytest.fixture
def project(cluster: Cluster, tmp_path: Path) -> Iterator[Project]:
    made = Project(cluster, tmp_path, f"t{tmp_path.name.replace('_', '')[:20].strip('-').lower()}")
    yield made
    made.invoke("deploy.down", "--yes")
