"""Engines that are in no swarm, and nodes that are down."""

from __future__ import annotations

import subprocess

from tests.swarm.full import FULL, wait_for
from tests.swarm.project import INVOKE, Project
from tests.swarm.test_images import write

pytestmark = FULL


def test_an_engine_in_no_swarm_is_refused_with_the_way(project: Project) -> None:
    write(project)
    cluster = project.cluster
    cluster.leave(3)
    try:
        refused = subprocess.run(
            [INVOKE, "deploy", "--yes"],
            cwd=project.folder,
            env={**project.environment, "DOCKER_HOST": cluster.url(3)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        cluster.join(3)
    assert refused.returncode == 1
    assert f"the engine at {cluster.url(3)} is in no swarm" in refused.stderr
    assert "`invoke deploy.init`" in refused.stderr


def test_a_node_that_is_down_is_named_and_the_others_take_its_tasks(project: Project) -> None:
    cluster = project.cluster
    cluster.kill(3)
    try:
        wait_for(lambda: {"down"} & {node["Status"]["State"] for node in project.api.nodes()})
        write(project)
        said = project.deploy()
        assert "node node3: the node is down, and takes no tasks" in said
        status = project.invoke("deploy.status", "--tasks")
        assert "node node3 is down" in status.stderr
        assert "node3" not in status.stdout
        assert project.answer("deploy.status")[0]["replicas"] == "3/3"
    finally:
        cluster.revive(3)
        wait_for(project.nodes_are_ready)
