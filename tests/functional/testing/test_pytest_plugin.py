"""`pytest --devstack`: a team's suite on a copy of the stack of its own, which goes whatever happens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from docker.models.networks import Network

from tests.functional.conftest import Project, find_free_port

STACK = """
    services:
      web:
        image: IMAGE
        container_name: the-one-and-only
        init: true
        command: [sh, -c, "echo served > /data/index.html; exec httpd -f -p 80 -h /data"]
        ports: ["127.0.0.1:${WEB_PORT}:80"]
        volumes: ["pages:/data", "shared:/shared"]
        networks: [inner]
        depends_on: [cache]
      cache:
        image: redis:8
        ports: ["127.0.0.1:${CACHE_PORT}:6379"]
    volumes:
      pages: {}
      shared: {name: fixed-name-of-a-volume}
    networks:
      inner: {name: fixed-name-of-a-network}
"""
TASKS = """
    from invoke_devstack import stack

    namespace = stack()

    @namespace.after("web")
    def seed(c):
        c.run("invoke exec web -- sh -c 'echo seeded > /data/seed'")
        namespace.run_in("web", "sh", "-c", "echo twice >> /data/seed")
"""
SUITE = """
    import socket
    import urllib.request

    def ask(connection, text):
        with socket.create_connection((connection.host, connection.port), timeout=30) as talk:
            talk.sendall(text)
            return talk.recv(100)

    def test_page(devstack):
        with urllib.request.urlopen(devstack.url("web"), timeout=30) as answer:
            assert answer.read() == b"served\\n"

    def test_the_volumes_are_empty_and_ours_alone(devstack):
        assert ask(devstack.connection("cache"), b"INCR seen\\r\\n") == b":1\\r\\n"
        assert devstack.exec("web", "ls", "/shared").output == ""
        devstack.exec("web", "touch", "/shared/mine")

    def test_hooks_ran_for_the_copy(devstack):
        assert devstack.exec("web", "cat", "/data/seed").output == "seeded\\ntwice\\n"

    def test_variables(devstack):
        assert devstack.variables["CACHE_URL"] == devstack.url("cache")
        print(f"copy {devstack.name}")
"""
SLEEPER = """
    import time

    def test_that_is_cut_off(devstack):
        print(f"copy {devstack.name}", flush=True)
        time.sleep(300)
"""
LABEL = "dev.invoke-devstack.testing"
MARK = "dev.invoke-devstack.hook-due.project"


@pytest.fixture
def team(new_project: Callable[..., Project], client: docker.DockerClient) -> Iterator[Project]:
    """A team's project with a stack that fixes every name that it can, and tests of it."""
    ports = {name: str(find_free_port()) for name in ("WEB_PORT", "CACHE_PORT")}
    project = new_project(STACK, variables=ports)
    del project.variables["WEB_PORT"], project.variables["CACHE_PORT"]
    project.write(".env", "".join(f"{name}={value}\n" for name, value in ports.items()))
    project.write("tasks.py", TASKS)
    project.write("test_suite.py", SUITE)
    yield project
    for item in copies(project):  # containers come first: what they use can go after them
        item.remove(**({} if isinstance(item, Network) else {"force": True}))


def suite(project: Project, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir", ".", *words]
    return subprocess.Popen(
        command,
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def copies(project: Project) -> list[Any]:
    """Whatever is left of copies of the project: containers, networks, volumes."""
    client = project.client
    filters: dict[str, str | list[str] | bool] = {"label": LABEL}
    found = [
        *client.containers.list(all=True, filters=filters, ignore_removed=True),
        *client.networks.list(filters=filters),
        *client.volumes.list(filters=filters),
        *client.volumes.list(filters={"label": MARK}),
    ]
    prefix = f"{project.name}-test-"
    return [item for item in found if project_of(item).startswith(prefix)]


def project_of(item: Any) -> str:
    attributes = item.attrs
    labels = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
    return str(labels.get("com.docker.compose.project") or labels.get(MARK, ""))


def wait_until_gone(project: Project, timeout: float = 120.0) -> None:
    end = time.monotonic() + timeout
    while copies(project) and time.monotonic() < end:
        time.sleep(0.2)
    assert copies(project) == []


def copy_of(process: subprocess.Popen[str]) -> str:
    """The name of the copy, once the test that prints it runs."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"copy (\S+)", line):
            return found[1]
    raise AssertionError("the suite ended without a copy")


@pytest.mark.timeout(300)
def test_a_suite_runs_twice_at_once_beside_the_stack_itself(team: Project) -> None:
    assert team.invoke("up", "--detach").code == 0
    runs = [suite(team, "--devstack") for _ in range(2)]
    outputs = [run.communicate(timeout=200)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert all("4 passed" in output for output in outputs)
    names = [found[1] for output in outputs if (found := re.search(r"copy (\S+)", output))]
    assert len({*names}) == 2
    assert copies(team) == []
    assert {row["service"]: row["state"] for row in team.invoke("ps", "--json").json()} == {
        "web": "running",
        "cache": "running",
    }
    assert team.invoke("exec", "web", "--", "ls", "/shared").out == ""
    assert team.invoke("down", "--volumes", "--yes").code == 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing(team: Project, signal_number: signal.Signals) -> None:
    team.write("test_suite.py", SLEEPER)
    run = suite(team, "--devstack")
    copy_of(run)
    assert copies(team)
    os.kill(run.pid, signal_number)
    run.communicate(timeout=120)
    wait_until_gone(team)


def test_what_a_run_left_whose_watchdog_died_too_goes_with_the_next_run(team: Project) -> None:
    team.write("test_suite.py", SLEEPER)
    run = suite(team, "--devstack", "--devstack-services", "cache")
    left = copy_of(run)
    for child in subprocess.run(
        ["pgrep", "-f", f"watchdog {left}"], capture_output=True, text=True, check=True
    ).stdout.split():
        os.kill(int(child), signal.SIGKILL)
    run.kill()
    run.communicate(timeout=60)
    assert {project_of(item) for item in copies(team)} == {left}
    team.write("test_suite.py", "def test_it(devstack): pass\n")
    again = suite(team, "--devstack", "--devstack-services", "cache")
    output, _ = again.communicate(timeout=120)
    assert "1 passed" in output
    assert copies(team) == []


def test_without_the_flag_the_tests_are_skipped_and_nothing_is_imported(team: Project) -> None:
    team.write(
        "test_more.py",
        """
        import sys

        def test_cost():
            heavy = {"invoke", "docker", "pydantic", "psutil", "invoke_devstack.testing.copy"}
            assert not heavy & {*sys.modules}
        """,
    )
    run = suite(team)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0
    assert "1 passed, 4 skipped" in output


def test_a_copy_that_does_not_come_up_fails_with_the_reason_and_leaves_nothing(team: Project) -> None:
    team.compose("services: {web: {image: IMAGE, command: [sh, -c, 'echo no luck today; exit 3']}}")
    run = suite(team, "--devstack")
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert "cannot start the stack" in output
    assert "no luck today" in output
    assert "Traceback" not in output
    assert "another exception" not in output
    assert copies(team) == []


def test_a_folder_that_is_not_there_and_a_misspelt_service_are_named(team: Project) -> None:
    for words, said in (
        (("--devstack-directory", "elsewhere"), "no such directory"),
        (("--devstack-services", "wep"), "Did you mean `web`?"),
    ):
        output, _ = suite(team, "--devstack", *words).communicate(timeout=60)
        assert said in output
    assert copies(team) == []
