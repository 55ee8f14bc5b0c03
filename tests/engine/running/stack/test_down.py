"""`down`, `stop` and the other ends of real stacks: what stays, what goes, and what must be killed."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from invoke_devstack.errors import Interrupted
from invoke_devstack.events import ActionStarted, DownFinished, Notice
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.stack import down, lifecycle, stacks, up
from tests.engine.conftest import until
from tests.engine.running.stack.conftest import ORDERED
from tests.engine.stacks import Stack


def test_down_leaves_the_named_volumes_and_nothing_else(stack: Stack, project: str) -> None:
    stack.write(ORDERED)
    stack.up()
    result = stack.down()
    mine = {"label": [f"com.docker.compose.project={project}"]}
    assert stack.engine.list_containers(mine) == []
    assert stack.engine.list_networks(mine) == []
    assert [item["Name"] for item in stack.engine.list_volumes(mine)] == [f"{project}_data"]
    assert result.kept_volumes == (f"{project}_data",)
    assert set(stack.stopped()) == {"db", "web"}


def test_down_with_volumes_names_them_first_and_then_removes_them(stack: Stack, project: str) -> None:
    stack.write(ORDERED)
    stack.up()
    lost = [
        action.target
        for action in down.plan(stack.session(), DownOptions(volumes=True))
        if action.kind == "remove volume"
    ]
    assert lost == [f"{project}_data"]
    stack.down(volumes=True)
    assert stack.engine.list_volumes({"label": [f"com.docker.compose.project={project}"]}) == []


def test_down_of_nothing_ends_well(stack: Stack) -> None:
    stack.write(ORDERED)
    assert stack.down().removed == ()
    assert len(stack.of(DownFinished)) == 1


def test_a_container_that_ignores_its_signal_is_killed_and_told_why(stack: Stack) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: sleep 1000, stop_grace_period: 1s}\n")
    stack.up()
    stack.down()
    stopped = stack.stopped()["web"]
    assert stopped.killed
    assert stopped.exit_code == 137
    assert "no handler for SIGTERM" in stopped.why
    assert "init: true" in stopped.advice


def test_a_shell_as_the_first_process_is_found_out(stack: Stack) -> None:
    stack.write(
        "services:\n  web: {image: IMAGE, command: sh -c 'sleep 1000; true', stop_grace_period: 1s}\n"
    )
    stack.up()
    stack.down()
    assert "shell" in stack.stopped()["web"].why


def test_a_second_signal_during_down_kills_within_a_second(stack: Stack) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: sleep 1000, stop_grace_period: 1m}\n")
    stack.up()
    session = stack.session()

    def interrupt() -> None:
        until(lambda: any(event.action == "stop" for event in stack.of(ActionStarted)))
        for _ in range(2):
            time.sleep(0.5)
            session.interrupt.deliver(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        down.take_down(session, DownOptions())
    assert time.monotonic() - began < 30  # half of its grace period
    assert stack.stopped()["web"].killed
    assert stacks.containers(stack.engine, stack.project, all_=True) == ()


def test_down_waits_for_an_up_and_says_who_it_waits_for(stack: Stack) -> None:
    stack.write("""
    services:
      slow: {image: IMAGE, command: sh -c 'sleep 2; touch /ok; sleep 1000', init: true,
             healthcheck: {test: "test -f /ok"}}
    """)
    going_up = threading.Thread(target=up.bring_up, args=(stack.session(), UpOptions()))
    going_up.start()
    until(lambda: stack.of(ActionStarted))
    other = Stack(stack.engine, stack.folder, stack.project, stack.image)
    other.down()
    going_up.join()
    assert any("pid" in event.text for event in other.of(Notice))
    assert stacks.containers(stack.engine, stack.project, all_=True) == ()


def test_stop_and_start_keep_the_container(stack: Stack) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: sleep 1000, init: true}\n")
    stack.up()
    before = stack.engine.inspect_container(stack.container("web"))["Id"]
    lifecycle.stop(stack.session())
    assert stack.state("web") == "exited"
    lifecycle.start(stack.session())
    assert stack.state("web") == "running"
    lifecycle.pause(stack.session())
    assert stack.state("web") == "paused"
    lifecycle.unpause(stack.session())
    lifecycle.restart(stack.session())
    assert stack.state("web") == "running"
    lifecycle.kill(stack.session(), ("web",))
    lifecycle.remove(stack.session(), stop=True)
    assert stacks.containers(stack.engine, stack.project, all_=True) == ()
    assert before
