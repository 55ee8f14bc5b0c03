"""The plan that brings a stack up from nothing: what it makes, in which order, and for which services."""

from __future__ import annotations

import json

import pytest

from invoke_devstack.errors import DefinitionError, UsageError
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import AwaitReady, CreateContainer, Plan
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import COMPLETED, DATA, HEALTHY, engine_with, running, stack, up


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


def test_a_service_of_scale_zero_has_no_containers_and_nobody_waits_for_it() -> None:
    definition = stack({"db": {"scale": 0}, "web": {"depends_on": {"db": HEALTHY}}})
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    assert plan["start p-web-1"].needs == {"create p-web-1"}


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
