"""What users of Compose type: words after a task are services, words after `exec web` are a command."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project, invoke_command

STACK = """
    services:
      web: {image: IMAGE, init: true, command: "sh -c 'echo web speaks; sleep 600'"}
      db: {image: IMAGE, init: true, command: "sh -c 'echo db speaks; sleep 600'"}
"""


def states(project: Project) -> dict[str, str]:
    return {item.labels["com.docker.compose.service"]: item.status for item in project.containers()}


def test_each_task_acts_on_the_services_that_are_named(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    steps = (
        ("up -d web", {"web": "running"}),
        ("up db --detach", {"web": "running", "db": "running"}),
        ("stop web", {"web": "exited", "db": "running"}),
        ("start web", {"web": "running", "db": "running"}),
        ("pause db", {"web": "running", "db": "paused"}),
        ("unpause db", {"web": "running", "db": "running"}),
        ("kill web", {"web": "exited", "db": "running"}),
        ("restart web db", {"web": "running", "db": "running"}),
        ("rm --yes --stop web", {"db": "running"}),
        ("stop db up -d web", {"web": "running", "db": "exited"}),
    )
    for typed, expected in steps:
        ended = project.invoke(*shlex.split(typed))
        assert (ended.code, states(project)) == (0, expected), (typed, ended)


def test_what_is_shown_is_of_the_services_that_are_named(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "-d").code == 0
    ended = project.invoke("logs", "-n", "5", "web")
    assert ("web speaks" in ended.out, "db speaks" in ended.out) == (True, False)
    for typed in ("ps web --json", "top --json web", "stats web --no-stream --json", "is-ready web --json"):
        ended = project.invoke(*shlex.split(typed))
        assert {row["service"] for row in ended.json()} == {"web"}, (typed, ended)
    elsewhere = ("-r", str(project.directory), "ps", "web", "--json")
    for program in ((invoke_command(),), (sys.executable, "-m", "invoke")):
        assert [row["service"] for row in project.run(*program, *elsewhere).json()] == ["web"]


@pytest.mark.parametrize(
    "words", [("stop", "wbe"), ("kill", ""), ("down", "web"), ("rm", "--yes", "web", "x")]
)
def test_a_word_that_means_nothing_changes_nothing(
    new_project: Callable[..., Project], words: tuple[str, ...]
) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "-d").code == 0
    ended = project.invoke(*words)
    assert ended.code == 2, ended
    assert states(project) == {"web": "running", "db": "running"}


def test_a_command_needs_no_dashes(new_project: Callable[..., Project]) -> None:
    project = new_project(STACK)
    assert project.invoke("up", "-d").code == 0
    show = ("sh", "-c", 'printf "[%s]" "$@"', "sh", "a  b", "", "c'd", "-n")
    assert project.invoke("exec", "web", *show).out == "[a  b][][c'd][-n]"
    assert project.invoke("exec", "-T", "-e", "A=x y", "web", "sh", "-c", 'echo "$A"').out == "x y\n"
    assert project.invoke("exec", "web", "echo", "a", "--", "b").out == "a -- b\n"
    assert project.invoke("run", "--no-deps", "web", "sh", "-c", "exit 42").code == 42
    wrong = project.invoke("exec", "web", "--usr", "x", "--", "ls")
    assert (wrong.code, "unknown flag `--usr`" in wrong.err) == (2, True)
