"""What runs for a container that the engine takes for stopped is ended. That the engine forgets it, because
it was killed during a start, is tested by the faults."""

from __future__ import annotations

import time

from invoke_devstack.running import copy_container
from tests.engine.stacks import Stack

STACK = """
services:
  one:
    image: IMAGE
    command: [sh, -c, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done"]
  other: {image: IMAGE, init: true, command: [sleep, "1000"]}
"""


def test_all_processes_of_one_container_are_asked_to_end(stack: Stack) -> None:
    stack.write(STACK)
    stack.up()
    session = stack.session()
    one = stack.engine.inspect_container(stack.container("one"))["Id"]
    assert copy_container.end_processes(session, "one", one) >= 1
    until = time.monotonic() + 20
    while stack.state("one") == "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert stack.engine.inspect_container(one)["State"]["ExitCode"] == 3
    assert stack.state("other") == "running"
    assert copy_container.end_processes(session, "one", one) == 0
    listed = stack.engine.list_containers(
        {"label": [f"com.docker.compose.project={stack.project}"]}, all_=True
    )
    assert len(listed) == 2
    stack.down()
