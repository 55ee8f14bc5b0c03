"""How this machine reaches published ports: directly, on another host, or through a tunnel."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import field

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.remote_host import Tunnel, address_of
from invoke_devstack.records import record

ANY_ADDRESS = frozenset(("", "0.0.0.0", "::"))


@record
class Reach:
    """`host` is where ports on all addresses are; "" if that is this machine. `forwards` are a tunnel's."""

    host: str = ""
    forwards: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def place(self, host_ip: str, port: int) -> tuple[str, int] | None:
        """The address and port to use for a published one; None if it cannot be reached from here."""
        own = own_address(host_ip)
        if not self.host:
            return own, port
        if (own, port) in self.forwards:
            return "127.0.0.1", self.forwards[(own, port)]
        if host_ip in ANY_ADDRESS:
            return self.host, port
        return None if ipaddress.ip_address(host_ip).is_loopback else (host_ip, port)


HERE = Reach()


def own_address(host_ip: str) -> str:
    """The address at which the engine's host itself reaches a published port."""
    return "127.0.0.1" if host_ip in ANY_ADDRESS else host_ip


def reach_of(endpoint: Endpoint, project: str) -> Reach:
    """How the ports of a project are reached."""
    if endpoint.is_local:
        return HERE
    forwards = Tunnel(endpoint, project).forwards() if endpoint.scheme == "ssh" else {}
    return Reach(address_of(endpoint), forwards)
