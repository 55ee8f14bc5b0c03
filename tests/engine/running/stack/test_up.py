"""`up` of real stacks: in which order services are ready, what changes, what an interruption leaves."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace

import pytest

from invoke_devstack.errors import Interrupted
from invoke_devstack.events import Event, PlanMade, ServiceReady, UpFinished
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.stack import up
from tests.engine.conftest import until
from tests.engine.running.stack.conftest import ORDERED
from tests.engine.stacks import Stack


def test_services_are_ready_in_order_and_long_before_a_healthchecks_interval(stack: Stack) -> None:
    stack.write(ORDERED)
    result = stack.up()
    ready = stack.ready()
    assert {name: event.state for name, event in ready.items()} == {
        "db": "healthy",
        "migrate": "done",
        "web": "running",
    }
    assert ready["db"].seconds < ready["migrate"].seconds < ready["web"].seconds
    assert result.changed
    assert result.seconds < 60


def test_a_one_shot_is_said_to_be_done_once_the_engine_lists_it_so(stack: Stack, project: str) -> None:
    stack.write(ORDERED)
    wanted = [f"com.docker.compose.{key}" for key in (f"project={project}", "service=migrate")]
    listed: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, ServiceReady) and event.state == "done":
            listed.extend(item["State"] for item in stack.engine.list_containers({"label": wanted}))

    up.bring_up(replace(stack.session(), emit=look), UpOptions())
    assert listed == ["exited"]


def test_a_second_up_changes_nothing_and_says_so(stack: Stack) -> None:
    stack.write(ORDERED)
    stack.up()
    result = stack.up()
    assert not result.changed
    assert {action.kind for action in result.plan} <= {"await"}  # the engine's own check comes later
    assert [event.changed for event in stack.of(UpFinished)] == [False]
    assert {name: (event.state, event.changed) for name, event in stack.ready().items()} == {
        "db": ("healthy", False),
        "migrate": ("done", False),
        "web": ("running", False),
    }


def test_a_dry_run_changes_nothing(stack: Stack, project: str) -> None:
    stack.write(ORDERED)
    lines = up.plan(stack.session(), UpOptions()).lines()
    assert f"create {project}-web-1  (no container yet)" in lines
    assert stack.engine.list_containers({"label": [f"com.docker.compose.project={project}"]}) == []


def test_only_the_service_that_changed_is_recreated_and_the_cause_names_the_change(stack: Stack) -> None:
    stack.write(
        "services:\n  a: {image: IMAGE, command: sleep 1000, init: true, environment: {LEVEL: low}}\n"
        "  b: {image: IMAGE, command: sleep 1000, init: true}\n"
    )
    stack.up()
    before = stack.engine.inspect_container(stack.container("b"))["Id"]
    stack.write(
        "services:\n  a: {image: IMAGE, command: sleep 1000, init: true, environment: {LEVEL: high}}\n"
        "  b: {image: IMAGE, command: sleep 1000, init: true}\n"
    )
    stack.up()
    assert stack.engine.inspect_container(stack.container("b"))["Id"] == before
    (plan,) = stack.of(PlanMade)
    assert plan.services == ("a",)
    assert any("LEVEL low -> high" in line for line in plan.lines)


def test_a_server_is_ready_when_its_port_answers(stack: Stack) -> None:
    stack.write("""
    services:
      web:
        image: IMAGE
        command: sh -c 'sleep 0.5; exec nc -ll -p 7007 -e cat'
        expose: ["7007"]
        init: true
    """)
    stack.up()
    assert stack.ready()["web"].seconds > 0.5


def test_a_signal_during_up_leaves_what_runs_and_ends_at_once(stack: Stack) -> None:
    stack.write("""
    services:
      ok: {image: IMAGE, command: sleep 1000, init: true}
      slow: {image: IMAGE, command: sleep 1000, init: true, healthcheck: {test: "false"}}
    """)
    session = stack.session()

    def interrupt() -> None:
        until(stack.ready)
        session.interrupt.deliver(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(Interrupted) as caught:
        up.bring_up(session, UpOptions())
    assert caught.value.exit_code == 130
    assert stack.state("ok") == "running"


def test_an_interrupted_up_is_continued_by_the_next_one(stack: Stack) -> None:
    stack.write(ORDERED)
    session = stack.session()
    threading.Timer(0.3, session.interrupt.deliver, args=(signal.SIGINT,)).start()
    with pytest.raises(Interrupted):
        up.bring_up(session, UpOptions())
    stack.up()
    assert stack.ready()["web"].state == "running"
