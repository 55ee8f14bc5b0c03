"""Readiness of services without a healthcheck: what is guessed, for how long, and what says otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.conftest import Project, until

NewProject = Callable[..., Project]

NOBODY = """
    services:
      web:
        image: IMAGE
        init: true
        command: sleep 1000
        ports: ["127.0.0.1::8080"]
"""
ONE_OF_TWO = """
    services:
      web:
        image: IMAGE
        init: true
        command: httpd -f -p 80
        ports: ["127.0.0.1::5005", "127.0.0.1::80"]
"""


def test_a_port_that_nobody_listens_on_holds_nobody_up(new_project: NewProject) -> None:
    project = new_project(NOBODY)
    ended = project.invoke("up", "--detach")
    assert ended.code == 0
    assert "did not answer within 5 s (http on port 8080)" in ended.err
    assert ended.seconds < 50
    assert project.invoke("is-ready").code == 0


def test_one_answering_port_is_enough(new_project: NewProject) -> None:
    patient = {"INVOKE_DEVSTACK_GUESS": "60"}  # that it takes at most: one that answers ends it
    ended = new_project(ONE_OF_TWO, variables=patient).invoke("up", "--detach")
    assert (ended.code, "did not answer" in ended.err) == (0, False)


@pytest.mark.parametrize("own", ["x-devstack: {ready: running}", ""])
def test_the_guess_can_be_turned_off(new_project: NewProject, own: str) -> None:
    project = new_project(NOBODY + (f"        {own}\n" if own else ""))
    if not own:
        project.variables["INVOKE_DEVSTACK_GUESS"] = "0"
    ended = project.invoke("up", "--detach")
    assert (ended.code, "did not answer" in ended.err) == (0, False)


def test_a_declared_port_is_waited_for_as_a_healthcheck(new_project: NewProject) -> None:
    project = new_project(NOBODY + "        x-devstack: {ready: 8080}\n")
    ended = project.invoke("up", "--detach", "--wait-timeout", "7")
    assert ended.code == 1
    assert "error: web was not ready (http on port 8080) within 7 s" in ended.err
    assert project.invoke("is-ready").code == 1


CRASHING = """
    services:
      two: {image: IMAGE, command: ls /nil, restart: "${POLICY}"}
      api: {image: IMAGE, init: true, command: sleep 1000, depends_on: {two: {condition: service_healthy}}}
"""


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure", "on-failure:3"])
def test_a_service_that_crashes_at_each_start_is_never_running(new_project: NewProject, policy: str) -> None:
    project = new_project(CRASHING, variables={"POLICY": policy})
    for _ in range(2):
        ended = project.invoke("up", "--detach")
        assert ended.code == 1
        assert "error: two keeps crashing" in ended.err
        assert "two  running" not in ended.out
        assert project.invoke("is-ready", "-s", "two").code == 1
    assert project.container("api").status == "created"


def test_a_second_up_does_not_call_a_slow_loop_running(new_project: NewProject) -> None:
    project = new_project(
        """
        services:
          loops: {image: IMAGE, command: sh -c 'sleep 3; exit 4', restart: always}
        """
    )
    assert project.invoke("up", "--detach").code == 0
    until(lambda: project.container("loops").attrs["RestartCount"] >= 3, "three restarts")
    ended = project.invoke("up", "--detach")
    assert ended.code == 1
    assert "error: loops keeps crashing" in ended.err
