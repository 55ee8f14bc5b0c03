"""Where services' ports are published on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.planning.hosting.addresses import Local
from invoke_devstack.planning.ports import WantedPort, wanted_ports

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_EVERY_ADDRESS = {"", "0.0.0.0", "::"}


def published_places(
    definition: Definition, chosen: Mapping[WantedPort, int], bind: str
) -> dict[tuple[str, int], Local]:
    """(service, port of the container) -> the address of its first container. `chosen` ports replace wanted
    ones. Without those that the engine chooses: they are not known before the start."""
    found: dict[tuple[str, int], Local] = {}
    for wanted in wanted_ports(definition, definition.services, bind):
        if wanted.protocol == "tcp":
            host = "127.0.0.1" if wanted.host_ip in _EVERY_ADDRESS else wanted.host_ip
            address = f"[{host}]" if ":" in host else host
            place = Local(address, chosen.get(wanted, wanted.host_port), f"`{wanted.service}` publishes it")
            found.setdefault((wanted.service, wanted.container_port), place)
    return found
