"""Ports on the host: who holds one that is taken, free ones, and for whom they are."""

from __future__ import annotations

import socket

import pytest

from invoke_devstack.errors import PortTakenError
from invoke_devstack.running.stack import stacks
from tests.engine.stacks import Stack
from tests.functional.conftest import find_free_port


@pytest.fixture
def free_port() -> int:
    return find_free_port()


def serving(port: int) -> str:
    """A file whose service answers on `port`."""
    command = "httpd -f -p 80"
    return f'services:\n  web: {{image: IMAGE, command: {command}, init: true, ports: ["{port}:80"]}}\n'


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
