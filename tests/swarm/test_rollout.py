"""A new version under load, and faults in the middle of a rollout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.swarm.full import FULL, wait_for
from tests.swarm.project import INVOKE, Project
from tests.terminal import Terminal

pytestmark = FULL

_RATE = 50  # requests a second
_CLIENT = str(Path(__file__).with_name("client.py"))

PAGE = """
services:
  web:
    image: IMAGE
    # Without a virtual address, a client may have an old task's address for a moment: it answers until then.
    command:
      - sh
      - -c
      - |
        httpd -p 8080 -h /tmp; echo ONE > /tmp/index.html
        trap 'sleep 4; exit' TERM
        while :; do sleep 0.2; done
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/index.html"], interval: 500ms, retries: 20}
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {monitor: 2s}}
  client:
    image: IMAGE
    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]
    deploy:
      endpoint_mode: dnsrr
      placement: {constraints: [node.hostname == node2]}
      update_config: {monitor: 1s}
"""
SECOND = PAGE.replace("ONE", "TWO")
BROKEN = PAGE.replace("echo ONE", "echo cannot start; exit 3; echo ONE")
SLOW = PAGE.replace("echo ONE", "sleep 4; echo TWO")


@pytest.fixture
def page(project: Project) -> Project:
    project.write(PAGE)
    project.deploy()
    return project


@contextmanager
def under_load(project: Project) -> Iterator[Callable[[], Mapping[str, int]]]:
    """Asks for the page from a container on the second node, until what it returns is called: answers, and
    how often they came."""
    node = project.cluster.client(2)
    container = node.containers.list(
        filters={"label": f"com.docker.swarm.service.name={project.name}_client"}
    )[0]
    space = f"--net=/proc/{container.attrs['State']['Pid']}/ns/net"
    words = ["nsenter", space, sys.executable, _CLIENT, "web", "8080", str(_RATE)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"

    def end() -> Mapping[str, int]:
        out, _ = process.communicate("", timeout=60)
        answers: Mapping[str, int] = json.loads(out)
        return answers

    try:
        yield end
    finally:
        with suppress(OSError):
            process.kill()
        process.wait()


def test_no_request_fails_while_a_new_version_is_rolled_out(page: Project) -> None:
    with under_load(page) as end:
        began = time.monotonic()
        page.write(SECOND)
        page.deploy()
        span = time.monotonic() - began
        answers = end()
    assert set(answers) == {"ONE", "TWO"}
    assert sum(answers.values()) > span * _RATE * 0.8


def test_a_broken_version_is_taken_back_in_half_a_minute_and_no_request_fails(page: Project) -> None:
    before = page.specs()
    with under_load(page) as end:
        page.write(BROKEN)
        began = time.monotonic()
        failed = page.invoke("deploy", "--yes")
        span = time.monotonic() - began
        answers = end()
    assert failed.returncode == 1
    assert "rolled back" in failed.stderr
    assert set(answers) == {"ONE"}
    assert page.specs() == before
    assert span < 30


def test_a_port_of_another_service_is_named_before_anything_is_changed(project: Project) -> None:
    spec = {"ContainerSpec": {"Image": f"{project.cluster.registry}/busybox:1", "Args": ["sleep", "1000"]}}
    ports = {"Ports": [{"PublishedPort": 8099, "TargetPort": 80}]}
    other = project.api.create_service(spec, name=f"{project.name}-other", endpoint_spec=ports)
    try:
        project.write(
            PAGE.replace(
                "    healthcheck",
                "    ports: [{target: 8080, published: 8099, mode: host}]\n    healthcheck",
                1,
            )
        )
        refused = project.invoke("deploy", "--yes")
    finally:
        project.api.remove_service(other["ID"])
    assert refused.returncode == 1
    assert f"port 8099 is taken in the swarm by service {project.name}-other" in refused.stderr
    assert project.leftovers() == []


def test_a_registry_that_takes_no_push_leaves_the_stack_as_it_is(page: Project) -> None:
    before = page.specs()
    registry = page.cluster.registry
    (page.folder / "Dockerfile").write_text(f"FROM {registry}/busybox:1\nLABEL of={page.name}\n")
    page.write(PAGE.replace("image: IMAGE", f"image: {registry}/{page.name}:1\n    build: .", 1))
    page.cluster.stop_registry()
    try:
        refused = page.invoke("deploy", "--yes")
    finally:
        page.cluster.start_registry()
        wait_for(lambda: page.cluster.client(1).images.pull(f"{registry}/busybox", "1"))
    assert refused.returncode == 1, refused.stderr
    assert registry in refused.stderr
    assert page.specs() == before
    page.deploy()
    assert page.specs() != before


def test_a_node_that_is_cut_off_in_a_rollout_and_comes_back_ends_in_the_same_state(page: Project) -> None:
    page.write(SLOW)
    process = page.start("deploy", "--yes")
    wait_for(lambda: page.is_being_updated())
    page.cluster.partition(2)
    time.sleep(8)
    page.cluster.heal(2)
    process.communicate(timeout=150)
    wait_for(lambda: page.nodes_are_ready())
    page.deploy()
    assert {row["state"] for row in page.answer("deploy.status")} == {"healthy"}
    assert "nothing to do" in page.deploy()


def test_ctrl_c_asks_whether_to_go_back(page: Project) -> None:
    before = page.specs()
    page.write(SLOW)
    with Terminal([INVOKE, "deploy", "--yes"], page.folder, page.environment, timeout=90) as terminal:
        wait_for(lambda: page.is_being_updated())
        terminal.sendintr()
        terminal.expect_exact("[leave/roll back]")
        terminal.sendline("roll back")
        terminal.expect(re.compile("Rolled back"))
        assert terminal.end() == 130
    assert page.specs() == before
