"""How commands end by signals: exit codes, the second Ctrl-C, what `down` says, and who waits for whom."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project
from tests.functional.test_terminal import ended, on_a_terminal

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
    until = time.monotonic() + 40
    while running(project) != {"web"}:
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(number)
    _, shown = process.communicate(timeout=40)
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
    _, shown = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in shown) == (code, False)


def test_a_terminal_that_is_really_gone_stops_the_stack_and_takes_no_word_along(
    new_project: Callable[..., Project],
) -> None:
    """Closing the other end sends SIGHUP, and every write fails from then on."""
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: [sh, -c, "echo first words; sleep 600"]}
    """)
    with on_a_terminal(project, "up") as child:
        child.expect("first words")
        child.ptyproc.fileobj.close()
        code = child.ptyproc.wait()
        child.closed = child.ptyproc.closed = True
    assert code == 129
    assert running(project) == set()
    assert project.container("web").attrs["State"]["ExitCode"] == 143  # asked, not killed


def test_the_second_ctrl_c_kills_within_a_second(new_project: Callable[..., Project]) -> None:
    project = new_project(STUBBORN)
    with on_a_terminal(project, "up") as child:
        child.expect("first words")
        child.sendintr()
        time.sleep(2)
        assert "web" in running(project)
        again = time.monotonic()
        child.sendintr()
        while running(project):
            assert time.monotonic() < again + 5
            time.sleep(0.02)
        killed_after = time.monotonic() - again
        code, shown = ended(child)
    assert killed_after < 1.0 + 0.5  # half a second is this test's own looking
    assert code == 130
    assert "second interrupt" in shown


def test_the_grace_period_counts_from_the_signal(new_project: Callable[..., Project]) -> None:
    project = new_project(STUBBORN.replace("60s", "3s"))
    with on_a_terminal(project, "up") as child:
        child.expect("first words")
        began = time.monotonic()
        child.sendintr()
        while "web" in running(project):
            assert time.monotonic() < began + 30
            time.sleep(0.05)
        seconds = time.monotonic() - began
        code, _ = ended(child)
    assert code == 130
    assert 2.9 < seconds < 6.0


def test_down_says_how_each_ended_and_what_to_change(new_project: Callable[..., Project]) -> None:
    project = new_project(DEAF)
    assert project.invoke("up").code == 0
    down = project.invoke("down", "--json")
    (stopped,) = down.events("service.stopped")
    assert (stopped["exit_code"], stopped["killed"]) == (137, True)
    assert 1.9 < stopped["seconds"] < 10
    assert re.search(r"shell|PID 1", stopped["why"])
    assert "exec" in stopped["advice"] or "init: true" in stopped["advice"]


def test_a_down_waits_for_the_up_of_another_terminal_and_says_so(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          web:
            image: IMAGE
            init: true
            command: [sh, -c, "sleep 4; touch /tmp/ok; exec sleep 600"]
            healthcheck: {test: "test -f /tmp/ok"}
    """)
    up = project.start("up", "--detach")
    until = time.monotonic() + 30
    while not running(project):
        assert time.monotonic() < until
        time.sleep(0.05)
    down = project.invoke("down")
    _, shown = up.communicate(timeout=30)
    assert (up.returncode, down.code) == (0, 0), shown
    assert re.search(r"Waiting for `invoke up` \(pid \d+", down.err)
    assert project.containers() == []


def test_a_lock_is_free_again_once_its_holder_was_killed(new_project: Callable[..., Project]) -> None:
    project = new_project("""
        services:
          web: {image: IMAGE, init: true, command: sleep 600, healthcheck: {test: "false"}}
    """)
    up = project.start("up", "--detach")
    until = time.monotonic() + 30
    while not running(project):
        assert time.monotonic() < until
        time.sleep(0.05)
    up.kill()
    up.communicate()
    down = project.invoke("down")
    assert down.code == 0
    assert "Waiting for" not in down.err
    assert project.containers() == []
