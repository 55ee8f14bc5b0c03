"""`up` and `down` of real stacks: what is ready, what fails and how, what stays and what goes."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import HookError, Interrupted, PortTakenError, ServiceError
from invoke_devstack.events import (
    ActionStarted,
    DownFinished,
    Event,
    Notice,
    PlanMade,
    ServiceReady,
    UpFinished,
)
from invoke_devstack.running.options import DownOptions, UpOptions
from invoke_devstack.running.stack import down, lifecycle, stacks, up
from tests.engine.conftest import until
from tests.engine.stacks import Stack
from tests.functional.conftest import find_free_port


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield Stack(engine, tmp_path, project, busybox)


@pytest.fixture
def free_port() -> int:
    return find_free_port()


def serving(port: int) -> str:
    """A file whose service answers on `port`."""
    command = "httpd -f -p 80"
    return f'services:\n  web: {{image: IMAGE, command: {command}, init: true, ports: ["{port}:80"]}}\n'


ORDERED = """
services:
  db:
    image: IMAGE
    command: sh -c 'sleep 0.3; touch /tmp/ok; exec sleep 1000'
    init: true
    healthcheck: {test: "test -f /tmp/ok", interval: 120s}
    volumes: ["data:/data"]
  migrate:
    image: IMAGE
    command: sh -c 'echo migrated'
    depends_on: {db: {condition: service_healthy}}
  web:
    image: IMAGE
    command: sleep 1000
    init: true
    depends_on: {migrate: {condition: service_completed_successfully}}
volumes: {data: {}}
"""


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


def test_a_service_that_exits_at_start_fails_by_name_with_its_last_lines(stack: Stack) -> None:
    stack.write("""
    services:
      db: {image: IMAGE, command: sh -c 'echo cannot open the data; exit 3'}
      web: {image: IMAGE, command: sleep 1000, depends_on: {db: {condition: service_healthy}}}
    """)
    began = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        stack.up()
    assert time.monotonic() - began < 60  # less than a service may take
    assert caught.value.message.startswith("db exited with code 3")
    assert "web waits for it" in caught.value.message
    assert "  cannot open the data" in caught.value.details
    assert stack.state("web") == "created"


def test_nothing_starts_because_of_a_service_that_had_not_ended_yet(stack: Stack) -> None:
    stack.write("""
    services:
      db: {image: IMAGE, command: sh -c 'sleep 0.2; exit 3'}
      web: {image: IMAGE, command: sleep 1000, depends_on: {db: {condition: service_healthy}}}
    """)
    with pytest.raises(ServiceError, match="db exited with code 3"):
        stack.up()
    assert stack.state("web") == "created"


def test_an_unhealthy_service_fails_with_what_its_check_said(stack: Stack) -> None:
    stack.write("""
    services:
      db:
        image: IMAGE
        command: sleep 1000
        init: true
        healthcheck: {test: "echo no such table; exit 1", interval: 1s, retries: 2}
    """)
    with pytest.raises(ServiceError) as caught:
        stack.up()
    assert "db is unhealthy" in caught.value.message
    assert "last probe: no such table" in caught.value.details


def test_a_service_that_is_not_ready_in_time_fails_and_what_ran_goes_on_running(stack: Stack) -> None:
    stack.write("""
    services:
      ok: {image: IMAGE, command: sleep 1000, init: true}
      slow: {image: IMAGE, command: sleep 1000, init: true, healthcheck: {test: "false"}}
    """)
    with pytest.raises(ServiceError, match=r"slow was not ready \(healthcheck `false`\) within 1 s"):
        stack.up(wait_timeout=1.0)
    assert stack.state("ok") == "running"


def test_a_command_that_is_not_in_the_image_is_said_to_be_missing(stack: Stack) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: no-such-program}\n")
    with pytest.raises(ServiceError) as caught:
        stack.up()
    assert "web cannot start" in caught.value.message
    assert "no-such-program" in caught.value.message
    assert "command" in caught.value.hint


def test_a_container_killed_for_memory_is_said_to_be(stack: Stack) -> None:
    stack.write("""
    services:
      greedy: {image: IMAGE, command: sh -c 'sleep 0.3; tail /dev/zero', mem_limit: 16m, memswap_limit: 16m,
               healthcheck: {test: "false"}}
    """)
    with pytest.raises(ServiceError) as caught:
        stack.up(wait_timeout=60.0)
    assert "was killed by the kernel" in caught.value.message
    assert "16 MiB" in caught.value.hint


def test_a_service_that_crashes_while_others_are_awaited_fails_the_command(stack: Stack) -> None:
    stack.write("""
services:
  db: {image: IMAGE, command: sh -c 'echo last words; sleep 0.5; exit 3', init: true}
  web:
    image: IMAGE
    command: sh -c 'sleep 2.5; touch /tmp/ok; exec sleep 1000'
    init: true
    healthcheck: {test: "test -f /tmp/ok"}
""")
    with pytest.raises(ServiceError, match="db exited with code 3") as caught:
        stack.up()
    assert any("last words" in line for line in caught.value.details)


def test_a_loop_is_not_taken_for_a_healthcheck_that_fails(stack: Stack) -> None:
    stack.write("""
services:
  db:
    image: IMAGE
    restart: always
    command: sh -c 'exit 7'
    healthcheck: {test: "false", interval: 1s, retries: 60}
""")
    with pytest.raises(ServiceError, match=r"keeps crashing: .* with code 7"):
        stack.up(wait_timeout=60.0)


def test_a_service_that_the_engine_restarts_and_that_crashes_again_is_called_a_loop(stack: Stack) -> None:
    stack.write("""
    services:
      web: {image: IMAGE, command: sh -c 'sleep 0.2; exit 4', restart: always, healthcheck: {test: "false"}}
    """)
    with pytest.raises(ServiceError, match="keeps crashing"):
        stack.up(wait_timeout=60.0)


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


def test_a_port_that_a_process_holds_is_named_with_it(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        stack.write(f'services:\n  web: {{image: IMAGE, command: sleep 1000, ports: ["{port}:80"]}}\n')
        with pytest.raises(PortTakenError) as caught:
            stack.up()
    assert f"web cannot publish port {port}" in caught.value.message
    assert "pid" in caught.value.message
    assert "--ports auto" in caught.value.hint


def test_a_port_that_another_container_holds_is_named_with_its_stack(
    stack: Stack, project: str, free_port: int
) -> None:
    stack.write(f"""
    services:
      one: {{image: IMAGE, command: sleep 1000, init: true, ports: ["{free_port}:80"]}}
      two: {{image: IMAGE, command: sleep 1000, init: true, ports: ["{free_port}:81"]}}
    """)
    stack.up(services=("one",))
    with pytest.raises(PortTakenError) as caught:
        stack.up(services=("two",))
    assert f"container {project}-one-1 (project {project}, in {stack.folder})" in caught.value.message


def test_automatic_ports_take_a_free_one_and_the_same_one_again(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        stack.write(serving(port))
        stack.up(ports="auto")
        (first,) = stack.ready()["web"].addresses
        stack.down()
        stack.up(ports="auto")
        (second,) = stack.ready()["web"].addresses
    assert first == second != f"http://localhost:{port}"


def test_ports_without_an_address_are_for_this_machine_alone(stack: Stack, free_port: int) -> None:
    stack.write(serving(free_port))
    stack.up()
    (row,) = stacks.containers(stack.engine, stack.project)
    assert row["ports"] == [
        {"host_ip": "127.0.0.1", "host_port": free_port, "container_port": 80, "protocol": "tcp"}
    ]
    assert (row["service"], row["state"], row["exit_code"]) == ("web", "running", None)
    assert str(row["started_at"]).startswith("20")


def test_hooks_run_around_their_service_and_only_on_a_change(stack: Stack) -> None:
    called: list[tuple[str, str]] = []

    def note(name: str) -> None:
        when, _, target = name.partition(" ")
        stack.hooks.add(when, target, lambda context: called.append((name, states())))

    def states() -> str:
        found = stacks.containers(stack.engine, stack.project, all_=True)
        return " ".join(f"{row['service']}={row['state']}" for row in found)

    for name in ("before db", "after db", "after up"):
        note(name)
    stack.write("""
    services:
      db: {image: IMAGE, command: sleep 1000, init: true}
      web: {image: IMAGE, command: sleep 1000, init: true, depends_on: [db]}
    """)
    stack.up()
    assert [name for name, _ in called] == ["before db", "after db", "after up"]
    assert "db=running" not in called[0][1]
    assert called[1][1] == "db=running web=created"
    assert called[2][1] == "db=running web=running"
    called.clear()
    stack.up()
    assert called == []


def test_a_failing_hook_stops_the_up(stack: Stack) -> None:
    def fail(context: object) -> None:
        raise RuntimeError("the schema is broken")

    stack.hooks.add("after", "db", fail)
    stack.write("""
    services:
      db: {image: IMAGE, command: sleep 1000, init: true}
      web: {image: IMAGE, command: sleep 1000, init: true, depends_on: [db]}
    """)
    with pytest.raises(HookError, match="the schema is broken"):
        stack.up()
    assert stack.state("web") == "created"


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


def test_lifecycle_hooks_of_the_definition_run_inside(stack: Stack) -> None:
    stack.write("""
    services:
      web:
        image: IMAGE
        command: sh -c 'while ! test -f /made; do sleep 0.05; done; touch /ok; exec sleep 1000'
        init: true
        post_start: [{command: ["touch", "/made"]}]
        healthcheck: {test: "test -f /ok"}
    """)
    stack.up()
    assert stack.ready()["web"].state == "healthy"


def test_a_failing_lifecycle_hook_fails_the_up_with_its_output(stack: Stack) -> None:
    stack.write("""
    services:
      web:
        image: IMAGE
        command: sleep 1000
        init: true
        post_start: [{command: ["sh", "-c", "echo oh; exit 9"]}]
    """)
    with pytest.raises(ServiceError, match="failed with exit code 9") as caught:
        stack.up()
    assert caught.value.details == ("oh",)
