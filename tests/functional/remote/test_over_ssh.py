"""A day's work with an engine over ssh: the second engine of this machine, where there is one."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import Project, build_busybox, find_free_port
from tests.functional.remote.sshd import PROGRAM, Sshd, running_sshd

SECOND = Path("/run/engine28/docker.sock")
WAIT = 90.0  # seconds for what takes a moment


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine behind the sshd: not the one that these tests would use without it."""
    client = docker.DockerClient(base_url=f"unix://{SECOND}") if SECOND.exists() else docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def busybox(client: docker.DockerClient) -> str:
    return build_busybox(client)


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    if not Path(PROGRAM).exists():
        pytest.skip("no sshd here: install the package openssh-server")
    here = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    engine = f"unix://{SECOND}" if SECOND.exists() else here
    with running_sshd(engine) as running:
        yield running


@pytest.fixture
def remote(new_project: Callable[..., Project], sshd: Sshd) -> Iterator[Project]:
    """A stack whose page is published on an address of the engine's host alone."""
    project = new_project(variables=sshd.variables)
    project.write("src/index.html", "first")
    project.compose(
        f"""
        services:
          web:
            image: IMAGE
            init: true
            command: sh -c 'mkdir -p /page; echo started; exec httpd -f -p 8000 -h /page'
            ports: ["127.0.0.2:{find_free_port()}:8000"]
            volumes: [data:/data]
            develop:
              watch: [{{path: ./src, target: /page, action: sync, initial_sync: true}}]
        volumes: {{data: {{}}}}
        """
    )
    yield project
    project.invoke("down", "--volumes", "--yes")


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_a_tunnel_brings_the_ports_here_until_down(remote: Project, sshd: Sshd) -> None:
    up = remote.invoke("up", "-d")
    assert up.code == 0, up.err
    assert "to reach them from here: `invoke up --tunnel`" in up.err
    assert remote.invoke("urls", "--json").json() == []
    assert remote.invoke("env", "--json").json() == {}
    with_tunnel = remote.invoke("up", "-d", "--tunnel")
    assert with_tunnel.code == 0, with_tunnel.err
    (found,) = remote.invoke("urls", "--json").json()
    port = int(found["address"].rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), 10).close()
    assert found["address"].endswith(f"localhost:{port}")
    assert remote.invoke("env", "--json").json()["WEB_PORT"] == str(port)
    until(lambda: len(sshd.background()) == 1, "one tunnel is open")
    assert remote.invoke("down").code == 0
    until(lambda: not sshd.background(), "the tunnel is still open")


def test_a_port_in_use_here_is_replaced(remote: Project, sshd: Sshd) -> None:
    text = (remote.directory / "compose.yaml").read_text()
    wanted = int(text.partition("127.0.0.2:")[2].partition(":")[0])
    with socket.create_server(("127.0.0.1", wanted)):
        up = remote.invoke("up", "-d", "--tunnel")
    assert up.code == 0, up.err
    assert f"port {wanted} of this machine is in use; the tunnel uses port" in up.err
    (found,) = remote.invoke("urls", "--json").json()
    assert not found["address"].endswith(f":{wanted}")


def test_daily_commands(remote: Project) -> None:
    assert remote.invoke("up", "-d").code == 0
    assert remote.invoke("exec", "web", "--", "sh", "-c", "echo kept > /data/f; exit 7").code == 7
    assert "started" in remote.invoke("logs").out
    assert remote.invoke("snapshot", "web", "--name", "one").code == 0
    assert remote.invoke("exec", "web", "--", "rm", "/data/f").code == 0
    assert remote.invoke("restore", "web", "--name", "one", "--yes").code == 0
    assert remote.invoke("exec", "web", "--", "cat", "/data/f").out == "kept\n"
    assert remote.invoke("snapshots.rm", "one", "--yes").code == 0


def test_the_watch_brings_files_there(remote: Project) -> None:
    assert remote.invoke("up", "-d").code == 0
    watching = remote.start("watch")
    try:
        shown = ("exec", "web", "--", "cat", "/page/index.html")
        until(lambda: remote.invoke(*shown).out == "first", "the first sync did not come")
        remote.write("src/index.html", "second")
        until(lambda: remote.invoke(*shown).out == "second", "the edit did not come")
    finally:
        watching.terminate()
        watching.communicate(timeout=WAIT)


def test_a_context_is_as_good(remote: Project, sshd: Sshd) -> None:
    remote.variables |= {"DOCKER_CONFIG": str(sshd.folder / "config"), "DOCKER_CONTEXT": "there"}
    del remote.variables["DOCKER_HOST"]
    made = subprocess.run(
        ["docker", "context", "create", "there", "--docker", f"host={sshd.url}"],
        env={**remote.environment, "DOCKER_CONTEXT": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert remote.invoke("up", "-d").code == 0
    assert [row["service"] for row in remote.invoke("ps", "--json").json()] == ["web"]


def test_a_missing_bind_mount_is_named_before_anything_starts(
    new_project: Callable[..., Project], sshd: Sshd
) -> None:
    project = new_project(variables=sshd.variables)
    project.compose(
        """
        services:
          web: {image: IMAGE, init: true, command: sleep 1000, volumes: ["./gone:/app", "./here:/here"]}
        """
    )
    (project.directory / "here").mkdir()
    up = project.invoke("up", "-d")
    assert up.code == 0, up.err
    (named,) = [line for line in up.err.splitlines() if "mounts" in line]
    assert "gone (compose.yaml:2), which is not on 127.0.0.1" in named
    assert "develop: {watch: [{path: ./gone, target: /app, action: sync, initial_sync: true}]}" in named
    assert up.err.index(named) < up.err.index("creating")


def test_a_host_that_does_not_answer_is_named(new_project: Callable[..., Project], sshd: Sshd) -> None:
    project = new_project("services: {web: {image: IMAGE}}", variables=sshd.variables)
    project.variables["DOCKER_HOST"] = f"ssh://127.0.0.1:{find_free_port()}"
    up = project.invoke("up", "-d")
    assert up.code == 1
    assert "no engine answers at ssh://127.0.0.1" in up.err
    assert "refused" in up.err
