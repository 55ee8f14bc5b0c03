"""How a service is asked whether it is ready."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import ObservedImage
from invoke_devstack.planning.plan import Probe
from invoke_devstack.planning.probe_choice import declared_probe, probe_of, probe_of_container
from tests.unit.planning.building import service, stack

KNOWN: dict[str, Any] = {"is_known_server": True}


def probe(values: dict[str, Any], **image: Any) -> Probe:
    return probe_of(service("x", values), ObservedImage("x", "id", **image))


def test_the_definitions_healthcheck_goes_first() -> None:
    check = {"test": ["CMD", "ping"], "interval": 2, "timeout": 3, "retries": 9, "start_period": 4}
    found = probe({"healthcheck": check, "image": "redis"}, healthcheck=("CMD", "other"))
    assert found == Probe(
        ProbeKind.HEALTHCHECK, ("CMD", "ping"), timeout=3, interval=2, retries=9, start_period=4
    )


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
    assert found == Probe(ProbeKind.REDIS, port=6379, is_known_server=True)


@pytest.mark.parametrize(
    ("values", "exposed", "expected"),
    [
        ({"image": "redis:8"}, ("6379/tcp",), Probe(ProbeKind.REDIS, port=6379, **KNOWN)),
        (
            {"image": "registry.local:5000/a/valkey@sha256:0"},
            ("6379/tcp",),
            Probe(ProbeKind.REDIS, port=6379, **KNOWN),
        ),
        ({"image": "redis", "expose": ["7000"]}, (), Probe(ProbeKind.REDIS, port=7000, **KNOWN)),
        (
            {"image": "mysql:9"},
            ("33060/tcp", "3306/tcp"),
            Probe(ProbeKind.MYSQL, port=3306, is_known_server=True),
        ),
        ({"image": "mariadb"}, ("3306/tcp",), Probe(ProbeKind.MYSQL, port=3306, **KNOWN)),
        (
            {"image": "postgis/postgis:17"},
            ("5432/tcp",),
            Probe(ProbeKind.POSTGRES, port=5432, is_known_server=True),
        ),
        ({"image": "mine", "ports": [{"target": 5432}]}, (), Probe(ProbeKind.POSTGRES, port=5432)),
        ({"image": "nginx"}, ("80/tcp",), Probe(ProbeKind.HTTP, port=80, **KNOWN)),
        ({"image": "mine", "ports": [{"target": 8080}]}, (), Probe(ProbeKind.HTTP, port=8080)),
        (
            {"image": "mine", "ports": [{"target": 1234}]},
            ("9999/tcp",),
            Probe(ProbeKind.PORT, port=1234, other_ports=(9999,)),
        ),
        ({"image": "mine", "expose": ["53/udp", "7000-7005/tcp"]}, (), Probe(ProbeKind.PORT, port=7000)),
        ({"image": "mine"}, ("9999/tcp",), Probe(ProbeKind.PORT, port=9999)),
        ({"image": "mine", "ports": [{"target": 53, "protocol": "udp"}]}, (), Probe(ProbeKind.RUNNING)),
        ({"image": "mine"}, (), Probe(ProbeKind.RUNNING)),
        ({"image": "redis-tools"}, (), Probe(ProbeKind.RUNNING)),
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
        ProbeKind.HEALTHCHECK, ("CMD", "x"), timeout=1, interval=2, retries=5, start_period=1
    )
    inspected = {"Config": {"Image": "redis:8", "ExposedPorts": {"6379/tcp": {}}}, "HostConfig": {}}
    assert probe_of_container(inspected) == Probe(ProbeKind.REDIS, port=6379, is_known_server=True)
    assert probe_of_container({"Config": {"Healthcheck": {"Test": ["NONE"]}}}) == Probe(ProbeKind.RUNNING)


@pytest.mark.parametrize(
    ("command", "known"),
    [
        (None, True),
        (["--appendonly", "yes"], True),
        (["redis-server", "--appendonly", "yes"], True),
        (["sleep", "infinity"], False),
    ],
)
def test_another_program_in_a_servers_image_is_only_guessed_to_serve(
    command: list[str] | None, known: bool
) -> None:
    assert (
        probe({"image": "redis:8", "command": command}, exposed_ports=("6379/tcp",)).is_known_server is known
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("running", Probe(ProbeKind.RUNNING, declared=True)),
        (5005, Probe(ProbeKind.PORT, port=5005, declared=True)),
        (8080, Probe(ProbeKind.HTTP, port=8080, declared=True)),
        ("6379", Probe(ProbeKind.REDIS, port=6379, declared=True)),
        ({"port": 5005, "path": "/up"}, Probe(ProbeKind.HTTP, port=5005, path="/up", declared=True)),
    ],
)
def test_a_service_declares_what_ready_means(said: object, expected: Probe) -> None:
    assert declared(said) == expected


@pytest.mark.parametrize(
    "said", ["soon", True, [], {"path": "/up"}, {"port": 1, "code": 200}, {"port": 1, "path": "up"}]
)
def test_what_ready_cannot_mean_is_an_error(said: object) -> None:
    with pytest.raises(DefinitionError, match=r"`x-devstack\.ready` of `web` must be"):
        declared(said)


def test_a_service_that_declares_nothing_is_asked_as_usual() -> None:
    assert declared(None) is None


def declared(said: object) -> Probe | None:
    definition = stack({"web": {"extensions": {"x-devstack": {"ready": said}}}})
    return declared_probe(definition, definition.services["web"])
