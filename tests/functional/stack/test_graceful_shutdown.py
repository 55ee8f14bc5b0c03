"""`stop -t`, `down --explain` and `kill`: SIGTERM, grace period and SIGKILL, told apart as they happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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


@contextmanager
def kills(project: Project) -> Iterator[list[tuple[str, str, float]]]:
    """(id of the container, number of the signal, moment) of each signal that the engine sends meanwhile; the
    list is whole afterwards. Read as they come: an engine keeps its last 256 events, of all projects."""
    found: list[tuple[str, str, float]] = []
    stream = project.client.events(decode=True, filters={"type": "container", "event": "kill"})

    def read() -> None:
        with suppress(Exception):  # whatever a connection says that is closed while it is read
            for event in stream:
                found.append((event["id"], event["Actor"]["Attributes"]["signal"], event["timeNano"] / 1e9))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield found
        time.sleep(0.5)  # an event comes a moment after what it tells
    finally:
        stream.close()
        reader.join(60)


def test_down_explains_sigterm_grace_period_and_sigkill_as_they_happen(stack: Project) -> None:
    stubborn = stack.container("stubborn").id
    with kills(stack) as sent:
        done = stack.invoke("down", "--explain")
    assert done.code == 0, done.err
    told = [" ".join(line.split()) for line in done.err.splitlines()]
    asked, waits, killed = (
        next(at for at, line in enumerate(told) if line.startswith(f"stubborn {word}"))
        for word in ("SIGTERM:", "grace period: it has 1 s", "SIGKILL: the grace period is over")
    )
    assert asked < waits < killed
    moments = {signal: at for item, signal, at in sent if item == stubborn}
    assert moments["9"] - moments["15"] >= 0.9
    ended = [line for line in told if line.startswith("polite exited by itself")]
    assert "no SIGKILL was needed" in ended[0]


def test_stop_t_is_how_long_it_waits(stack: Project) -> None:
    ended = stack.invoke("stop", "-s", "stubborn", "-t", "0.3", "--json")
    (event,) = ended.events("service.stopped")
    assert event["killed"]
    assert event["exit_code"] == 137
    assert 0.2 < event["seconds"] < 20
    polite = stack.invoke("stop", "-s", "polite", "-t", "20", "--json").events("service.stopped")[0]
    assert (polite["killed"], polite["exit_code"]) == (False, 0)
    assert "saved" in stack.invoke("logs", "-s", "polite").out


def test_kill_ends_at_once_and_another_signal_is_only_sent(stack: Project) -> None:
    sent = stack.invoke("kill", "-s", "polite", "--signal", "SIGTERM", "--explain")
    assert "sent a signal to" in sent.err
    assert "which decides what to do" in sent.err
    assert stack.container("polite").wait(timeout=60)["StatusCode"] == 0
    killed = stack.invoke("kill", "-s", "stubborn", "--explain")
    assert "nothing is saved first" in killed.err
    assert stack.container("stubborn").wait(timeout=60)["StatusCode"] == 137


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
    with kills(project) as sent:
        assert project.invoke("stop").code == 0
    db, silent = (project.container(service) for service in ("db", "silent"))
    asked = {item: at for item, signal, at in sent if signal == "15"}
    assert asked[db.id] - asked[silent.id] >= 1.0  # it slept for a second
    assert asked[db.id] - asked[silent.id] < 8.0  # nor when its grace period of 10 s was over
