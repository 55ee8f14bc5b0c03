"""How a service is asked whether it is ready."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.plan import Probe
from invoke_devstack.planning.probes import probe_of, probe_of_container
from tests.unit.planning.building import service


def probe(values: dict[str, Any], **image: Any) -> Probe:
    return probe_of(service("x", values), ObservedImage("x", "id", **image))


def test_the_definitions_healthcheck_goes_first() -> None:
    check = {"test": ["CMD", "ping"], "interval": 2, "timeout": 3, "retries": 9, "start_period": 4}
    found = probe({"healthcheck": check, "image": "redis"}, healthcheck=("CMD", "other"))
    assert found == Probe("healthcheck", ("CMD", "ping"), timeout=3, interval=2, retries=9, start_period=4)


def test_the_images_healthcheck_comes_next_with_the_definitions_times() -> None:
    found = probe({"healthcheck": {"retries": 7}}, healthcheck=("CMD-SHELL", "ping"))
    assert (found.kind, found.command, found.retries, found.timeout) == (
        "healthcheck",
        ("CMD-SHELL", "ping"),
        7,
        30,
    )


@pytest.mark.parametrize("check", [{"disable": True}, {"test": ["NONE"]}])
def test_a_healthcheck_that_is_switched_off_is_not_run(check: dict[str, Any]) -> None:
    found = probe(
        {"healthcheck": check, "image": "redis:8"}, healthcheck=("CMD", "x"), exposed_ports=("6379/tcp",)
    )
    assert found == Probe("redis", port=6379)


@pytest.mark.parametrize(
    ("values", "exposed", "expected"),
    [
        ({"image": "redis:8"}, ("6379/tcp",), Probe("redis", port=6379)),
        ({"image": "registry.local:5000/team/valkey@sha256:0"}, ("6379/tcp",), Probe("redis", port=6379)),
        ({"image": "redis", "expose": ["7000"]}, (), Probe("redis", port=7000)),
        ({"image": "mysql:9"}, ("33060/tcp", "3306/tcp"), Probe("mysql", port=3306)),
        ({"image": "mariadb"}, ("3306/tcp",), Probe("mysql", port=3306)),
        ({"image": "postgis/postgis:17"}, ("5432/tcp",), Probe("postgres", port=5432)),
        ({"image": "mine", "ports": [{"target": 5432}]}, (), Probe("postgres", port=5432)),
        ({"image": "nginx"}, ("80/tcp",), Probe("http", port=80)),
        ({"image": "mine", "ports": [{"target": 8080}]}, (), Probe("http", port=8080)),
        ({"image": "mine", "ports": [{"target": 1234}]}, ("9999/tcp",), Probe("port", port=1234)),
        ({"image": "mine", "expose": ["53/udp", "7000-7005/tcp"]}, (), Probe("port", port=7000)),
        ({"image": "mine"}, ("9999/tcp",), Probe("port", port=9999)),
        ({"image": "mine", "ports": [{"target": 53, "protocol": "udp"}]}, (), Probe("running")),
        ({"image": "mine"}, (), Probe("running")),
        ({"image": "redis-tools"}, (), Probe("running")),
    ],
)
def test_a_known_protocol_else_a_port_else_nothing_is_asked(
    values: dict[str, Any], exposed: tuple[str, ...], expected: Probe
) -> None:
    assert probe(values, exposed_ports=exposed) == expected


def test_a_container_tells_its_probe_by_its_inspection() -> None:
    second = 10**9
    check = {
        "Test": ["CMD", "x"],
        "Interval": 2 * second,
        "Timeout": second,
        "Retries": 5,
        "StartPeriod": second,
    }
    assert probe_of_container({"Config": {"Healthcheck": check}}) == Probe(
        "healthcheck", ("CMD", "x"), timeout=1, interval=2, retries=5, start_period=1
    )
    inspected = {"Config": {"Image": "redis:8", "ExposedPorts": {"6379/tcp": {}}}, "HostConfig": {}}
    assert probe_of_container(inspected) == Probe("redis", port=6379)
    assert probe_of_container({"Config": {"Healthcheck": {"Test": ["NONE"]}}}) == Probe("running")
