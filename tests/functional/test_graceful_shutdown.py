"""`stop -t`, `down --explain` and `kill`: SIGTERM, grace period and SIGKILL, told apart as they happen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

STACK = """
    services:
      polite:
        image: IMAGE
        command: [sh, -c, "trap 'echo saved; exit 0' TERM; while :; do sleep 0.05; done"]
      stubborn:
        image: IMAGE
        command: [sh, -c, "trap '' TERM; while :; do sleep 0.05; done"]
        stop_grace_period: 1s
"""


@pytest.fixture
def stack(new_project: Callable[..., Project]) -> Project:
    project = new_project(STACK)
    assert project.invoke("up").code == 0
    return project


def test_down_explains_sigterm_grace_period_and_sigkill_as_they_happen(stack: Project) -> None:
    told: list[tuple[float, str]] = []
    process = stack.start("down", "--explain")
    assert process.stderr is not None
    for line in process.stderr:
        told.append((time.monotonic(), " ".join(line.split())))
    assert process.wait(timeout=30) == 0
    asked, waits, killed = (
        next(at for at, line in told if line.startswith(f"stubborn {word}"))
        for word in ("SIGTERM:", "grace period: it has 1 s", "SIGKILL: the grace period is over")
    )
    assert asked <= waits < killed
    assert killed - asked >= 0.9
    ended = [line for _, line in told if line.startswith("polite it ended by itself")]
    assert "no SIGKILL was needed" in ended[0]


def test_stop_t_is_how_long_it_waits(stack: Project) -> None:
    ended = stack.invoke("stop", "-s", "stubborn", "-t", "0.3", "--json")
    (event,) = ended.events("service.stopped")
    assert event["killed"]
    assert event["exit_code"] == 137
    assert 0.2 < event["seconds"] < 5
    polite = stack.invoke("stop", "-s", "polite", "-t", "20", "--json").events("service.stopped")[0]
    assert (polite["killed"], polite["exit_code"]) == (False, 0)
    assert "saved" in stack.invoke("logs", "-s", "polite").out


def test_kill_ends_at_once_and_another_signal_is_only_sent(stack: Project) -> None:
    sent = stack.invoke("kill", "-s", "polite", "--signal", "SIGTERM", "--explain")
    assert "sent a signal to" in sent.err
    assert "which decides what comes of it" in sent.err
    assert stack.container("polite").wait(timeout=10)["StatusCode"] == 0
    killed = stack.invoke("kill", "-s", "stubborn", "--explain")
    assert "nothing is saved or closed first" in killed.err
    assert stack.container("stubborn").wait(timeout=10)["StatusCode"] == 137


def test_what_others_depend_on_is_asked_to_end_once_they_have_ended(
    new_project: Callable[..., Project],
) -> None:
    """Not before, even if a dependent has long closed its output."""
    project = new_project("""
        services:
          db:
            image: IMAGE
            command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.05; done"]
          silent:
            image: IMAGE
            command:
              - sh
              - -c
              - exec >/dev/null 2>&1; trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done
            depends_on: [db]
    """)
    assert project.invoke("up").code == 0
    began = time.time()
    assert project.invoke("stop").code == 0
    db, silent = (project.container(service) for service in ("db", "silent"))
    events = project.client.events(since=int(began), until=int(time.time()) + 1, decode=True)
    asked = {
        event["id"]: event["timeNano"] / 1e9 - began
        for event in events
        if event.get("Action") == "kill" and event["id"] in (db.id, silent.id)
    }
    assert asked[db.id] - asked[silent.id] >= 1.0  # it slept for a second
    assert asked[db.id] - asked[silent.id] < 3.0
