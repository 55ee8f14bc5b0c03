"""`use_api_socket`: what the service gets, and that its hash is Compose's."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.planning.bodies.api_socket import with_api_socket
from invoke_devstack.planning.bodies.hashes import service_hash
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import engine_with

PLAIN = "image: 'alpine:3', init: true, command: sleep infinity, use_api_socket: true"
OF_COMPOSE = {
    PLAIN: "4c1ee61114125689ad1d5c0e2bc9435e890d0bf4cf400f3f09c23757a9ade4bd",
    f"{PLAIN}, environment: {{DOCKER_CONFIG: /x, A: '1'}}": (
        "c33f185038786a012b7de31ae2c2d7c059894070d900d7f8fc0edd2d04b35a93"
    ),
    f"{PLAIN}, volumes: ['vv:/v'], environment: {{A: '1', Z: '2'}}": (
        "0783aa944422c718b3ec773d5ce2051a064e8ef917516d44e869f063488ec468"
    ),
}
"""Service -> the label that Compose 2.40 gave its container."""


@pytest.mark.parametrize("service", OF_COMPOSE)
def test_the_label_equals_composes(tmp_path: Path, service: str) -> None:
    (tmp_path / "compose.yaml").write_text(f"services: {{a: {{{service}}}}}\nvolumes: {{vv: {{}}}}\n")
    completed = with_api_socket(load(tmp_path, environment={}, project_name="p"), "{}")
    assert service_hash(completed.services["a"], {}) == OF_COMPOSE[service]


def test_the_logins_are_written_where_docker_config_points(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(f"services: {{a: {{{PLAIN}}}}}\n")
    definition = load(tmp_path, environment={}, project_name="p")
    plan = plan_up(definition, engine_with(definition), PlanningOptions(logins='{"auths": {}}'))
    (created,) = [action for action in plan if isinstance(action, CreateContainer)]
    assert [(file.path, file.content, file.mode) for file in created.files] == [
        ("/run/secrets/docker/config.json", b'{"auths": {}}', 0o444)
    ]
    assert created.body["Env"] == ["DOCKER_CONFIG=/run/secrets/docker"]
    assert created.body["HostConfig"]["Binds"] == ["/var/run/docker.sock:/var/run/docker.sock:rw"]
