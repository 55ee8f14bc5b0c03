"""Other programs: their lines, their end, and their failure."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import SetupError
from invoke_devstack.setup.commands import ask_command, run_command


def test_each_line_is_told_as_it_comes() -> None:
    lines: list[str] = []
    run_command(["sh", "-c", "echo one; echo two >&2"], failure="no", on_line=lines.append)
    assert lines == ["one", "two"]


def test_a_failure_shows_the_end_of_the_output_and_the_hint() -> None:
    with pytest.raises(SetupError) as raised:
        run_command(["sh", "-c", "seq 100; exit 3"], failure="it could not be made", hint="do this")
    assert raised.value.message.startswith("it could not be made: ")
    assert raised.value.message.endswith("exited with code 3")
    assert raised.value.details[-1] == "100"
    assert len(raised.value.details) == 20
    assert raised.value.hint == "do this"


def test_a_program_that_is_not_there_is_a_plain_error() -> None:
    with pytest.raises(SetupError) as raised:
        run_command(["/nonexistent/program"], failure="it could not be made")
    assert "No such file" in raised.value.message


def test_asking_a_program_that_is_not_there_or_fails_or_hangs_gives_nothing() -> None:
    assert ask_command(["/nonexistent/program"]) is None
    assert ask_command(["false"]) is None
    assert ask_command(["sleep", "5"], timeout=0.1) is None
    assert ask_command(["echo", "hello"]) == "hello\n"
