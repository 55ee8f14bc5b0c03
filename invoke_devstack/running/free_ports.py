"""`--ports auto`: which host ports are taken on this machine and engine, and what stands in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.ports import WantedPort, choose_ports, remembered_ports, wanted_ports

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def stand_ins(definition: Definition, observed: Observed, engine: Engine, bind: str) -> dict[WantedPort, int]:
    """A free host port for each wanted one, the same as last time where it can be. Raises DevstackError."""
    wanted = wanted_ports(definition, definition.services, bind)
    if not wanted:
        return {}
    taken = (_listening() | _published(engine, definition.name)) - _own(observed)
    return choose_ports(definition.name, wanted, taken, remembered_ports(observed.containers))


def _own(observed: Observed) -> set[tuple[str, int]]:
    return {(port.protocol, port.host_port) for item in observed.containers for port in item.ports}


def _published(engine: Engine, project: str) -> set[tuple[str, int]]:
    """Those of other projects' containers: on a remote engine nothing of them is seen here."""
    return {
        (entry.get("Type", "tcp"), int(entry["PublicPort"]))
        for container in engine.list_containers({}, all_=False)
        if (container.get("Labels") or {}).get(labels.PROJECT) != project
        for entry in container.get("Ports") or ()
        if entry.get("PublicPort")
    }


def _listening() -> set[tuple[str, int]]:
    """Ports that processes of this machine hold."""
    import psutil

    try:
        connections: Any = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return set()
    return {
        ("tcp" if item.status == psutil.CONN_LISTEN else "udp", item.laddr.port)
        for item in connections
        if item.laddr and item.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    }
