"""Checkouts of one repository side by side, ports that are taken, and the list of all stacks."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import TASKS, Project, find_free_port

COMPOSE = """
services:
  web:
    image: IMAGE
    init: true
    command: [sh, -c, 'mkdir -p /data; hostname > /data/index.html; exec httpd -f -p 80 -h /data']
    ports: ["${WEB_PORT}:80"]
    volumes: [data:/data]
volumes: {data: {}}
"""


class Checkout(Project):
    """A project that is called as Compose calls it: nothing imposes its name."""

    @property
    def environment(self) -> dict[str, str]:
        variables = super().environment
        variables.pop("COMPOSE_PROJECT_NAME")
        return variables

    def port(self) -> int:
        (row,) = self.invoke("ps", "--json").json()
        (port,) = row["ports"]
        return int(port["host_port"])

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}", timeout=10) as answer:
            return str(answer.read().decode().strip())


@pytest.fixture
def checkouts(tmp_path: Path, client: docker.DockerClient, busybox: str) -> Iterator[Callable[..., Checkout]]:
    made: list[Checkout] = []
    port = str(find_free_port())

    def make(directory: Path, name: str) -> Checkout:
        found = Checkout(directory, name, client, {"WEB_PORT": port})
        made.append(found)
        return found

    yield make
    for item in made:
        item.remove_everything()


def git(directory: Path, *words: str) -> None:
    own = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(("git", *own, *words), cwd=directory, check=True, capture_output=True)


def repository(directory: Path, compose: str = COMPOSE) -> None:
    directory.mkdir(parents=True)
    (directory / "tasks.py").write_text(TASKS)
    (directory / "compose.yaml").write_text(compose.replace("IMAGE", "devstack-test/busybox:1"))
    git(directory, "init", "--initial-branch", "main")
    git(directory, "add", ".")
    git(directory, "commit", "--message", "first")


@pytest.fixture
def name() -> str:
    return f"tco{secrets.token_hex(4)}"


def test_two_clones_in_folders_of_one_name_are_up_at_once(
    checkouts: Callable[..., Checkout], tmp_path: Path, name: str
) -> None:
    repository(tmp_path / "a" / name)
    (tmp_path / "b").mkdir()
    git(tmp_path / "b", "clone", str(tmp_path / "a" / name), name)
    git(tmp_path / "a" / name, "remote", "add", "origin", str(tmp_path / "a" / name))
    first, second = checkouts(tmp_path / "a" / name, name), checkouts(tmp_path / "b" / name, f"{name}-b")
    assert first.invoke("up").code == 0
    ended = second.invoke("up")
    assert ended.code == 0, ended.err
    assert f"this checkout is called {name}-b" in ended.err
    assert f"is in use by container {name}-web-1" in ended.err
    assert first.port() == int(first.variables["WEB_PORT"])
    assert first.page() != second.page()
    assert {volume.name for volume in second.volumes()} == {f"{name}-b_data"}
    again = second.invoke("up")
    assert "nothing to do" in again.out
    assert "is called" not in again.err


def test_a_worktree_keeps_its_project_and_port_over_restarts_and_branches(
    checkouts: Callable[..., Checkout], tmp_path: Path, name: str
) -> None:
    repository(tmp_path / name, f"name: {name}\n{COMPOSE}")
    git(tmp_path / name, "worktree", "add", "-b", "feature", str(tmp_path / f"{name}-feature"))
    first = checkouts(tmp_path / name, name)
    second = checkouts(tmp_path / f"{name}-feature", f"{name}-feature")
    assert first.invoke("up").code == 0
    assert second.invoke("up").code == 0
    port = second.port()
    assert port != first.port()
    git(second.directory, "switch", "-c", "another")
    assert "nothing to do" in second.invoke("up").out
    assert second.invoke("down").code == 0
    assert second.invoke("up").code == 0
    assert second.port() == port
    # The other one goes: this one keeps its name, and with it its data.
    assert first.invoke("down", "--volumes", "--yes").code == 0
    assert second.invoke("restart").code == 0
    assert {row["service"] for row in second.invoke("ps", "--json").json()} == {"web"}
    assert second.invoke("down").code == 0
    assert {volume.name for volume in second.volumes()} == {f"{name}-feature_data"}
    assert second.invoke("up").code == 0
    assert {container.name for container in second.containers()} == {f"{name}-feature-web-1"}


def test_a_checkout_that_was_moved_takes_its_stack_along(
    checkouts: Callable[..., Checkout], tmp_path: Path, name: str
) -> None:
    repository(tmp_path / "old" / name)
    first = checkouts(tmp_path / "old" / name, name)
    assert first.invoke("up").code == 0
    shutil.move(tmp_path / "old", tmp_path / "new")
    moved = checkouts(tmp_path / "new" / name, name)
    assert [row["state"] for row in moved.invoke("ps", "--json").json()] == ["running"]
    assert moved.invoke("down").code == 0
    assert moved.containers() == []


def test_compose_sees_the_second_checkout_under_the_name_that_it_was_told(
    checkouts: Callable[..., Checkout], tmp_path: Path, name: str
) -> None:
    repository(tmp_path / "a" / name)
    shutil.copytree(tmp_path / "a" / name, tmp_path / "b" / name)
    first, second = checkouts(tmp_path / "a" / name, name), checkouts(tmp_path / "b" / name, f"{name}-b")
    first.invoke("up")
    second.invoke("up", "--ports", "auto")
    seen = second.docker("compose", "--project-name", f"{name}-b", "ps", "--format", "{{.Service}}")
    assert seen.out.split() == ["web"]


PORT = """
    services:
      web:
        image: IMAGE
        init: true
        command: [httpd, -f, -p, "80"]
        ports: ["${WEB_PORT}:80"]
"""


def test_a_port_of_a_plain_process_is_named_and_gives_way_when_asked_for(
    new_project: Callable[..., Project],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        project = new_project(PORT, variables={"WEB_PORT": str(taken)})
        refused = project.invoke("up")
        assert refused.code == 1
        assert str(taken) in refused.err
        assert "--ports auto" in refused.err
        ended = project.invoke("up", "--ports", "auto")
        assert ended.code == 0, ended.err
        assert f"port {taken} is in use by" in ended.err
        (row,) = project.invoke("ps", "--json").json()
        port = row["ports"][0]["host_port"]
        assert port != taken
        assert project.invoke("urls", "--json").json()[0]["address"] == f"http://localhost:{port}"
        # The same ones next time, whether asked for again or not.
        assert "nothing to do" in project.invoke("up").out
        assert "nothing to do" in project.invoke("up", "--ports", "auto").out
        project.invoke("down")
        project.invoke("up", "--ports", "auto")
        (row,) = project.invoke("ps", "--json").json()
        assert row["ports"][0]["host_port"] == port


def test_a_port_of_another_stack_gives_way_when_asked_for(new_project: Callable[..., Project]) -> None:
    port = find_free_port()
    first, second = (new_project(PORT, variables={"WEB_PORT": str(port)}) for _ in range(2))
    assert first.invoke("up").code == 0
    refused = second.invoke("up")
    assert refused.code == 1
    assert first.name in refused.err
    ended = second.invoke("up", "--ports", "auto")
    assert ended.code == 0
    assert f"project {first.name}, in {first.directory}" in ended.err


def test_thirty_stacks_are_listed_at_once_and_one_is_stopped_from_elsewhere(
    new_project: Callable[..., Project], client: docker.DockerClient, busybox: str
) -> None:
    compose = "services: {one: {image: IMAGE, init: true, command: [sleep, '600'], network_mode: none}}"
    real = new_project(compose)
    assert real.invoke("up").code == 0
    project = "com.docker.compose.project"
    many = [
        client.containers.create(busybox, "true", labels={project: f"{real.name}-{index}"})
        for index in range(30)
    ]
    try:
        elsewhere = new_project(compose)
        listed = elsewhere.invoke("stacks", "--json")
        rows = {row["stack"]: row for row in listed.json()}
        assert {f"{real.name}-{index}" for index in range(30)} <= rows.keys()
        assert rows[real.name]["directory"] == str(real.directory)
        assert listed.seconds < 30
        stopped = elsewhere.invoke("stacks", "--stop", real.name)
        assert stopped.code == 0, stopped.err
        assert real.container("one").status == "exited"
        assert "is already stopped" in elsewhere.invoke("stacks", "--stop", real.name).out
        unknown = elsewhere.invoke("stacks", "--stop", f"{real.name}x")
        assert (unknown.code, f"Did you mean `{real.name}" in unknown.err) == (2, True)
    finally:
        for container in many:
            container.remove()


def test_config_and_doctor_name_the_project_that_a_second_checkout_has(
    tmp_path: Path, checkouts: Callable[..., Checkout], name: str
) -> None:
    repository(tmp_path / "one" / name)
    git(tmp_path / "one" / name, "worktree", "add", "-b", "two", str(tmp_path / "two" / name))
    first = checkouts(tmp_path / "one" / name, name)
    second = checkouts(tmp_path / "two" / name, f"{name}-two")
    assert first.invoke("up", "--detach").code == 0
    shown = second.invoke("config")
    assert shown.out.startswith(f"name: {name}-two\n"), shown.out
    assert "already uses this project name" in shown.err
    assert second.invoke("up", "--detach").code == 0
    checked = {row["name"]: row for row in second.invoke("doctor", "--json").json()}
    assert checked["ports"]["state"] == "ok", checked
    assert str(second.port()) in checked["ports"]["found"]
