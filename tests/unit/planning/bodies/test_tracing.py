"""What `up --trace` changes, and that nothing changes without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.tracing import Receiver, trace_variables, traced
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.processes.image import PROCESS_IMAGE
from tests.unit.planning.building import engine_with, running, stack, up

RECEIVER = Receiver(
    endpoint="http://172.17.0.1:12345",
    local_endpoint="http://127.0.0.1:12345",
    header="x-devstack-key=k",
)


def created(definition: Definition) -> dict[str, dict[str, Any]]:
    """Container -> the body that it is created with."""
    plan = plan_up(definition, engine_with(definition), PlanningOptions())
    return {action.target: dict(action.body) for action in plan if isinstance(action, CreateContainer)}


def environment(body: dict[str, Any]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in body.get("Env", ()))


def test_every_container_gets_the_variables_of_the_sdks() -> None:
    definition = traced(stack({"web": {"scale": 2}, "db": {}}), RECEIVER)
    bodies = created(definition)
    assert environment(bodies["p-web-2"]) == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://172.17.0.1:12345",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-devstack-key=k",
        "OTEL_SERVICE_NAME": "web",
        "OTEL_RESOURCE_ATTRIBUTES": "devstack.project=p,service.instance.id=p-web-2",
    }
    assert environment(bodies["p-db-1"])["OTEL_SERVICE_NAME"] == "db"


def test_composes_hash_is_the_same_with_traces_and_without() -> None:
    """So Docker Compose recreates nothing, and without the flag no container has anything of it."""
    definition = stack({"web": {"environment": {"A": "1"}}})
    without, with_ = created(definition)["p-web-1"], created(traced(definition, RECEIVER))["p-web-1"]
    assert without["Labels"][labels.CONFIG_HASH] == with_["Labels"][labels.CONFIG_HASH]
    assert without["Env"] == ["A=1"]
    assert "traces" not in without["Labels"][labels.INPUTS]
    different = {key for key in with_ if with_[key] != without.get(key)}
    assert different == {"Env", "Labels"}
    assert {key for key in with_["Labels"] if with_["Labels"][key] != without["Labels"][key]} == {
        labels.INPUTS
    }


def test_switching_on_and_off_recreates_and_says_why() -> None:
    plain = stack({"web": {}})
    on = traced(plain, RECEIVER)
    assert up(on, running(plain))[0].endswith("(traces on)")
    assert up(plain, running(on))[0].endswith("(traces off)")
    assert up(on, running(on)) == up(plain, running(plain))
    moved = traced(plain, replace(RECEIVER, endpoint="http://10.0.0.1:1"))
    assert up(moved, running(on))[0].endswith("(traces changed)")


def test_what_a_service_sets_itself_stays() -> None:
    own = {"OTEL_SERVICE_NAME": "shop", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    found = environment(created(traced(stack({"web": {"environment": own}}), RECEIVER))["p-web-1"])
    assert found.items() >= own.items()
    assert found["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"


@pytest.mark.parametrize("values", [{"network_mode": "none"}, {"labels": {labels.FORWARDER: "x"}}])
def test_what_cannot_send_or_only_forwards_gets_nothing(values: dict[str, Any]) -> None:
    definition = traced(stack({"web": values}), RECEIVER)
    assert trace_variables(definition, definition.services["web"]) == {}


def test_a_process_of_this_machine_sends_to_this_machine() -> None:
    definition = traced(stack({"web": {"image": PROCESS_IMAGE}}), RECEIVER)
    variables = trace_variables(definition, definition.services["web"])
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:12345"
