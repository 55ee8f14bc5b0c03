"""On a real pseudo-terminal: the live view, questions, Ctrl-C, and the terminal as it was."""

from __future__ import annotations

import re
import signal
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pexpect
import pytest

from tests.functional.conftest import Project, invoke_command

STACK = """
    services:
      web:
        image: IMAGE
        init: true
        command: [sh, -c, "echo first words; sleep 600"]
        volumes: ["data:/data"]
    volumes: {data: {}}
"""


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Project:
    return new_project(STACK)


@contextmanager
def on_a_terminal(project: Project, *words: str) -> Iterator[pexpect.spawn]:
    child = pexpect.spawn(
        invoke_command(),
        list(words),
        cwd=str(project.directory),
        env=project.environment,
        encoding="utf-8",
        timeout=40,
        dimensions=(30, 100),
    )
    try:
        yield child
    finally:
        child.close(force=True)


def ended(child: pexpect.spawn) -> tuple[int, str]:
    """(exit code, what was shown until the end, without escape sequences)."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.before)


def test_up_stays_with_the_logs_until_ctrl_c_stops_the_stack(stack: Project) -> None:
    with on_a_terminal(stack, "up") as child:
        child.expect("web.*running")
        child.expect("first words")
        child.sendintr()
        code, shown = ended(child)
    assert code == 130
    assert "stopped in" in shown
    assert stack.container("web").status == "exited"


def test_a_closed_terminal_stops_the_stack_too(stack: Project) -> None:
    with on_a_terminal(stack, "up") as child:
        child.expect("first words")
        child.kill(signal.SIGHUP)
        code, _ = ended(child)
    assert code == 129
    assert stack.container("web").status == "exited"


def test_the_terminal_is_as_it_was(stack: Project) -> None:
    with on_a_terminal(stack, "up") as child:
        before = termios.tcgetattr(child.child_fd)
        child.expect("first words")
        child.sendintr()
        child.expect(pexpect.EOF)
        assert termios.tcgetattr(child.child_fd) == before
        hidden, shown = child.before.rfind("\x1b[?25l"), child.before.rfind("\x1b[?25h")
        assert hidden <= shown


def test_volumes_are_asked_for_by_name_and_kept_at_a_no(stack: Project) -> None:
    assert stack.invoke("up").code == 0
    with on_a_terminal(stack, "down", "--volumes") as child:
        child.expect(f"Delete {stack.name}_data")
        child.sendline("n")
        code, _ = ended(child)
    assert code == 1
    assert stack.container("web").status == "running"
    with on_a_terminal(stack, "down", "--volumes") as child:
        child.expect(f"Delete {stack.name}_data")
        child.sendline("y")
        code, shown = ended(child)
    assert code == 0
    assert "is down" in shown
    assert f"deleted: {stack.name}_data" in shown
    assert stack.volumes() == []


def test_ctrl_c_at_a_question_changes_nothing(stack: Project) -> None:
    assert stack.invoke("up").code == 0
    with on_a_terminal(stack, "down", "--volumes") as child:
        child.expect("Delete")
        time.sleep(0.2)
        child.sendintr()
        code, shown = ended(child)
    assert code == 130
    assert "Traceback" not in shown
    assert len(stack.volumes()) == 1


def test_no_color_shows_no_colour(stack: Project) -> None:
    stack.variables["NO_COLOR"] = "1"
    with on_a_terminal(stack, "up", "--detach") as child:
        child.expect(pexpect.EOF)
        assert not re.search(r"\x1b\[[0-9;]*m", re.sub(r"\x1b\[0?m", "", child.before))


def test_a_log_line_cannot_steer_the_terminal(new_project: Callable[..., Project]) -> None:
    project = new_project(r"""
        services:
          web:
            image: IMAGE
            init: true
            command: [sh, -c, "printf 'x\\033]52;c;AAAA\\007\\033[2Jy\\n'; sleep 600"]
    """)
    assert project.invoke("up").code == 0
    with on_a_terminal(project, "logs") as child:
        child.expect(pexpect.EOF)
        assert "]52" not in child.before
        assert "\x1b[2J" not in child.before
        assert "xy" in child.before
