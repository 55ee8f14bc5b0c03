"""Ports of an engine on another host: reached at its address, through a tunnel, or not at all."""

from __future__ import annotations

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.running.ports.addresses import Address, reachable, to_open
from invoke_devstack.running.ports.reach import HERE, Reach, reach_of

REMOTE = Reach("192.0.2.7")
TUNNEL = Reach("192.0.2.7", {("127.0.0.1", 8080): 18080})
OPEN, ALONE = PublishedPort("0.0.0.0", 8080, 80), PublishedPort("127.0.0.1", 8080, 80)


def test_a_local_engine_publishes_here() -> None:
    assert reach_of(Endpoint("unix:///var/run/docker.sock"), "p") == HERE
    assert to_open([ALONE]) == ("http://localhost:8080",)


def test_a_port_on_all_addresses_is_at_the_host() -> None:
    assert reach_of(Endpoint("tcp://192.0.2.7:2375"), "p") == REMOTE
    assert to_open([OPEN], reach=REMOTE) == ("http://192.0.2.7:8080",)


def test_a_port_of_the_host_alone_cannot_be_opened_from_here() -> None:
    assert to_open([ALONE], reach=REMOTE) == ()
    udp = PublishedPort("127.0.0.1", 53, 53, "udp")
    assert to_open([udp], reach=TUNNEL) == ()


def test_a_tunnel_brings_it_to_this_machine() -> None:
    assert to_open([ALONE], reach=TUNNEL) == to_open([OPEN], reach=TUNNEL) == ("http://localhost:18080",)


def test_probes_ask_through_the_tunnel_and_never_a_container_here_with_the_same_address() -> None:
    inspected = {
        "NetworkSettings": {
            "Networks": {"x": {"IPAddress": "172.30.0.5", "Gateway": "127.0.0.1"}},
            "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
        }
    }
    assert reachable(inspected, 80, REMOTE) is None
    assert reachable(inspected, 80, TUNNEL) == Address("127.0.0.1", 18080, proxied=True)
