"""Hooks of the team and of the Compose file around the start of a service."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import HookError, ServiceError
from invoke_devstack.running.stack import stacks
from tests.engine.stacks import Stack


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
