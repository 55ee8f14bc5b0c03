"""Host ports that two containers want, or that somebody else has."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

TWO = """
    services:
      a: {image: IMAGE, init: true, command: [httpd, -f], ports: ["127.0.0.1:${PORT}:80"]}
      b: {image: IMAGE, init: true, command: [httpd, -f], ports: ["127.0.0.1:${PORT}:80"]}
"""
REPLICAS = """
    services:
      q: {image: IMAGE, init: true, scale: 2, command: [httpd, -f], ports: ["127.0.0.1:${PORT}:80"]}
"""


def _ports(project: Project) -> set[str]:
    return {item.ports["80/tcp"][0]["HostPort"] for item in project.containers()}


def test_two_services_of_one_file_are_refused_before_anything_starts(
    new_project: Callable[..., Project], free_port: int
) -> None:
    project = new_project(TWO, variables={"PORT": str(free_port)})
    ended = project.invoke("up", "--detach")
    assert ended.code == 1
    assert f"`a` and `b` both publish port {free_port}" in ended.err
    assert "compose.yaml:2:" in ended.err
    assert "compose.yaml:3:" in ended.err
    assert not project.containers()
    assert project.invoke("up", "--detach", "--ports", "auto").code == 0
    assert len(_ports(project)) == 2


def test_replicas_get_ports_of_their_own_and_keep_them(
    new_project: Callable[..., Project], free_port: int
) -> None:
    project = new_project(REPLICAS, variables={"PORT": str(free_port)})
    refused = project.invoke("up", "--detach")
    assert (refused.code, project.containers()) == (1, [])
    assert f"the 2 containers of `q` cannot all publish port {free_port}" in refused.err
    assert project.invoke("up", "--detach", "--ports", "auto").code == 0
    first = _ports(project)
    assert len(first) == 2
    assert str(free_port) in first
    again = project.invoke("up", "--detach", "--ports", "auto")
    assert "nothing to do" in again.out
    assert _ports(project) == first


def test_the_container_of_another_stack_is_named_and_the_hint_is_not_the_flag_given(
    new_project: Callable[..., Project], free_port: int
) -> None:
    holder = new_project(REPLICAS.replace("scale: 2, ", ""), variables={"PORT": str(free_port)})
    assert holder.invoke("up", "--detach").code == 0
    other = new_project(REPLICAS.replace("scale: 2, ", ""), variables={"PORT": str(free_port)})
    ended = other.invoke("up", "--detach")
    assert ended.code == 1
    assert f"already in use by container {holder.name}-q-1 (project {holder.name}, in " in ended.err
    assert "--ports auto`" in ended.err


BLOCKED = """
services:
  one:
    image: IMAGE
    command: sleep 100
    ports: ["127.0.0.1:${PORT}:80", "127.0.0.1:${OTHER}:81"]
    secrets: [token]
  two:
    image: IMAGE
    command: sleep 100
    volumes:
      - {type: bind, source: ./absent, target: /x, bind: {create_host_path: false}}
    environment: {PASSWORD: "${DEVSTACK_PASSWORD:?set a password}"}
    env_file: [two.env]
  three:
    image: 127.0.0.1:1/not-there:1
secrets:
  token: {file: ./token.txt}
"""


@pytest.mark.parametrize("words", [("up", "--detach"), ("up", "--dry-run"), ("create",)])
def test_everything_that_blocks_an_up_is_said_at_once_and_nothing_is_created(
    new_project: Callable[..., Project], words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [holder.getsockname()[1] for holder in (one, two)]
        variables = {"PORT": str(ports[0]), "OTHER": str(ports[1])}
        project = new_project(BLOCKED, variables=variables)
        refused = project.invoke(*words)
    assert refused.code == 1
    assert "7 things are missing or in use; nothing was built or started" in refused.err
    for port in ports:
        assert f"one cannot publish port {port}: it is already in use by " in refused.err
    lines = (project.directory / "compose.yaml").read_text().splitlines()
    for part, said in (
        ("token: {", "token.txt, which the secret"),
        ("./absent", "which two mounts"),
        ("PASSWORD:", "DEVSTACK_PASSWORD has no value: set a password. Set it in the environment"),
        ("env_file:", "no such env file: "),
    ):
        number = next(at for at, line in enumerate(lines, 1) if part in line)
        assert any(f"compose.yaml:{number}:" in line and said in line for line in refused.err.splitlines())
    assert "127.0.0.1:1/not-there:1 cannot be pulled: 127.0.0.1:1 cannot be reached" in refused.err
    assert (project.containers(), project.networks()) == ([], [])


STOPPED = """
services:
  one:
    image: IMAGE
    init: true
    command: sleep 100
    ports: ["127.0.0.1:${PORT}:80"]
    volumes:
      - {type: bind, source: ./there, target: /x, bind: {create_host_path: false}}
    environment: {PASSWORD: "${DEVSTACK_PASSWORD:?}"}
"""


def test_what_blocks_a_start_or_a_run_is_said_at_once_too(
    new_project: Callable[..., Project], free_port: int
) -> None:
    project = new_project(STOPPED, variables={"PORT": str(free_port), "DEVSTACK_PASSWORD": "x"})
    folder = project.directory / "there"
    folder.mkdir()
    assert project.invoke("create").code == 0
    folder.rmdir()
    with socket.create_server(("127.0.0.1", free_port)):
        refused = project.invoke("start")
        del project.variables["DEVSTACK_PASSWORD"]
        lacking = [project.invoke(*words) for words in (("run", "--rm", "one", "true"), ("start",))]
    assert refused.code == 1
    assert "2 things are missing or in use" in refused.err
    assert f"one cannot publish port {free_port}" in refused.err
    for ended in lacking:
        assert ended.code == 1
        assert "DEVSTACK_PASSWORD has no value" in ended.err
    assert "which one mounts" in lacking[0].err
    assert [item.status for item in project.containers()] == ["created"]
