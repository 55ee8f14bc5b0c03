"""Published ports, and what stands in for those that are taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from invoke_devstack.definition.model import Definition
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import ports as planning
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.ports import WantedPort, choose_ports, remembered_ports, wanted_ports
from tests.unit.planning.building import engine_after, engine_with, running, stack, up

WEB = WantedPort("web", 8080, 80)
DB = WantedPort("db", 3306, 3306)


def published(*ports: dict[str, Any]) -> Definition:
    return stack({"web": {"ports": list(ports)}})


def test_wanted_ports_are_the_fixed_ones() -> None:
    definition = published(
        {"target": 80, "published": "8080"},
        {"target": 81},
        {"target": 82, "published": "0"},
        {"target": 83, "published": "9000-9010"},
        {"target": 53, "published": "5353", "protocol": "udp", "host_ip": "0.0.0.0"},
    )
    assert wanted_ports(definition, ["web"], "127.0.0.1") == (
        WantedPort("web", 8080, 80, "tcp", "127.0.0.1"),
        WantedPort("web", 5353, 53, "udp", "0.0.0.0"),
    )


def test_a_free_port_is_kept() -> None:
    assert choose_ports("p", [WEB], [], {}) == {WEB: 8080}


def test_a_taken_port_gets_a_stand_in_the_same_one_each_time() -> None:
    first = choose_ports("p", [WEB], [("tcp", 8080)], {})
    assert first == choose_ports("p", [WEB], [("tcp", 8080)], {})
    assert 20000 <= first[WEB] < 32000


def test_another_project_gets_another_stand_in() -> None:
    taken = [("tcp", 8080)]
    assert choose_ports("p", [WEB], taken, {}) != choose_ports("q", [WEB], taken, {})


def test_a_remembered_port_goes_first() -> None:
    assert choose_ports("p", [WEB], [], {("web", 1, "8080:80/tcp"): 20123}) == {WEB: 20123}


def test_a_remembered_port_that_is_taken_meanwhile_is_given_up() -> None:
    taken = [("tcp", 20123), ("tcp", 8080)]
    assert choose_ports("p", [WEB], taken, {("web", 1, "8080:80/tcp"): 20123})[WEB] not in (20123, 8080)


def test_two_services_that_want_the_same_port_get_different_ones() -> None:
    other = WantedPort("api", 8080, 80)
    chosen = choose_ports("p", [WEB, other], [], {})
    assert len(set(chosen.values())) == 2


def test_protocols_have_ports_of_their_own() -> None:
    udp = WantedPort("web", 8080, 80, "udp")
    assert choose_ports("p", [WEB, udp], [("udp", 8081)], {}) == {WEB: 8080, udp: 8080}


def test_no_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_LAST", planning._FIRST + 1)
    with pytest.raises(DevstackError, match="no free host port for port 80 of web"):
        choose_ports("p", [WEB], [("tcp", 8080), ("tcp", planning._FIRST)], {})


def test_a_stand_in_is_published_and_remembered_in_a_label() -> None:
    definition = published({"target": 80, "published": "8080"})
    wanted = WantedPort("web", 8080, 80, "tcp", "127.0.0.1")
    empty = engine_with(definition)
    plan = plan_up(definition, empty, PlanningOptions(ports={wanted: 20123}))
    create = next(action for action in plan if isinstance(action, CreateContainer))
    assert create.body["HostConfig"]["PortBindings"]["80/tcp"] == [
        {"HostIp": "127.0.0.1", "HostPort": "20123"}
    ]
    assert remembered_ports(engine_after(plan, empty).containers) == {("web", 1, "8080:80/tcp"): 20123}


def test_a_container_with_a_stand_in_is_kept_whatever_is_free_now() -> None:
    definition = published({"target": 80, "published": "8080"})
    wanted = WantedPort("web", 8080, 80, "tcp", "127.0.0.1")
    empty = engine_with(definition)
    observed = engine_after(plan_up(definition, empty, PlanningOptions(ports={wanted: 20123})), empty)
    assert up(definition, observed) == ()
    assert up(definition, observed, ports={wanted: 8080}) == ()


def test_a_stopped_container_whose_port_is_taken_is_recreated_with_a_stand_in() -> None:
    definition = published({"target": 80, "published": "8080"})
    wanted = WantedPort("web", 8080, 80, "tcp", "127.0.0.1")
    observed = running(definition, web={"state": "exited", "exit_code": 1})
    assert "port 8080 is in use, 20123 replaces it" in up(definition, observed, ports={wanted: 20123})[0]
    assert up(definition, running(definition), ports={wanted: 20123}) == ()


def test_an_unreadable_label_remembers_nothing() -> None:
    (container,) = running(published()).containers
    for text in ("", "[]", "nonsense", '{"a": "b"}', "null"):
        assert remembered_ports([replace(container, labels={"dev.invoke-devstack.ports": text})]) == {}
