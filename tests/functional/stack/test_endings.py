"""How commands end by signals: exit codes, the second Ctrl-C, what `down` says, and who waits for whom."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.functional.conftest import Project, until

STUBBORN = """
    services:
      web:
        image: IMAGE
        command: [sh, -c, "trap '' TERM; echo first words; while :; do sleep 1; done"]
        stop_grace_period: 60s
      db: {image: IMAGE, init: true, command: sleep 600}
"""
DEAF = """
    services:
      shell: {image: IMAGE, command: [sh, -c, "sleep 600; true"], stop_grace_period: 2s}
"""


BUSY = 3.0
"""Seconds for a machine that runs other tests at the same time."""


def ended_at(project: Project, service: str) -> float:
    """The moment that the engine tells, in seconds since 1970."""
    told = str(project.container(service).attrs["State"]["FinishedAt"])
    return datetime.fromisoformat(f"{told[:19]}+00:00").timestamp() + float(f"0{told[19:].rstrip('Z')}")


def running(project: Project) -> set[str]:
    up = (item for item in project.containers() if item.status == "running")
    return {item.labels["com.docker.compose.service"] for item in up}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_each_signal_stops_an_attached_stack_and_has_its_exit_code(
    new_project: Callable[..., Project], number: signal.Signals, code: int
) -> None:
    project = new_project("services:\n  web: {image: IMAGE, init: true, command: sleep 600}\n")
    process = project.start("up", "--attach")
    assert process.stdout is not None
    assert any(" is up" in line for line in process.stdout)
    assert running(project) == {"web"}
    process.send_signal(number)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == code, shown
    assert running(project) == set()
    assert "Traceback" not in shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_follow_with_its_exit_code(
    new_project: Callable[..., Project], number: signal.Signals, code: int
) -> None:
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: [sh, -c, "echo first words; sleep 600"]}
    """)
    assert project.invoke("up").code == 0
    process = project.start("logs", "--follow")
    assert process.stdout is not None
    assert "first words" in process.stdout.readline()
    process.send_signal(number)
    _, shown = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in shown) == (code, False)


def test_a_terminal_that_is_really_gone_stops_the_stack_and_takes_no_word_along(
    new_project: Callable[..., Project],
) -> None:
    """Closing the other end sends SIGHUP, and every write fails from then on."""
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: [sh, -c, "echo first words; sleep 600"]}
    """)
    with project.terminal("up") as child:
        child.expect("first words")
        code = child.hang_up()
    assert code == 129
    assert running(project) == set()
    assert project.container("web").attrs["State"]["ExitCode"] == 143  # asked, not killed


def test_the_second_ctrl_c_kills_within_a_second(new_project: Callable[..., Project]) -> None:
    project = new_project(STUBBORN)
    with project.terminal("up") as child:
        child.expect("first words")
        child.sendintr()
        child.expect("Interrupt once more")
        time.sleep(2)
        assert "web" in running(project)
        again = time.time()
        child.sendintr()
        code = child.end()
    assert running(project) == set()
    assert ended_at(project, "web") - again < 1.0 + BUSY
    assert code == 130
    assert "second interrupt" in child.plain


def test_the_grace_period_counts_from_the_signal(new_project: Callable[..., Project]) -> None:
    project = new_project(STUBBORN.replace("60s", "3s"))
    with project.terminal("up") as child:
        child.expect("first words")
        began = time.time()
        child.sendintr()
        code = child.end()
    assert code == 130
    assert 2.9 < ended_at(project, "web") - began < 6.0 + BUSY


def test_down_says_how_each_ended_and_what_to_change(new_project: Callable[..., Project]) -> None:
    project = new_project(DEAF)
    assert project.invoke("up").code == 0
    down = project.invoke("down", "--json")
    (stopped,) = down.events("service.stopped")
    assert (stopped["exit_code"], stopped["killed"]) == (137, True)
    assert 1.9 < stopped["seconds"] < 10 + BUSY
    assert re.search(r"shell|PID 1", stopped["why"])
    assert "exec" in stopped["advice"] or "init: true" in stopped["advice"]


def test_a_down_waits_for_the_up_of_another_terminal_and_says_so(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          web:
            image: IMAGE
            init: true
            command: sleep 600
            healthcheck: {test: "test -f /tmp/ok"}
    """)
    up = project.start("up", "--detach")
    until(lambda: running(project), "the container")
    down = project.start("down")
    assert down.stderr is not None
    assert any(re.search(r"Waiting for `invoke up` \(pid \d+", line) for line in down.stderr)
    project.container("web").exec_run("touch /tmp/ok")
    _, shown = up.communicate(timeout=60)
    down.communicate(timeout=60)
    assert (up.returncode, down.returncode) == (0, 0), shown
    assert project.containers() == []


def test_a_lock_is_free_again_once_its_holder_was_killed(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: sleep 600, healthcheck: {test: "false"}}
    """)
    up = project.start("up", "--detach")
    until(lambda: running(project), "the container")
    up.kill()
    up.communicate()
    down = project.invoke("down")
    assert down.code == 0
    assert "Waiting for" not in down.err
    assert project.containers() == []
