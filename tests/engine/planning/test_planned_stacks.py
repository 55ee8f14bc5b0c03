"""Plans carried out on a real engine: what they say is what happens."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from invoke_devstack.definition import load
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.planning import labels
from invoke_devstack.planning.explaining.script import script
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack.down import take_down
from invoke_devstack.running.stack.up import bring_up, plan
from invoke_devstack.settings import Settings

SLEEP = 'command: ["sh", "-c", "trap exit TERM; sleep 1000 & wait"]'


@pytest.fixture
def project(engine: DockerEngine) -> Iterator[str]:
    name = f"t-planned-{uuid.uuid4().hex[:8]}"
    yield name
    wanted = {"label": [f"{labels.PROJECT}={name}"]}
    for container in engine.list_containers(wanted):
        engine.remove_container(container["Id"], force=True)
    for network in engine.list_networks(wanted):
        engine.remove_network(network["Id"])
    for volume in engine.list_volumes(wanted):
        engine.remove_volume(volume["Name"])


def session_for(text: str, engine: DockerEngine, image: str, project: str, folder: Path) -> Session:
    (folder / "compose.yaml").write_text(text.replace("IMAGE", f'"{image}"').replace("SLEEP", SLEEP))
    settings = Settings(bind="127.0.0.1", wait_timeout=30)
    return Session(load(folder, project_name=project), engine, lambda event: None, settings=settings)


def container(session: Session, name: str) -> Any:
    return session.engine.inspect_container(f"{session.project}-{name}")


def run(session: Session, name: str, *command: str) -> str:
    done = session.engine.exec(f"{session.project}-{name}", command)
    return done.output.decode().strip()


SCRIPTED = """
services:
  db:
    image: IMAGE
    SLEEP
    environment: {DB_PASSWORD: "it's; a $$(secret)", MODE: "a b"}
    healthcheck: {test: "true", interval: 1s}
    volumes: [data:/data, /anonymous]
    ulimits: {nofile: {soft: 200, hard: 400}}
    init: true
    stop_signal: SIGINT
  job: {image: IMAGE, command: ["true"], depends_on: {db: {condition: service_healthy}}}
  web:
    image: IMAGE
    entrypoint: ["sh", "-c"]
    command: ["trap exit TERM; sleep 1000 & wait"]
    depends_on: {job: {condition: service_completed_successfully}}
    ports: ["80"]
    expose: ["9000"]
    networks: {default: {aliases: [www]}, other: }
    secrets: [{source: pin, mode: 0400, uid: "5"}]
    configs: [{source: conf, target: /etc/app/conf}]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
  side: {image: IMAGE, SLEEP, network_mode: "service:web"}
networks: {other: }
volumes: {data: }
secrets: {pin: {environment: HOME}}
configs: {conf: {content: "it's plain\\n"}}
"""


def test_the_script_brings_up_a_stack_that_up_finds_unchanged(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(SCRIPTED, engine, busybox, project, tmp_path)
    text = script(plan(session, UpOptions()))
    secrets = {"DB_PASSWORD": "it's; a $(secret)", "RUN_SECRETS_PIN": os.environ["HOME"]}
    environment = {**os.environ, **secrets, "DOCKER_HOST": engine.endpoint.url}
    done = subprocess.run(["sh"], input=text, text=True, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    remaining = plan(session, UpOptions())
    assert [line for line in remaining.lines() if not line.startswith("await")] == []
    assert run(session, "db-1", "sh", "-c", 'echo "$DB_PASSWORD"') == secrets["DB_PASSWORD"]
    assert run(session, "web-1", "cat", "/etc/app/conf") == "it's plain"
    assert run(session, "web-1", "stat", "-c", "%a %u", "/run/secrets/pin") == "400 5"
    take_down(session, DownOptions(volumes=True, timeout=1))


CHANGING = """
services:
  web:
    image: IMAGE
    SLEEP
    volumes: [/anonymous, data:/data]
    environment: {DEBUG: "0"}
  side: {image: IMAGE, SLEEP, network_mode: "service:web"}
volumes: {data: }
"""


def test_a_container_that_is_recreated_keeps_its_volumes_and_the_cause_tells_old_and_new(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(CHANGING, engine, busybox, project, tmp_path)
    bring_up(session, UpOptions())
    before = container(session, "web-1")
    run(session, "web-1", "touch", "/anonymous/kept", "/data/kept")
    session = session_for(CHANGING.replace('"0"', '"1"'), engine, busybox, project, tmp_path)
    lines = plan(session, UpOptions()).lines()
    assert lines[0] == f"create {before['Id'][:12]}_{project}-web-1  (environment: DEBUG 0 -> 1)"
    bring_up(session, UpOptions())
    after = container(session, "web-1")
    assert after["Id"] != before["Id"]
    assert run(session, "web-1", "ls", "/anonymous", "/data").count("kept") == 2
    assert container(session, "side-1")["HostConfig"]["NetworkMode"] == f"container:{after['Id']}"
    assert plan(session, UpOptions()).lines() == ()
    take_down(session, DownOptions(volumes=True, timeout=1))


def test_changes_leave_no_volume_and_no_container_behind(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(CHANGING, engine, busybox, project, tmp_path)
    bring_up(session, UpOptions())
    mounted = {mount["Name"] for mount in container(session, "web-1")["Mounts"]}
    for round_ in range(5):
        changed = CHANGING.replace('"0"', f'"{round_ + 1}"')
        session = session_for(changed, engine, busybox, project, tmp_path)
        bring_up(session, UpOptions())
    assert {mount["Name"] for mount in container(session, "web-1")["Mounts"]} == mounted
    assert len(engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})) == 2
    take_down(session, DownOptions(volumes=True, timeout=1))
    left = {volume["Name"] for volume in engine.list_volumes({})}
    assert not mounted & left


def test_a_network_that_changed_is_recreated_under_its_containers(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    plain = "services:\n  web: {image: IMAGE, SLEEP}\nnetworks:\n  default: {labels: {a: OLD}}\n"
    bring_up(session_for(plain, engine, busybox, project, tmp_path), UpOptions())
    session = session_for(plain.replace("OLD", "new"), engine, busybox, project, tmp_path)
    bring_up(session, UpOptions())
    (network,) = engine.list_networks({"label": [f"{labels.PROJECT}={project}"]})
    assert network["Labels"]["a"] == "new"
    assert plan(session, UpOptions()).lines() == ()
    take_down(session, DownOptions(volumes=True, timeout=1))


def test_compose_and_we_take_turns_on_one_stack(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    """Each replaces what the other made after a change, and each leaves alone what the other replaced."""
    environment = {**os.environ, "DOCKER_HOST": engine.endpoint.url}
    for turn in range(4):
        text = CHANGING.replace('"0"', f'"{turn}"')
        session = session_for(text, engine, busybox, project, tmp_path)
        command = ["docker", "compose", "--project-name", project, "up", "--detach"]
        if turn % 2:
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
            assert plan(session, UpOptions()).lines() == ()
        else:
            bring_up(session, UpOptions())
            ids = {item["Id"] for item in engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})}
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
            assert ids == {
                item["Id"] for item in engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})
            }
        assert run(session, "web-1", "sh", "-c", 'echo "$DEBUG"') == str(turn)
        if turn == 0:
            run(session, "web-1", "touch", "/anonymous/kept", "/data/kept")
    assert run(session, "web-1", "ls", "/anonymous", "/data").count("kept") == 2
    take_down(session, DownOptions(volumes=True, timeout=1))


HOOKED = """
services:
  web:
    image: IMAGE
    SLEEP
    volumes: [data:/data]
    pre_start: [{command: [sh, -c, "echo before > /data/seen"]}]
    post_start: [{command: [sh, -c, "echo after >> /data/seen"]}]
volumes: {data: }
"""


def test_hooks_of_the_life_cycle_run_before_and_after_the_start(
    engine: DockerEngine, busybox: str, project: str, tmp_path: Path
) -> None:
    session = session_for(HOOKED, engine, busybox, project, tmp_path)
    bring_up(session, UpOptions())
    assert run(session, "web-1", "cat", "/data/seen").split() == ["before", "after"]
    assert len(engine.list_containers({"label": [f"{labels.PROJECT}={project}"]})) == 1
    assert plan(session, UpOptions()).lines() == ()
    take_down(session, DownOptions(volumes=True, timeout=1))
