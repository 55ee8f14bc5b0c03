"""Chooses free host ports instead of ports in use: all of them with `--ports auto`, otherwise only those that
another checkout of the same repository uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.engine.containers.port_holders import find_holder
from invoke_devstack.engine.protocol import Engine
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.planning.ports import WantedPort, choose_ports, remembered_ports, wanted_ports
from invoke_devstack.running.checkouts import is_same_repository
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_Taken = set[tuple[str, int]]


def choose_free_ports(
    definition: Definition, observed: Observed, engine: Engine, bind: str, ports: str, asked: str
) -> dict[WantedPort, int]:
    """The host port to use for each wanted one, if possible the same as last time. `ports` is the setting
    and `asked` the flag ("" if not given): `auto` or `fixed`. As a flag, `fixed` changes no port. Raises
    DevstackError."""
    wanted = wanted_ports(definition, definition.services, bind, observed.containers)
    if not wanted or asked == "fixed":
        return {}
    if (asked or ports) == "auto":
        taken = _published(engine, definition.name) | listening(engine)
        return _choose(definition, observed, wanted, taken)
    return _beside_checkouts(definition, observed, engine, wanted)


def _beside_checkouts(
    definition: Definition, observed: Observed, engine: Engine, wanted: tuple[WantedPort, ...]
) -> dict[WantedPort, int]:
    """Only for ports that another checkout uses, and those replaced in our containers already."""
    remembered = remembered_ports(observed.containers)
    kept = tuple(port for port in wanted if port.slot in remembered)
    up = {item.service for item in observed.containers if item.is_active}
    pending = [port for port in wanted if port not in kept and port.service not in up]
    published: dict[str, _Taken] = {}
    if pending:
        held, published = _held_by_checkouts(definition, engine)
        kept += tuple(port for port in pending if (port.protocol, port.host_port) in held)
    if not kept:
        return {}
    return _choose(definition, observed, kept, set().union(listening(engine), *published.values()))


def _choose(
    definition: Definition, observed: Observed, wanted: tuple[WantedPort, ...], others: _Taken
) -> dict[WantedPort, int]:
    return choose_ports(
        definition.name, wanted, others - _own(observed), remembered_ports(observed.containers)
    )


def _held_by_checkouts(definition: Definition, engine: Engine) -> tuple[_Taken, dict[str, _Taken]]:
    """(ports that other checkouts of this repository use, directory -> ports that its containers publish)."""
    published: dict[str, _Taken] = {}
    for container in engine.list_containers({}, all_=False):
        marks = container.get("Labels") or {}
        if marks.get(labels.PROJECT) != definition.name:
            published.setdefault(marks.get(labels.WORKING_DIR, ""), set()).update(_ports_of(container))
    held: _Taken = set()
    for directory, ports in published.items():
        own = definition.working_dir
        if ports and directory and is_same_repository(own, Path(directory), definition.files):
            held |= ports
    return held, published


def _own(observed: Observed) -> _Taken:
    return {(port.protocol, port.host_port) for item in observed.containers for port in item.ports}


def _published(engine: Engine, project: str) -> _Taken:
    """The ports of other projects' containers: those of a remote engine are not in use on this machine."""
    return {
        port
        for container in engine.list_containers({}, all_=False)
        if (container.get("Labels") or {}).get(labels.PROJECT) != project
        for port in _ports_of(container)
    }


def _ports_of(container: Any) -> _Taken:
    return {
        (entry.get("Type", "tcp"), int(entry["PublicPort"]))
        for entry in container.get("Ports") or ()
        if entry.get("PublicPort")
    }


def listening(engine: Engine) -> _Taken:
    """The ports that processes on the engine's machine use, as far as they are known."""
    if not engine.endpoint.is_local:
        return set()
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


def report_free_ports(session: Session, plan: Plan) -> None:
    """Emits a Notice for each port that was replaced, with who uses the wanted one."""
    for action in plan:
        if not isinstance(action, CreateContainer):
            continue
        for key, port in json.loads(action.body["Labels"].get(labels.PORTS, "{}")).items():
            wanted = int(key.partition(":")[0])
            holder = find_holder(session.engine, wanted, own_project=session.project)
            why = f"in use by {holder}" if holder else "not free"
            text = f"port {wanted} is {why}; using port {port} instead"
            session.emit(Notice(text=text, service=action.service))
