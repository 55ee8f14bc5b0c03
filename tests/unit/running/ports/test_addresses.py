"""Where a port is reached from here, and what a person opens."""

from __future__ import annotations

from typing import Any

from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.running.ports.addresses import Address, first_port, reachable, to_open


def inspected(gateway: str = "", address: str = "172.30.0.5", published: str = "") -> dict[str, object]:
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": published}]} if published else {"80/tcp": None}
    networks = {"x": {"IPAddress": address, "Gateway": gateway}}
    return {"NetworkSettings": {"Networks": networks, "Ports": ports}, "HostConfig": {}}


def test_a_network_of_this_machine_is_reached_directly() -> None:
    assert reachable(inspected(gateway="127.0.0.1", published="8080"), 80) == Address("172.30.0.5", 80)


def test_a_network_that_is_elsewhere_is_reached_over_the_published_port() -> None:
    assert reachable(inspected(gateway="192.0.2.1", published="8080"), 80) == Address(
        "127.0.0.1", 8080, proxied=True
    )


def test_a_port_that_is_neither_near_nor_published_is_not_reached() -> None:
    assert reachable(inspected(gateway="192.0.2.1"), 80) is None


def test_the_first_port_is_a_published_one_before_an_exposed_one() -> None:
    config: dict[str, Any] = {"ExposedPorts": {"33060/tcp": {}, "3306/tcp": {}}}
    assert first_port({"Config": config}) == 3306
    assert first_port({"Config": config, "HostConfig": {"PortBindings": {"33060/tcp": []}}}) == 33060
    assert first_port({"Config": {"ExposedPorts": {"53/udp": {}}}}) == 0


def test_web_ports_are_opened_and_others_connected_to() -> None:
    ports = (
        PublishedPort("127.0.0.1", 8080, 80),
        PublishedPort("0.0.0.0", 16379, 6379),
        PublishedPort("::", 16379, 6379),
        PublishedPort("192.168.0.7", 9999, 443),
        PublishedPort("", 5353, 53, "udp"),
    )
    assert to_open(ports) == (
        "http://localhost:8080",
        "localhost:16379",
        "https://192.168.0.7:9999",
        "localhost:5353/udp",
    )


def test_a_service_that_speaks_http_is_opened_whatever_its_port() -> None:
    assert to_open((PublishedPort("", 7777, 7777),), web=True) == ("http://localhost:7777",)
