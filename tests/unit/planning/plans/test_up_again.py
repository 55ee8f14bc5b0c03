"""The plan of an `up` that finds containers: stopped, half made, too many, or too few."""

from __future__ import annotations

from dataclasses import replace

from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import StopContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import (
    HEALTHY,
    container_id,
    engine_after,
    engine_with,
    running,
    stack,
    up,
    with_service,
)


def test_stopped_containers_are_started_again() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
    stopped = {"state": "exited", "exit_code": 137}
    assert up(definition, running(definition, db=stopped, web=stopped)) == (
        "start p-db-1  (exited with code 137)",
        "await p-db-1  (exited with code 137)",
        "start p-web-1  (exited with code 137)",
        "await p-web-1  (exited with code 137)",
    )


def test_a_container_that_was_never_started_is_started() -> None:
    definition = stack({"web": {}})
    assert up(definition, running(definition, web={"state": "created"})) == (
        "start p-web-1  (never started)",
        "await p-web-1  (never started)",
    )


def test_a_paused_container_goes_on() -> None:
    definition = stack({"web": {}})
    assert up(definition, running(definition, web={"state": "paused"})) == (
        "unpause p-web-1  (paused)",
        "await p-web-1  (paused)",
    )


def test_a_container_that_the_engine_took_off_its_networks_is_restarted() -> None:
    definition = stack({"web": {}})
    assert up(definition, running(definition, web={"cut_off": True})) == (
        "stop p-web-1  (the engine took it off its networks)",
        "start p-web-1  (the engine took it off its networks)",
        "await p-web-1  (the engine took it off its networks)",
    )


def test_a_dead_container_is_recreated() -> None:
    definition = stack({"web": {}})
    assert "remove p-web-1  (replaced by the new container)" in up(
        definition, running(definition, web={"state": "dead"})
    )


def test_a_container_that_runs_but_is_not_ready_is_waited_for() -> None:
    definition = stack({"web": {"healthcheck": {"test": ["CMD", "true"]}}})
    assert up(definition, running(definition, web={"health": "starting"})) == ("await p-web-1  (starting)",)


def test_orphans_are_left_and_named() -> None:
    definition = stack({"old": {}, "web": {}})
    observed = running(definition)
    plan = plan_up(stack({"web": {}}), observed, PlanningOptions())
    assert (plan.lines(), plan.orphans) == ((), ("p-old-1",))


def test_orphans_are_removed_when_asked() -> None:
    observed = running(stack({"old": {}, "web": {}}))
    assert up(stack({"web": {}}), observed, remove_orphans=True) == (
        "stop p-old-1  (its service is not in the Compose files)",
        "remove p-old-1  (its service is not in the Compose files)",
    )


def test_more_containers_are_added_when_a_service_is_scaled_up() -> None:
    definition = stack({"web": {}})
    assert up(with_service(definition, "web", scale=3), running(definition)) == (
        "create p-web-2  (scale 1 -> 3)",
        "create p-web-3  (scale 1 -> 3)",
        "start p-web-2  (scale 1 -> 3)",
        "start p-web-3  (scale 1 -> 3)",
        "await p-web-2  (scale 1 -> 3)",
        "await p-web-3  (scale 1 -> 3)",
    )


def test_the_highest_numbers_go_when_a_service_is_scaled_down() -> None:
    definition = stack({"web": {"scale": 3}})
    assert up(with_service(definition, "web", scale=1), running(definition)) == (
        "stop p-web-2  (scale 3 -> 1)",
        "stop p-web-3  (scale 3 -> 1)",
        "remove p-web-2  (scale 3 -> 1)",
        "remove p-web-3  (scale 3 -> 1)",
    )


def test_an_up_that_was_killed_before_the_rename_is_finished() -> None:
    definition = stack({"web": {}})
    observed = running(definition)
    interrupted = replace(
        observed,
        containers=tuple(
            replace(item, name="0123456789ab_p-web-1", state="created") for item in observed.containers
        ),
    )
    assert up(definition, interrupted) == (
        "rename 0123456789ab_p-web-1  (created by an interrupted command)",
        "start p-web-1  (created by an interrupted command)",
        "await p-web-1  (created by an interrupted command)",
    )


def test_what_a_killed_up_left_beside_the_old_container_is_removed() -> None:
    definition = stack({"web": {}})
    observed = running(definition)
    left = replace(observed.containers[0], id="9" * 64, name="0123456789ab_p-web-1", state="created")
    both = replace(observed, containers=(*observed.containers, left))
    assert up(definition, both) == ("remove 0123456789ab_p-web-1  (left over from an interrupted command)",)


def test_a_port_that_moves_between_services_is_free_before_it_is_taken() -> None:
    port = {"target": 80, "published": "8080"}
    old = stack({"a": {"ports": [port], "depends_on": ["b"]}, "b": {}})
    new = stack({"a": {"depends_on": ["b"]}, "b": {"ports": [port]}})
    plan = plan_up(new, running(old), PlanningOptions())
    stop, start = plan["stop p-a-1"], plan["start p-b-1"]
    assert isinstance(stop, StopContainer)
    assert stop.id in start.needs
    assert stop.needs == {f"create {container_id('p-a-1')[:12]}_p-a-1"}


def test_an_up_after_any_interruption_ends_where_an_uninterrupted_one_does() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
    empty = engine_with(definition)
    plan = plan_up(definition, empty, PlanningOptions())
    created = engine_after(plan, empty, "created")
    assert up(definition, created) == (
        "start p-db-1  (never started)",
        "await p-db-1  (never started)",
        "start p-web-1  (never started)",
        "await p-web-1  (never started)",
    )
