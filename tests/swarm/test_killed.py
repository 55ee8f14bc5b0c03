"""`invoke deploy` killed at moments spread over a whole deploy, each time followed by another one."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import pytest

from tests.swarm.full import FULL
from tests.swarm.project import Project

pytestmark = FULL

MOMENTS = 20

STACK = """
services:
  db:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; touch /tmp/ok; while :; do sleep 0.2; done"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ok"], interval: 500ms}
    secrets: [password]
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 1s}}
  migrate:
    image: IMAGE
    command: ["sh", "-c", "echo VERSION"]
    depends_on: {db: {condition: service_healthy}}
    deploy: {endpoint_mode: dnsrr}
  web:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; echo VERSION; while :; do sleep 0.2; done"]
    configs: [settings]
    depends_on: {migrate: {condition: service_completed_successfully}}
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {monitor: 1s, parallelism: 2}}
  OTHER:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]
    networks: [OTHER]
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 1s}}
networks: {OTHER: }
configs: {settings: {content: VERSION}}
secrets: {password: {file: VERSION.txt}}
"""
VERSIONS = {"blue": "left", "red": "right"}


def write(project: Project, version: str) -> None:
    """A version has its own command, config and secret, and a service and a network that the other lacks."""
    (project.folder / f"{version}.txt").write_text(f"open {version}")
    project.write(STACK.replace("VERSION", version).replace("OTHER", VERSIONS[version]))


def end_state(project: Project) -> dict[str, Any]:
    """All that a deploy leaves in the swarm, without what no two deploys share: ids, versions, times, and the
    numbers of deploys."""
    api, filters = project.api, {"label": project.label}
    networks = {item["Id"]: item["Name"] for item in api.networks()}
    specs = project.specs()
    for spec in specs.values():
        task = spec["TaskTemplate"]
        task.pop("ForceUpdate", None)
        for network in task.get("Networks", ()):
            network["Target"] = networks[network["Target"]]
        for kind in ("Config", "Secret"):
            for file in task["ContainerSpec"].get(f"{kind}s") or ():
                del file[f"{kind}ID"]
    names = [item["Spec"]["Name"] for item in (*api.configs(filters), *api.secrets(filters))]
    return {
        "services": specs,
        "files": sorted(name for name in names if "devstack-revision" not in name),
        "networks": sorted(item["Name"] for item in api.networks(filters=filters)),
        "history": [(row["outcome"], row["services"]) for row in project.answer("deploy.history")],
        "states": {
            row["service"]: (row["state"], row["replicas"]) for row in project.answer("deploy.status")
        },
    }


def _deploy(project: Project, version: str) -> float:
    """Returns how many seconds it took."""
    write(project, version)
    began = time.monotonic()
    project.deploy()
    return time.monotonic() - began


@pytest.mark.timeout(1500)
def test_a_deploy_killed_at_twenty_moments_is_finished_by_the_next_one(project: Project) -> None:
    wanted: dict[str, dict[str, Any]] = {}
    for _ in range(3):  # until the history has as many deploys as it keeps
        for version in ("blue", "red"):
            span = _deploy(project, version)
            wanted[version] = end_state(project)
    halfway = 0
    wrong = []
    for moment in range(MOMENTS):
        if moment % 4 == 0:  # how long one takes now: other work of this machine changes it
            span = min(_deploy(project, version) for version in ("blue", "red"))
        version = ("blue", "red")[moment % 2]
        write(project, version)
        process = project.start("deploy", "--yes")
        try:
            process.communicate(timeout=span * (moment + 0.5) / MOMENTS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        killed = process.returncode == -signal.SIGKILL
        halfway += killed and "a deploy was killed half-way" in project.invoke("deploy.status").stderr
        said = project.deploy()
        found = end_state(project)
        wrong += [
            f"{moment + 1}, {key}: {found[key]} instead of {wanted[version][key]}; {said}"
            for key in found
            if found[key] != wanted[version][key]
        ]
    print(f"{halfway} of {MOMENTS} were killed half-way")
    assert not wrong, "\n".join(wrong)
    assert halfway >= MOMENTS // 2
    assert "nothing to do" in project.deploy()
