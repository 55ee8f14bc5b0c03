"""Two people who deploy the same stack at the same time."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.planning.deploys import names
from invoke_devstack.running.locks import Holder
from tests.swarm.full import FULL, wait_for
from tests.swarm.project import Project

pytestmark = FULL

STACK = """
services:
  web:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {monitor: 1s}}
"""
WAITS = STACK.replace(
    "deploy:", "healthcheck: {test: [CMD, test, -e, /tmp/go], interval: 500ms, retries: 1000}\n    deploy:"
)


def _is_locked(project: Project) -> bool:
    return bool(project.api.configs({"name": names.lock_name(project.name)}))


def _let_go(project: Project) -> bool:
    """Lets the service that waits become healthy; whether it has a container."""
    found = []
    for node in range(1, project.cluster.count + 1):
        engine = project.cluster.client(node)
        found += engine.containers.list(filters={"label": project.label})
    for container in found:
        container.exec_run(["touch", "/tmp/go"])
    return bool(found)


def test_the_second_deploy_waits_for_the_first_and_says_who_it_is(project: Project) -> None:
    project.write(WAITS)
    first = project.start("deploy", "--yes")
    wait_for(lambda: _is_locked(project))
    project.write(STACK)
    second = project.start("deploy", "--yes")
    assert second.stderr
    said = next(line for line in second.stderr if "Waiting for" in line)
    assert f"(pid {first.pid}, since " in said
    assert f"which is changing {project.name}." in said
    assert f"(pid {first.pid}, since " in project.invoke("deploy.status").stderr
    assert second.poll() is None
    wait_for(lambda: _let_go(project) and first.poll() is not None)
    _, err = first.communicate(timeout=150)
    assert first.returncode == 0, err
    _, err = second.communicate(timeout=150)
    assert second.returncode == 0, err
    web = project.specs()[f"{project.name}_web"]
    assert "Healthcheck" not in web["TaskTemplate"]["ContainerSpec"]
    assert [row["outcome"] for row in project.answer("deploy.history")] == ["done", "done"]


def test_the_lock_of_a_machine_that_is_gone_is_taken_when_its_heart_stands_still(project: Project) -> None:
    project.write(STACK)
    gone = replace(Holder.of_this_process(), machine="another", host="laptop2", token="gone")
    labels = {names.STACK: project.name, names.LOCK: gone.to_label(), names.BEAT: "0"}
    project.api.create_config(names.lock_name(project.name), b"lock", labels)
    said = project.deploy()
    assert "laptop2" in said
    assert project.answer("deploy.status")[0]["state"] == "healthy"
    assert not _is_locked(project)
