"""Selections that get lost, flags that mean nothing, and readers that leave: on a real stack."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project, invoke_command

STACK = """
    services:
      a: {image: IMAGE, init: true, command: "sh -c 'while true; do date; sleep 0.2; done'"}
      b: {image: IMAGE, init: true, command: sleep 600, volumes: ["data:/d"]}
    volumes: {data: {}}
"""


@pytest.fixture
def up(new_project: Callable[..., Project]) -> Project:
    project = new_project(STACK)
    assert project.invoke("up", "--detach").code == 0
    return project


@pytest.mark.parametrize(
    "words",
    [
        ("stop", "-s", ""),
        ("kill", "-s", ","),
        ("rm", "--stop", "--yes", "-s", " "),
        ("reset", "--yes", "-s", ""),
        ("stop", "--", "a"),
        ("down", "--yes", "--", "--volumes"),
        ("--dry", "reset", "--yes"),
        ("--dry", "exec", "a", "--", "kill", "1"),
        ("build", "--dry", "--push"),
        ("--pty", "kill"),
        ("stop", "-s"),
    ],
)
def test_what_is_refused_changes_nothing(up: Project, words: tuple[str, ...]) -> None:
    before = sorted(item.id for item in up.containers())
    ended = up.invoke(*words)
    assert ended.code in (1, 2), ended
    assert sorted(item.id for item in up.containers()) == before
    assert {item.status for item in up.containers()} == {"running"}
    assert len(up.volumes()) == 1


@pytest.mark.parametrize(
    ("words", "planned"),
    [
        (("--dry", "down", "--volumes"), "remove volume"),
        (("down", "--dry", "--volumes", "--yes"), "remove volume"),
        (("--dry", "stop"), "stop"),
        (("--dry", "restart", "-s", "a"), "restart"),
        (("--dry", "pause"), "pause"),
        (("--dry", "kill"), "kill"),
        (("--dry", "rm", "--stop"), "remove"),
        (("--dry", "start"), "nothing to do"),
    ],
)
def test_a_dry_run_prints_the_plan_and_does_nothing(
    up: Project, words: tuple[str, ...], planned: str
) -> None:
    before = sorted(item.id for item in up.containers())
    ended = up.invoke(*words)
    assert (ended.code, ended.err) == (0, "")
    assert planned in ended.out
    assert sorted(item.id for item in up.containers()) == before
    assert {item.status for item in up.containers()} == {"running"}
    assert len(up.volumes()) == 1


def test_dry_up_prints_the_plan_and_does_nothing(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    ended = project.invoke("--dry", "up", "--detach")
    assert ended.code == 0
    assert f"create {project.name}-a-1" in ended.out
    assert project.containers() == []


def test_a_reader_that_leaves_ends_a_followed_log(up: Project) -> None:
    process = subprocess.Popen(
        [invoke_command(), "logs", "--follow", "-s", "a"],
        cwd=up.directory,
        env=up.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) in (-13, 141)
    assert process.stderr
    assert process.stderr.read() == b""


def test_a_command_runs_beside_more_than_a_thousand_open_files(up: Project) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        for descriptor in opened:
            os.set_inheritable(descriptor, True)
        done = subprocess.run(
            [invoke_command(), "exec", "b", "--", "echo", "here"],
            cwd=up.directory,
            env=up.environment,
            capture_output=True,
            close_fds=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (done.returncode, done.stdout) == (0, b"here\n"), done.stderr


TWO = """
from invoke import Collection
from invoke_devstack import stack

one, two = stack("one"), stack("two")
namespace = Collection()
namespace.add_collection(one, name="one")
namespace.add_collection(two, name="two")
"""


def test_the_same_task_of_two_stacks_runs_for_both(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK, tasks=TWO)
    for name in ("one", "two"):
        project.write(f"{name}/compose.yaml", f"services: {{{name}: {{image: redis:8}}}}\n")
    ended = project.invoke("one.config", "two.config")
    assert ended.code == 0
    assert "  one:\n" in ended.out
    assert "  two:\n" in ended.out
