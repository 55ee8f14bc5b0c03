"""Commands on containers that do not exist say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

STACK = """
    services:
      a: {image: IMAGE, init: true, command: [sleep, "600"]}
      b: {image: IMAGE, init: true, command: [sleep, "600"]}
"""


@pytest.mark.parametrize("task", ["start", "restart"])
def test_nothing_to_start_is_not_success(new_project: Callable[..., Project], task: str) -> None:
    project = new_project(STACK)
    ended = project.invoke(task)
    assert ended.code == 2
    assert f"error: {project.name} has no containers" in ended.err
    assert "`invoke up`" in ended.err


@pytest.mark.parametrize("task", ["start", "restart"])
def test_a_service_without_a_container_is_named(new_project: Callable[..., Project], task: str) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "--detach", "-s", "a").code == 0
    assert project.invoke("stop").code == 0
    ended = project.invoke(task)
    assert ended.code == 0, ended.err
    assert f"b has no container and is not {task}ed" in ended.err
    assert "a  running after" in ended.out


def test_a_path_in_an_unknown_service_names_the_service(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    ended = project.invoke("cp", "aa:/x", ".")
    assert ended.code == 2
    assert "unknown service `aa`" in ended.err
    assert "Did you mean `a`?" in ended.err
