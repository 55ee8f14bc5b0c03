"""`dev.docker()` in a team's tasks.py: the Docker SDK's client for the engine of the stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.conftest import Project

TASKS = """
    from invoke import task
    from invoke_devstack import stack

    dev = stack()
    namespace = dev

    @task
    def names(c):
        client = dev.docker()
        (web,) = client.containers.list(filters={"label": "com.docker.compose.project=PROJECT"})
        print(web.name, web.exec_run(["sh", "-c", "echo hello; sleep 0.5"]).output.decode().strip())
        print(b"".join(web.exec_run(["echo", "streamed"], stream=True).output).decode().strip())

    namespace.add_task(names)
"""


@pytest.fixture
def stack(project: Project) -> Project:
    project.compose("services: {web: {image: IMAGE, command: [sleep, '1000'], stop_grace_period: 0s}}")
    project.write("tasks.py", TASKS.replace("PROJECT", project.name))
    return project


def test_a_tasks_py_uses_the_sdk_on_the_engine_of_the_stack(stack: Project) -> None:
    assert stack.invoke("up", "--detach").code == 0
    done = stack.invoke("names")
    assert (done.code, done.out.splitlines()) == (0, [f"{stack.name}-web-1 hello", "streamed"]), done.err


def test_over_ssh_the_sdk_needs_no_paramiko(stack: Project, tmp_path: Path) -> None:
    assert stack.invoke("up", "--detach").code == 0
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\nunset DOCKER_HOST\nexec docker system dial-stdio\n'
    )
    ssh.chmod(0o755)
    stack.variables |= {"PATH": f"{tmp_path}:{stack.environment['PATH']}", "DOCKER_HOST": "ssh://ann@box"}
    done = stack.invoke("names")
    assert (done.code, done.out.splitlines()) == (0, [f"{stack.name}-web-1 hello", "streamed"]), done.err
    assert "-l ann" in (tmp_path / "calls").read_text()


def test_without_an_engine_it_says_so_as_every_task_does(stack: Project) -> None:
    stack.variables["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    done = stack.invoke("names")
    assert (done.code, done.out) == (1, "")
    assert "no engine answers at /nowhere/docker.sock" in done.err
    assert "Traceback" not in done.err
