"""Why a container had to be killed: what its first process does with the signal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, cast

import pytest

from invoke_devstack.planning.processes.image import PROCESS_IMAGE_ID
from invoke_devstack.running.executing.stop_diagnosis import PidOne, diagnose, examine, parse, signal_number

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine

_TERM = 1 << 14


def first(*command: str, caught: int = 0, ignored: int = 0) -> PidOne:
    return PidOne(command, caught, ignored)


def test_the_status_file_is_read_for_command_and_signals() -> None:
    status = b"Name:\tpython\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004002\n"
    found = parse(status, b"python\0serve.py\0")
    assert found.command == ("python", "serve.py")
    assert found.handles(15)
    assert found.handles(2)
    assert not found.handles(1)
    assert found.ignores(13)


def test_a_shell_that_runs_the_command_is_told_to_make_room_for_it() -> None:
    why, advice = diagnose(first("sh", "-c", "python app.py"), "SIGTERM", 10)
    assert "shell" in why
    assert "exec form" in advice


def test_a_script_is_told_to_end_with_exec() -> None:
    why, advice = diagnose(first("/bin/bash", "/entrypoint.sh"), "SIGTERM", 10)
    assert "`bash`" in why
    assert "exec" in advice
    assert "init: true" in advice


def test_a_program_without_a_handler_is_given_an_init() -> None:
    why, advice = diagnose(first("sleep", "1000"), "SIGTERM", 10)
    assert "no handler for SIGTERM" in why
    assert "init: true" in advice


def test_a_program_that_ignores_the_signal_needs_another_one() -> None:
    why, advice = diagnose(first("app", ignored=_TERM), "SIGTERM", 10)
    assert "ignores SIGTERM" in why
    assert "stop_signal" in advice


def test_a_program_that_handles_the_signal_was_too_slow() -> None:
    why, advice = diagnose(first("mysqld", caught=_TERM), "SIGTERM", 10)
    assert "took longer than 10 s" in why
    assert "stop_grace_period: 20s" in advice


def test_a_shell_that_handles_the_signal_was_too_slow_too() -> None:
    why, _ = diagnose(first("sh", "-c", "trap …", caught=_TERM), "SIGTERM", 3)
    assert "took longer than 3 s" in why


def test_under_an_init_it_is_the_program_that_was_slow() -> None:
    why, advice = diagnose(first("/sbin/docker-init", "--", "app"), "SIGTERM", 10)
    assert "did not exit within 10 s" in why
    assert "init: true" not in advice


def test_where_nothing_is_known_more_time_is_the_advice() -> None:
    assert diagnose(None, "SIGTERM", 10)[1] == "give it more time: `stop_grace_period: 20s`"


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("TERM", 15), ("3", 3), ("sigquit", 3)])
def test_a_signal_is_known_by_name_and_by_number(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize(
    ("caught", "ignored", "says"),
    [
        (0, _TERM, "`sh` ignores SIGTERM"),
        (_TERM, 0, "it did not exit within 3 s"),
        (0, 0, "it did not exit within 3 s"),
    ],
)
def test_a_process_of_this_machine_is_not_pid_1(caught: int, ignored: int, says: str) -> None:
    process = PidOne(("sh", "-c", "trap …"), caught, ignored, in_container=False)
    why, _ = diagnose(process, "SIGTERM", 3)
    assert says in why


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_process_of_this_machine_is_examined_itself() -> None:
    found = examine(
        cast("Engine", None), {"Id": "a" * 64, "Image": PROCESS_IMAGE_ID, "State": {"Pid": os.getpid()}}
    )
    assert found is not None
    assert not found.in_container
    assert "python" in found.name
