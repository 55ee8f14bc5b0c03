"""Services that do not come up: the command fails by their name, and says what they said."""

from __future__ import annotations

import time

import pytest

from invoke_devstack.errors import ServiceError
from tests.engine.stacks import Stack


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
