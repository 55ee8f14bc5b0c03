"""The plan that brings a stack up from nothing, or from what is left of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from invoke_devstack.errors import DefinitionError, DevstackError, UsageError
from invoke_devstack.planning.bodies.hashes import body_with_late_values
from invoke_devstack.planning.observed import ObservedNetwork, ObservedVolume
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import AwaitReady, CreateContainer, Plan, StopContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import (
    container_id,
    engine_after,
    engine_with,
    running,
    stack,
    up,
    with_service,
)

HEALTHY = {"condition": "service_healthy"}
COMPLETED = {"condition": "service_completed_successfully"}
DATA = {"type": "volume", "source": "data", "target": "/data"}


def test_a_first_up_makes_all_at_once_and_starts_each_after_what_it_waits_for() -> None:
    definition = stack(
        {"db": {"volumes": [DATA]}, "web": {"depends_on": {"db": HEALTHY}}},
        volumes={"data": {"name": "p_data"}},
    )
    assert up(definition, engine_with(definition)) == (
        "create network p_default  (no network yet)",
        "create volume p_data  (no volume yet)",
        "create p-web-1  (no container yet)",
        "create p-db-1  (no container yet)",
        "start p-db-1  (no container yet)",
        "await p-db-1  (no container yet)",
        "start p-web-1  (no container yet)",
        "await p-web-1  (no container yet)",
    )


def test_a_second_up_changes_nothing_and_says_so() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    plan = plan_up(definition, running(definition), PlanningOptions())
    assert plan.lines() == ()
    assert plan.unchanged == ("db", "web")


def test_the_same_input_gives_the_same_order() -> None:
    definition = stack({name: {"depends_on": ["a"] if name != "a" else []} for name in "abcdefgh"})
    texts = {up(definition, engine_with(definition)) for _ in range(5)}
    assert len(texts) == 1


def test_a_container_is_made_while_what_it_waits_for_starts() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    assert plan["create p-web-1"].needs == {"create network p_default"}
    assert plan["start p-web-1"].needs == {"create p-web-1", "await p-db-1"}


def test_a_started_dependency_is_not_waited_for_any_longer() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    assert plan["start p-web-1"].needs == {"create p-web-1", "start p-db-1"}


def test_a_one_shot_is_waited_for_until_it_is_done() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    assert plan["start p-web-1"].needs == {"create p-web-1", "await p-migrate-1 done"}
    assert "await p-migrate-1" not in {action.id for action in plan}


def test_who_waits_for_more_than_the_start_is_named_in_the_wait() -> None:
    definition = stack({"db": {}, "api": {"depends_on": {"db": HEALTHY}}, "web": {"depends_on": ["db"]}})
    wait = plan_up(definition, engine_with(definition), PlanningOptions(wait_timeout=7))["await p-db-1"]
    assert isinstance(wait, AwaitReady)
    assert (wait.waited_for_by, wait.timeout, wait.optional) == (("api",), 7, False)


def test_a_dependency_that_nobody_requires_may_fail() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": {**HEALTHY, "required": False}}}})
    wait = plan_up(definition, engine_with(definition), PlanningOptions())["await p-db-1"]
    assert isinstance(wait, AwaitReady)
    assert wait.optional


def test_a_dependency_that_is_not_required_may_be_missing() -> None:
    definition = stack({"web": {"depends_on": {"db": {**HEALTHY, "required": False}}}})
    assert "start p-web-1  (no container yet)" in up(definition, engine_with(definition))


def test_a_required_dependency_that_is_missing_is_named() -> None:
    definition = stack({"web": {"depends_on": ["db"]}})
    with pytest.raises(DefinitionError, match="`web` depends on unknown service `db`"):
        up(definition, engine_with(definition))


def test_a_cycle_is_told_with_its_path() -> None:
    definition = stack({"a": {"depends_on": ["b"]}, "b": {"depends_on": ["c"]}, "c": {"depends_on": ["a"]}})
    with pytest.raises(DefinitionError, match=r"(a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        up(definition, engine_with(definition))


def test_only_the_asked_for_services_and_their_dependencies_come_up() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}, "mail": {}})
    services = {
        action.service
        for action in plan_up(definition, engine_with(definition), PlanningOptions(services=("web",)))
    }
    assert services == {"", "db", "web"}


def test_dependencies_can_be_left_alone() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    plan = plan_up(
        definition, engine_with(definition), PlanningOptions(services=("web",), dependencies="settle")
    )
    assert {action.service for action in plan} == {"", "web"}


def test_a_misspelt_service_is_told_the_nearest_name() -> None:
    definition = stack({"redis": {}})
    with pytest.raises(UsageError) as error:
        up(definition, engine_with(definition), services=("reddis",))
    assert error.value.hint == "Did you mean `redis`?"


def test_naming_a_service_activates_it_whatever_its_profile() -> None:
    definition = stack({"web": {}})
    tools = stack({"tools": {"depends_on": ["cache"]}, "cache": {}, "other": {}}).services
    definition = definition.copy_with({"disabled_services": tools})
    plan = plan_up(definition, engine_with(definition), PlanningOptions(services=("tools",)))
    assert {action.service for action in plan if isinstance(action, CreateContainer)} == {"tools", "cache"}


def test_a_service_that_another_program_provides_is_left_out_and_not_waited_for() -> None:
    definition = stack({"model": {"provider": {"type": "model"}}, "web": {"depends_on": {"model": HEALTHY}}})
    plan = plan_up(definition, engine_with(definition, images={}), PlanningOptions())
    assert {action.service for action in plan} == {"", "web"}
    assert plan["start p-web-1"].needs == {"create p-web-1"}


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


def test_a_service_of_scale_zero_has_no_containers_and_nobody_waits_for_it() -> None:
    definition = stack({"db": {"scale": 0}, "web": {"depends_on": {"db": HEALTHY}}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    assert plan["start p-web-1"].needs == {"create p-web-1"}


def test_an_external_network_that_is_missing_is_an_error_that_names_it() -> None:
    definition = stack(
        {"web": {"networks": {"shared": None}}}, networks={"shared": {"name": "shared", "external": True}}
    )
    with pytest.raises(DevstackError) as error:
        up(definition, engine_with(definition))
    assert "external network `shared` not found" in error.value.message
    assert "docker network create shared" in error.value.hint


def test_an_external_network_that_is_there_is_used() -> None:
    definition = stack(
        {"web": {"networks": {"shared": None}}}, networks={"shared": {"name": "shared", "external": True}}
    )
    observed = engine_with(definition, networks={"shared": ObservedNetwork("id", "shared")})
    assert "create network shared" not in " ".join(up(definition, observed))


def test_an_external_volume_that_is_missing_is_an_error_that_names_it() -> None:
    definition = stack({"db": {"volumes": [DATA]}}, volumes={"data": {"name": "team", "external": True}})
    with pytest.raises(DevstackError, match="external volume `team` not found"):
        up(definition, engine_with(definition))


def test_a_volume_of_somebody_else_is_used_and_the_user_told() -> None:
    definition = stack({"db": {"volumes": [DATA]}}, volumes={"data": {"name": "p_data"}})
    observed = engine_with(definition, volumes={"p_data": ObservedVolume("p_data")})
    plan = plan_up(definition, observed, PlanningOptions())
    assert "create volume p_data" not in " ".join(plan.lines())
    assert "does not belong to any project" in plan.notices[0]


def test_a_volume_whose_definition_changed_keeps_its_data() -> None:
    definition = stack({"db": {"volumes": [DATA]}}, volumes={"data": {"name": "p_data"}})
    changed = stack(
        {"db": {"volumes": [DATA]}}, volumes={"data": {"name": "p_data", "driver_opts": {"type": "nfs"}}}
    )
    plan = plan_up(changed, running(definition), PlanningOptions())
    assert plan.lines() == ()
    assert "was not recreated, because it holds data" in plan.notices[0]


def test_a_service_in_the_network_of_another_is_made_after_it_and_gets_its_id() -> None:
    definition = stack({"vpn": {}, "web": {"network_mode": "service:vpn"}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    create = plan["create p-web-1"]
    assert isinstance(create, CreateContainer)
    assert create.needs == {"create p-vpn-1"}
    body = body_with_late_values(create, containers={"p-vpn-1": container_id("p-vpn-1")})
    assert body["HostConfig"]["NetworkMode"] == f"container:{container_id('p-vpn-1')}"


def test_a_service_in_the_network_of_another_is_recognised_again() -> None:
    definition = stack({"vpn": {}, "web": {"network_mode": "service:vpn", "volumes_from": ["vpn:ro"]}})
    assert up(definition, running(definition)) == ()


def test_hooks_of_the_team_run_around_the_start_of_their_service() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    hooks = frozenset({"before db", "after db", "before up", "after up"})
    assert up(definition, engine_with(definition), hooks=hooks) == (
        "hook before up  (hook in tasks.py)",
        "create network p_default  (no network yet)",
        "hook before db  (hook in tasks.py)",
        "create p-db-1  (no container yet)",
        "create p-web-1  (no container yet)",
        "start p-db-1  (no container yet)",
        "await p-db-1  (no container yet)",
        "hook after db  (hook in tasks.py)",
        "start p-web-1  (no container yet)",
        "await p-web-1  (no container yet)",
        "hook after up  (hook in tasks.py)",
    )


def test_hooks_of_the_team_do_not_run_when_nothing_changes_unless_they_always_do() -> None:
    definition = stack({"db": {}})
    observed = running(definition)
    assert up(definition, observed, hooks=frozenset({"after db", "before up"})) == ()
    assert up(definition, observed, always_hooks=frozenset({"after db"})) == (
        "hook after db  (hook in tasks.py)",
    )


def test_post_start_hooks_run_before_the_wait() -> None:
    definition = stack({"web": {"post_start": [{"command": ["a"]}, {"command": ["b"]}]}})
    assert up(definition, engine_with(definition))[-4:] == (
        "start p-web-1  (no container yet)",
        "exec post_start 1 in p-web-1  (post_start of web)",
        "exec post_start 2 in p-web-1  (post_start of web)",
        "await p-web-1  (no container yet)",
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


def test_ports_without_an_address_are_bound_as_the_settings_say() -> None:
    definition = stack(
        {
            "web": {
                "ports": [
                    {"target": 80, "published": "8080"},
                    {"target": 81, "published": "81", "host_ip": "0.0.0.0"},
                ]
            }
        }
    )
    bindings = create_of(plan_up(definition, engine_with(definition), PlanningOptions())).body["HostConfig"][
        "PortBindings"
    ]
    assert bindings == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "81"}],
    }


def test_secrets_are_in_no_label() -> None:
    definition = stack(
        {"web": {"environment": {"PASSWORD": "hunter2"}, "secrets": [{"source": "key"}]}},
        secrets={"key": {"name": "p_key", "environment": "KEY", "content": "s3cret"}},
    )
    labels = json.dumps(
        create_of(plan_up(definition, engine_with(definition), PlanningOptions())).body["Labels"]
    )
    assert "hunter2" not in labels
    assert "s3cret" not in labels


def create_of(plan: Plan) -> CreateContainer:
    return next(action for action in plan if isinstance(action, CreateContainer))


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


def test_what_a_one_off_container_needs_comes_up_as_for_its_service() -> None:
    definition = stack({"migrate": {}, "web": {"depends_on": {"migrate": COMPLETED}}})
    plan = plan_up(
        definition, engine_with(definition), PlanningOptions(services=("web",), dependencies="only")
    )
    assert {action.service for action in plan} == {"", "migrate"}
    wait = plan["await p-migrate-1 done"]
    assert isinstance(wait, AwaitReady)
    assert wait.waited_for_by == ("web",)


def test_what_a_replaced_service_needs_is_started_and_awaited() -> None:
    definition = stack({"db": {}, "web": {"depends_on": {"db": HEALTHY}}})
    observed = running(definition, db={"state": "exited", "exit_code": 0}, web={"state": "exited"})
    options = PlanningOptions(services=("web",), dependencies="settle")
    plan = plan_up(definition, observed, options)
    assert plan["await p-db-1"].needs == {"start p-db-1"}
    assert "await p-db-1" in plan["start p-web-1"].needs
