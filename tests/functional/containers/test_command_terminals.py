"""shell, connect, run and stats on a real pseudo-terminal: keys, sizes, and the terminal as it was."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterator

import docker
import pytest

from tests.functional.conftest import TASKS, Project, invoke_command
from tests.terminal import Terminal

STACK = """
    services:
      web: {image: IMAGE, init: true, command: [sleep, "900"]}
"""
PROMPT = "/ # "


@pytest.fixture(scope="module")
def stack(
    client: docker.DockerClient, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("terminals"), f"t-term-{secrets.token_hex(4)}", client)
    project.write("tasks.py", TASKS)
    project.compose(STACK)
    try:
        assert project.invoke("up", "--detach").code == 0
        yield project
    finally:
        project.remove_everything()


def terminal_around(project: Project, *words: str) -> Terminal:
    """A shell in a terminal that notes `stty -a` before and after the task, and the task's exit code."""
    task = shlex.join([invoke_command(), *words])
    script = f"trap : INT; stty -a >before; {task}; code=$?; stty -a >after; echo ended with $code"
    return Terminal(("sh", "-c", script), project.directory, project.environment)


def end_of(project: Project, child: Terminal) -> int:
    """The task's exit code; the terminal is as it was."""
    child.expect(r"ended with (\d+)")
    code = int(child.group())
    child.end()
    before, after = ((project.directory / name).read_text() for name in ("before", "after"))
    assert after == before
    return code


def test_a_shell_follows_the_size_of_the_window(stack: Project) -> None:
    with terminal_around(stack, "shell", "web") as child:
        child.expect(PROMPT)
        child.sendline("stty size")
        child.expect("30 100")
        child.setwinsize(41, 133)
        child.sendline("until stty size | grep 41; do sleep 0.1; done")
        child.expect("41 133")
        child.setwinsize(30, 100)
        child.sendline("until stty size | grep 30; do sleep 0.1; done")
        child.expect("30 100")
        child.sendline("exit 7")
        assert end_of(stack, child) == 7


def test_ctrl_c_is_the_commands_and_ctrl_d_ends_the_shell(stack: Project) -> None:
    with terminal_around(stack, "shell", "web") as child:
        child.expect(PROMPT)
        child.sendline("sh -c 'echo begun; exec sleep 300'")  # says so once it is in the foreground
        child.expect("begun\r")
        child.sendintr()
        child.expect(PROMPT)
        child.sendline("echo code $?")
        child.expect("code 130")
        child.expect(PROMPT)
        child.sendeof()
        assert end_of(stack, child) in (0, 130)


def test_ctrl_p_ctrl_q_leaves_the_command_running(stack: Project) -> None:
    with terminal_around(stack, "exec", "web", "--", "sh", "-c", "echo begun; exec sleep 417") as child:
        child.expect("begun")
        child.send("\x10\x11")
        child.expect("Detached")
        assert end_of(stack, child) == 0
    assert any("sleep 417" in row["cmd"] for row in stack.invoke("top", "--json").json())


def test_a_command_that_is_killed_leaves_the_terminal_as_it_was(stack: Project) -> None:
    with terminal_around(stack, "exec", "web", "--", "sh", "-c", "echo pid $$; exec sleep 419") as child:
        child.expect(r"pid (\d+)\r")
        stack.invoke("exec", "web", "--", "kill", "-9", child.group())
        assert end_of(stack, child) == 137


def test_a_container_that_goes_away_leaves_the_terminal_as_it_was(stack: Project) -> None:
    with terminal_around(stack, "shell", "web") as child:
        child.expect(PROMPT)
        stack.container("web").kill()
        assert end_of(stack, child) in (1, 137)
    assert stack.invoke("up", "--detach").code == 0


def test_a_one_off_container_has_the_terminal_and_goes_away_at_ctrl_c(stack: Project) -> None:
    # The engine tells a new container its size only once it runs, as it does for Docker's own client.
    look = "until stty size | grep '30 100'; do sleep 0.1; done; sleep 300"
    with terminal_around(stack, "run", "web", "--", "sh", "-c", look) as child:
        child.expect("30 100")
        child.sendintr()
        assert end_of(stack, child) == 130
    assert len(stack.containers()) == 1


def test_stats_are_live_until_ctrl_c(stack: Project) -> None:
    with terminal_around(stack, "stats") as child:
        child.expect("MEMORY")
        child.expect("web")
        child.expect(re.compile("web.*", re.DOTALL))
        child.sendintr()
        assert end_of(stack, child) == 130


def test_prune_asks_on_a_terminal_and_a_no_keeps_everything(stack: Project) -> None:
    stack.write("built/compose.yaml", "services: {one: {build: .}}")
    stack.variables["COMPOSE_FILE"] = str(stack.directory / "built/compose.yaml")
    try:
        for text in ("one", "two"):
            stack.write("built/Dockerfile", f"FROM devstack-test/busybox:1\nRUN echo {text} > /text\n")
            assert stack.invoke("build").code == 0
        with terminal_around(stack, "images.prune") as child:
            child.expect(r"removing it frees \d+ k?B")
            child.expect(r"Remove 1 image and free \d+ k?B\? \[y/N\]")
            child.sendline("n")
            assert end_of(stack, child) == 1
        assert len(stack.invoke("images.prune", "--yes", "--json").json()) > 0
    finally:
        del stack.variables["COMPOSE_FILE"]
