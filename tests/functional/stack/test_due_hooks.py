"""A hook that failed or was interrupted is due until it has succeeded, and what is due is not ready."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project, until

NewProject = Callable[..., Project]

STACK = """
    services:
      cache: {image: IMAGE, init: true, command: sleep 1000}
      web: {image: IMAGE, init: true, command: sleep 1000, depends_on: [cache]}
"""
TASKS = """
    from pathlib import Path
    from invoke_devstack import stack

    namespace = dev = stack()


    @dev.WHEN
    def migrate(c):
        with Path("runs").open("a") as runs:
            runs.write("run\\n")
        if not Path("mended").exists():
            WHAT
"""
FAILS = "raise RuntimeError('no such table')"
HANGS = "__import__('time').sleep(60)"


@pytest.fixture
def project(new_project: NewProject) -> Project:
    return new_project(STACK)


def with_hook(project: Project, when: str, what: str = FAILS) -> None:
    project.write("tasks.py", TASKS.replace("WHEN", when).replace("WHAT", what))


def runs(project: Project) -> int:
    file = project.directory / "runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


def marks(project: Project) -> list[str]:
    return [
        volume.name for volume in project.client.volumes.list() if volume.name.startswith(f"{project.name}.")
    ]


@pytest.mark.parametrize("when", ['after("cache")', 'after("up")'])
def test_a_hook_that_failed_is_due_until_it_has_succeeded_once(project: Project, when: str) -> None:
    with_hook(project, when)
    for turn in (1, 2):
        ended = project.invoke("up", "--detach")
        assert (ended.code, runs(project)) == (1, turn)
    assert "(migrate, due: it has not succeeded yet)" in ended.err
    assert project.invoke("is-ready", "-s", "cache").code == (1 if "cache" in when else 0)
    project.write("mended", "")
    assert (project.invoke("up", "--detach").code, runs(project)) == (0, 3)
    assert project.invoke("is-ready").code == 0
    assert (project.invoke("up", "--detach").code, runs(project)) == (0, 3)
    assert marks(project) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_hook_that_was_interrupted_is_due(project: Project, how: signal.Signals) -> None:
    with_hook(project, 'after("cache")', HANGS)
    started = project.start("up", "--detach")
    until(lambda: runs(project) or started.poll() is not None, "the hook")
    assert started.poll() is None
    started.send_signal(how)
    started.communicate(timeout=60)
    project.write("mended", "")
    ended = project.invoke("up", "--detach")
    assert (ended.code, runs(project)) == (0, 2), ended.err
    assert project.container("web").status == "running"


def test_a_hook_after_down_is_due_for_the_next_down(project: Project) -> None:
    with_hook(project, 'after("down")')
    assert project.invoke("up", "--detach").code == 0
    assert (project.invoke("down").code, runs(project)) == (1, 1)
    assert (project.invoke("down").code, runs(project)) == (1, 2)
    project.write("mended", "")
    assert (project.invoke("down").code, runs(project)) == (0, 3)
    assert (project.invoke("down").code, runs(project)) == (0, 3)
    assert marks(project) == []


def test_down_forgets_what_was_due(project: Project) -> None:
    with_hook(project, 'after("cache")')
    assert project.invoke("up", "--detach").code == 1
    assert project.invoke("down").code == 0
    assert marks(project) == []


POST_START = """
    services:
      a:
        image: IMAGE
        init: true
        command: sleep 1000
        post_start: [{command: [sh, -c, "test -e /tmp/mended"]}]
      b: {image: IMAGE, init: true, command: sleep 1000, depends_on: [a]}
"""


@pytest.mark.parametrize("words", [("up", "--detach"), ("restart",), ("start",)])
def test_post_start_that_failed_is_due(new_project: NewProject, words: tuple[str, ...]) -> None:
    project = new_project(POST_START)
    for _ in range(2):
        ended = project.invoke("up", "--detach")
        assert ended.code == 1
        assert "failed with exit code 1" in ended.err
    if words != ("up", "--detach"):
        assert project.invoke(*words).code == 1  # it runs the hook again
    assert project.invoke("is-ready", "-s", "a").code == 1
    assert project.container("b").status in ("created", "running")
    project.container("a").exec_run("touch /tmp/mended")
    assert project.invoke("up", "--detach").code == 0
    assert project.invoke("is-ready").code == 0
    assert marks(project) == []
