"""The networks and volumes of an `up`: external ones, those of others, and the network of another service."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.bodies.hashes import body_with_late_values
from invoke_devstack.planning.observed import ObservedNetwork, ObservedVolume
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from tests.unit.planning.building import DATA, container_id, engine_with, running, stack, up


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
