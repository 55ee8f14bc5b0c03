"""On a real pseudo-terminal: the live view, questions, Ctrl-C, and the terminal as it was."""

from __future__ import annotations

import re
import signal
import termios
import time
from collections.abc import Callable

import pexpect
import pytest

from tests.functional.conftest import Project

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


def test_up_stays_with_the_logs_until_ctrl_c_stops_the_stack(stack: Project) -> None:
    with stack.terminal("up") as child:
        child.expect("web.*running.*first words|first words.*web.*running")  # in any order
        child.sendintr()
        code = child.end()
    assert code == 130
    assert "stopped in" in child.plain
    assert stack.container("web").status == "exited"


def test_a_closed_terminal_stops_the_stack_too(stack: Project) -> None:
    with stack.terminal("up") as child:
        child.expect("first words")
        child.kill(signal.SIGHUP)
        code = child.end()
    assert code == 129
    assert stack.container("web").status == "exited"


def test_the_terminal_is_as_it_was(stack: Project) -> None:
    with stack.terminal("up") as child:
        before = termios.tcgetattr(child.child_fd)
        child.expect("first words")
        child.sendintr()
        child.expect(pexpect.EOF)
        assert termios.tcgetattr(child.child_fd) == before
        hidden, shown = child.shown.rfind("\x1b[?25l"), child.shown.rfind("\x1b[?25h")
        assert hidden <= shown


def test_volumes_are_asked_for_by_name_and_kept_at_a_no(stack: Project) -> None:
    assert stack.invoke("up").code == 0
    with stack.terminal("down", "--volumes") as child:
        child.expect(f"Delete {stack.name}_data")
        child.sendline("n")
        code = child.end()
    assert code == 1
    assert stack.container("web").status == "running"
    with stack.terminal("down", "--volumes") as child:
        child.expect(f"Delete {stack.name}_data")
        child.sendline("y")
        code = child.end()
    assert code == 0
    assert "is down" in child.plain
    assert f"deleted: {stack.name}_data" in child.plain
    assert stack.volumes() == []


def test_ctrl_c_at_a_question_changes_nothing(stack: Project) -> None:
    assert stack.invoke("up").code == 0
    with stack.terminal("down", "--volumes") as child:
        child.expect("Delete")
        time.sleep(0.2)
        child.sendintr()
        code = child.end()
    assert code == 130
    assert "Traceback" not in child.plain
    assert len(stack.volumes()) == 1


def test_no_color_shows_no_colour(stack: Project) -> None:
    stack.variables["NO_COLOR"] = "1"
    with stack.terminal("up", "--detach") as child:
        child.end()
        assert not re.search(r"\x1b\[[0-9;]*m", re.sub(r"\x1b\[0?m", "", child.shown))


def test_a_log_line_cannot_steer_the_terminal(new_project: Callable[..., Project]) -> None:
    project = new_project(r"""
        services:
          web:
            image: IMAGE
            init: true
            command: [sh, -c, "printf 'x\\033]52;c;AAAA\\007\\033[2Jy\\n'; sleep 600"]
    """)
    assert project.invoke("up").code == 0
    with project.terminal("logs") as child:
        child.end()
        assert "]52" not in child.shown
        assert "\x1b[2J" not in child.shown
        assert "xy" in child.shown


@pytest.mark.parametrize("term", ["xterm-256color", "dumb", ""])
def test_bytes_that_join_to_an_escape_once_cleaned_do_not_steer_it_either(
    new_project: Callable[..., Project], term: str
) -> None:
    """The `local` driver keeps bytes as they are, where `json-file` replaces what is not UTF-8."""
    project = new_project(r"""
        services:
          web:
            image: IMAGE
            init: true
            logging: {driver: local}
            command:
              - sh
              - -c
              - "printf 't \\302\\033\\2350;OWNED\\302\\033\\234 end\\nc \\302\\033\\2332J end\\n'; sleep 600"
    """)
    project.variables["TERM"] = term
    assert project.invoke("up").code == 0
    with project.terminal("logs") as child:
        child.end()
        assert "OWNED" in child.shown
        assert not {"\x9d", "\x9b", "\x9c"} & set(child.shown)
        assert "\x1b]" not in child.shown
