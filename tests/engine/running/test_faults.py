"""What goes wrong in the middle: the engine goes away, things are removed by hand, commands meet."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import docker.errors
import psutil
import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.errors import EngineUnavailableError, Interrupted, ServiceError
from invoke_devstack.events import ActionFinished, Event, Notice
from invoke_devstack.running.logs import show as logs
from invoke_devstack.running.options import LogOptions, UpOptions
from invoke_devstack.running.stack import stacks, up
from tests.engine.conftest import until
from tests.engine.running.gate import Gate
from tests.engine.stacks import Stack

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stack(engine: DockerEngine, busybox: str, project: str, tmp_path: Path) -> Iterator[Stack]:
    yield Stack(engine, tmp_path, project, busybox)


@pytest.fixture
def gate(engine: DockerEngine, tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "engine.sock", engine.endpoint.url)
    yield made
    made.cut()


@pytest.fixture
def behind(stack: Stack, gate: Gate) -> Iterator[Stack]:
    """The same stack, on an engine that can go away."""
    engine = connect(endpoint=Endpoint(gate.url, "test"))
    yield Stack(engine, stack.folder, stack.project, stack.image)
    engine.close()


COUNTING = """
services:
  a:
    image: IMAGE
    init: true
    command: sh -c 'i=0; while :; do i=$$((i+1)); echo line-$$i; sleep 0.02; done'
"""
SLOW = """
services:
  slow: {image: IMAGE, command: sleep 1000, init: true, healthcheck: {test: "false"}}
"""


def test_logs_go_on_without_a_gap_when_the_engine_comes_back(stack: Stack, behind: Stack, gate: Gate) -> None:
    stack.write(COUNTING)
    stack.up()
    session = behind.session()

    def follow() -> None:
        with pytest.raises(Interrupted):
            logs.show(session, LogOptions(follow=True))

    thread = threading.Thread(target=follow)
    thread.start()
    behind.wait_for_log(b"line-20\n")
    gate.cut()
    until(lambda: any("waiting for the engine" in event.text for event in behind.of(Notice)))
    gate.open()
    text = behind.wait_for_log(b"line-150\n")
    session.interrupt.deliver(signal.SIGINT)
    thread.join(60)
    assert not thread.is_alive()
    numbers = [int(item) for item in re.findall(rb"line-(\d+)\n", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    told = [event.text for event in behind.of(Notice)]
    assert any("waiting for the engine" in item for item in told)
    assert any("back" in item for item in told)


def test_an_engine_that_goes_away_ends_an_up_with_a_clear_error(
    stack: Stack, behind: Stack, gate: Gate
) -> None:
    stack.write(SLOW)
    threading.Timer(2.5, gate.cut).start()
    began = time.monotonic()
    with pytest.raises(EngineUnavailableError) as caught:
        behind.up(wait_timeout=60.0)
    assert time.monotonic() - began < 50  # less than the service may take
    assert caught.value.hint
    gate.open()


def test_a_container_that_is_removed_by_hand_while_it_starts_is_said_to_be(stack: Stack) -> None:
    stack.write(SLOW)

    def remove() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if stacks.containers(stack.engine, stack.project):
                time.sleep(0.5)
                stack.engine.remove_container(stack.container("slow"), force=True)
                return

    thread = threading.Thread(target=remove)
    thread.start()
    with pytest.raises(ServiceError, match=r"exited with code 137|was removed by somebody else"):
        stack.up(wait_timeout=90.0)
    thread.join()


def test_what_was_removed_by_hand_is_made_again(stack: Stack, project: str) -> None:
    stack.write(
        "services:\n  web: {image: IMAGE, command: sleep 1000, init: true, volumes: ['data:/data']}\n"
        "volumes: {data: {}}\n"
    )
    stack.up()
    stack.engine.remove_container(stack.container("web"), force=True)
    stack.engine.remove_network(f"{project}_default")
    stack.engine.remove_volume(f"{project}_data")
    stack.up()
    assert stack.state("web") == "running"


def test_a_network_that_others_use_stays_and_they_are_named(stack: Stack, project: str, busybox: str) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: sleep 1000, init: true}\n")
    stack.up()
    guest = f"{project}-guest"
    stack.engine.create_container(
        guest,
        {"Image": busybox, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": f"{project}_default"}},
    )
    stack.engine.start(guest)
    try:
        result = stack.down()
        assert f"{project}_default" not in result.removed
        assert any(guest in event.text for event in stack.of(Notice))
        (finished,) = [item for item in stack.of(ActionFinished) if item.action == "remove network"]
        assert finished.skipped
    finally:
        stack.engine.remove_container(guest, force=True)


def test_a_changed_network_that_others_use_is_kept_and_nothing_stops(
    stack: Stack, project: str, busybox: str
) -> None:
    text = (
        "services:\n  web: {image: IMAGE, command: sleep 1000, init: true}\n"
        "networks: {default: {labels: {x: %s}}}\n"
    )
    stack.write(text % "1")
    stack.up()
    web = stack.engine.inspect_container(stack.container("web"))["Id"]
    guest = f"{project}-guest"
    stack.engine.create_container(
        guest,
        {"Image": busybox, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": f"{project}_default"}},
    )
    stack.engine.start(guest)
    try:
        stack.write(text % "2")
        for _ in range(2):
            assert not stack.up().changed
            assert [event.text for event in stack.of(Notice)] == [
                f"`networks.default` changed, but network {project}_default was not recreated: "
                f"{guest} would lose it"
            ]
            assert stack.engine.inspect_container(stack.container("web"))["Id"] == web
    finally:
        stack.engine.remove_container(guest, force=True)
    assert stack.up().changed
    assert stack.engine.inspect_container(stack.container("web"))["Id"] != web


def test_two_ups_of_one_project_do_not_meet(stack: Stack) -> None:
    stack.write("services:\n  web: {image: IMAGE, command: sleep 1000, init: true}\n")
    others = [Stack(stack.engine, stack.folder, stack.project, stack.image) for _ in range(3)]
    failures: list[BaseException] = []

    def bring_up(one: Stack) -> None:
        try:
            up.bring_up(one.session(), UpOptions())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=bring_up, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert failures == []
    assert len(stacks.containers(stack.engine, stack.project, all_=True)) == 1


def test_stacks_with_names_that_look_alike_leave_each_other_alone(
    stack: Stack, project: str, tmp_path: Path
) -> None:
    text = """
    services:
      web: {image: IMAGE, command: sleep 1000, init: true, volumes: ["data:/d"]}
    volumes: {data: {}}
    """
    folder = tmp_path / "other"
    folder.mkdir()
    neighbour = Stack(stack.engine, folder, f"{project}-2", stack.image)
    stack.write(text)
    neighbour.write(text)
    stack.up()
    neighbour.up()
    try:
        stack.down(volumes=True)
        assert neighbour.state("web") == "running"
        assert [item["Name"] for item in stack.engine.list_volumes({"name": [f"{project}-2_data"]})]
    finally:
        neighbour.down(volumes=True)


WORKING = """
services:
  db:
    image: IMAGE
    command: sh -c 'sleep 0.2; date >> /data/starts; touch /ok; exec sleep 1000'
    init: true
    volumes: ["data:/data"]
    healthcheck: {test: "test -f /ok"}
  web: {image: IMAGE, command: sleep 1000, init: true, depends_on: {db: {condition: service_healthy}}}
volumes: {data: {}}
"""


def killed_after(stack: Stack, verb: str, seconds: float) -> None:
    """A command that is killed in the middle, as by a power cut."""
    words = [
        sys.executable,
        "-m",
        "tests.engine.running.command_process",
        stack.engine.endpoint.url,
        str(stack.folder),
        verb,
    ]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait()


def test_a_command_killed_at_any_moment_is_made_good_by_the_next(stack: Stack, project: str) -> None:
    chance = random.Random(7)
    stack.write(WORKING)
    mine = {"label": [f"com.docker.compose.project={project}"]}
    for _ in range(4):
        killed_after(stack, "up", chance.uniform(0.3, 2.5))
        stack.up()
        assert (stack.state("db"), stack.state("web")) == ("running", "running")
        killed_after(stack, "down", chance.uniform(0.3, 1.5))
        stack.down()
        assert stack.engine.list_containers(mine) == []
        assert stack.engine.list_networks(mine) == []
    assert len(stack.engine.list_volumes(mine)) == 1


def make_twice(stack: Stack) -> None:
    """One more network of the stack's name: an engine ends the request of a killed command too."""
    mine = {"com.docker.compose.project": stack.project, "com.docker.compose.network": "default"}
    client = docker.DockerClient(base_url=stack.engine.endpoint.url, version="auto")
    try:
        client.api.create_network(f"{stack.project}_default", labels=mine, check_duplicate=False)
    except docker.errors.APIError:
        pytest.skip("this engine makes no two networks of one name")
    finally:
        client.close()


def test_a_network_that_the_engine_made_twice_is_mended(stack: Stack, project: str) -> None:
    stack.write(WORKING)
    mine = {"label": [f"com.docker.compose.project={project}"]}
    make_twice(stack)
    make_twice(stack)
    stack.up()
    assert len(stack.engine.list_networks(mine)) == 1
    stack.down()

    def make_twice_late(event: Event) -> None:
        if isinstance(event, ActionFinished) and event.action == "create network":
            make_twice(stack)

    up.bring_up(replace(stack.session(), emit=make_twice_late), UpOptions())
    assert len(stack.engine.list_networks(mine)) == 1
    make_twice(stack)
    stack.up()
    assert (stack.state("db"), stack.state("web")) == ("running", "running")
    assert len(stack.engine.list_networks(mine)) == 1
    make_twice(stack)
    stack.down()
    assert stack.engine.list_networks(mine) == []


def test_many_ups_and_downs_leave_nothing_more_than_one(stack: Stack, project: str) -> None:
    stack.write(WORKING)

    def count() -> tuple[int, ...]:
        mine = {"label": [f"com.docker.compose.project={project}"]}
        engine = stack.engine
        own = psutil.Process()
        return (
            len(engine.list_containers(mine)),
            len(engine.list_networks(mine)),
            len(engine.list_volumes(mine)),
            own.num_threads(),
            own.num_fds(),
        )

    def round_trip() -> tuple[int, ...]:
        stack.up()
        stack.down()
        time.sleep(0.3)
        return count()

    round_trip()
    first = round_trip()
    last = [round_trip() for _ in range(4)][-1]
    assert last[:3] == first[:3]
    assert last[3] <= first[3] + 2
    assert last[4] <= first[4] + 8  # idle connections to the engine
