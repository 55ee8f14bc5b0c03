"""Two containers of one definition that want the same host port are refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import BlockedError, DefinitionError
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.ports import choose_ports, wanted_ports
from tests.unit.planning.building import engine_with


def definition(folder: Path, text: str) -> Definition:
    (folder / "compose.yaml").write_text(text)
    return load(folder, environment={}, project_name="p")


def clash(folder: Path, text: str, services: tuple[str, ...] = ()) -> DefinitionError:
    wanted = definition(folder, text)
    with pytest.raises(DefinitionError) as caught:
        plan_up(wanted, engine_with(wanted), PlanningOptions(services=services))
    return caught.value


def passes(folder: Path, text: str, services: tuple[str, ...] = ()) -> bool:
    wanted = definition(folder, text)
    return bool(plan_up(wanted, engine_with(wanted), PlanningOptions(services=services)).changed)


TWO = """
services:
  a:
    image: x
    ports: ["8080:80"]
  b:
    image: x
    ports: ["8080:81"]
"""


def test_two_services_that_publish_one_port_are_named_with_both_places(tmp_path: Path) -> None:
    error = clash(tmp_path, TWO)
    assert error.message == "`a` and `b` both publish port 8080"
    assert str(error.position) == f"{tmp_path}/compose.yaml:8:13: services.b.ports[0]"
    assert error.details == (f"and {tmp_path}/compose.yaml:5:13: services.a.ports[0]",)
    assert error.hint == "Change one, or use a free one: `invoke up --ports auto`"


def test_replicas_cannot_share_a_port(tmp_path: Path) -> None:
    error = clash(tmp_path, "services: {web: {image: x, scale: 2, ports: ['8080:80']}}")
    assert error.message == "the 2 containers of `web` cannot all publish port 8080"
    assert "Publish a range (`8080-8081`)" in error.hint


def test_a_service_that_publishes_a_port_twice_is_refused(tmp_path: Path) -> None:
    error = clash(tmp_path, "services: {web: {image: x, ports: ['8080:80', '8080:81']}}")
    assert error.message == "`web` publishes port 8080 twice"


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: x, scale: 2, ports: ['8080-8081:80']}}",
        "services: {web: {image: x, scale: 2, ports: ['80']}}",
        "services: {a: {image: x, ports: ['127.0.0.1:80:80']}, b: {image: x, ports: ['127.0.0.2:80:80']}}",
        "services: {a: {image: x, ports: ['80:80/tcp']}, b: {image: x, ports: ['80:80/udp']}}",
        "services: {a: {image: x, ports: ['80:80']}, b: {image: x, scale: 0, ports: ['80:80']}}",
        "services: {a: {image: x, ports: ['80:80']}, b: {image: x, profiles: [p], ports: ['80:80']}}",
        "services: {a: {image: x, ports: ['80:80']}, b: {image: x, network_mode: host, ports: ['80:80']}}",
    ],
)
def test_what_does_not_clash_passes(tmp_path: Path, text: str) -> None:
    assert passes(tmp_path, text)


def test_only_the_services_that_start_are_compared(tmp_path: Path) -> None:
    assert passes(tmp_path, TWO, ("a",))


def test_a_one_shot_may_have_the_port_of_what_starts_after_it(tmp_path: Path) -> None:
    text = """
services:
  migrate: {image: x, ports: ["8080:80"]}
  api:
    image: x
    depends_on: {migrate: {condition: service_completed_successfully}}
  web:
    image: x
    ports: ["8080:80"]
    depends_on: [api]
"""
    assert passes(tmp_path, text)
    assert clash(tmp_path, text.replace("service_completed_successfully", "service_started"))


def test_with_free_ports_each_replica_gets_its_own(tmp_path: Path) -> None:
    wanted = definition(tmp_path, "services: {web: {image: x, scale: 2, ports: ['8080:80']}}")
    observed = engine_with(wanted)
    ports = choose_ports("p", wanted_ports(wanted, ["web"], "127.0.0.1"), [], {})
    plan = plan_up(wanted, observed, PlanningOptions(ports=ports))
    bound = [
        action.body["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"]
        for action in plan
        if isinstance(action, CreateContainer)
    ]
    assert sorted(bound) == sorted({*bound})
    assert "8080" in bound


def test_a_range_of_fewer_ports_than_containers_is_refused_with_its_place(tmp_path: Path) -> None:
    text = """
services:
  web:
    image: x
    scale: 3
    ports:
      - "8000-8001:80"
"""
    found = clash(tmp_path, text)
    assert found.message == "the 3 containers of `web` need 3 ports; 8000-8001 has 2"
    assert "`8000-8002`" in found.hint
    assert found.position is not None
    assert found.position.line == 7
    assert passes(tmp_path, text.replace("8000-8001", "8000-8002"))
    assert passes(tmp_path, text.replace("scale: 3", "scale: 2"))
    assert passes(tmp_path, text.replace("8000-8001:", ""))


def test_all_ports_that_clash_are_told_at_once(tmp_path: Path) -> None:
    text = """
services:
  a:
    image: x
    ports: ["8080:80", "9090:90"]
  b:
    image: x
    ports: ["8080:81", "9090:90"]
  c:
    image: x
    ports: ["8080:82", "7000-7001:70"]
    scale: 3
"""
    wanted = definition(tmp_path, text)
    with pytest.raises(BlockedError, match="5 things") as caught:
        plan_up(wanted, engine_with(wanted), PlanningOptions())
    told = [line.partition(": ")[2].partition(".")[0] for line in caught.value.details]
    assert told == [
        "`a` and `b` both publish port 8080",
        "`a` and `c` both publish port 8080",
        "the 3 containers of `c` cannot all publish port 8080",
        "`a` and `b` both publish port 9090",
        "the 3 containers of `c` need 3 ports; 7000-7001 has 2",
    ]
