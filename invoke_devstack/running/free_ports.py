"""Which host ports are taken on this machine and engine, and what stands in for them: under `--ports auto`
wherever one is taken, otherwise only where another checkout of the same repository has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.engine.port_holders import find_holder
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

_UP = ("running", "paused", "restarting")
_Taken = set[tuple[str, int]]


def stand_ins(
    definition: Definition, observed: Observed, engine: Engine, bind: str, ports: str, asked: str
) -> dict[WantedPort, int]:
    """The host port for each wanted one, the same as last time where it can be. `ports` is the setting,
    `asked` the flag ("" if none): `auto`, or `fixed`, which as a flag leaves every port as it is wanted.
    Raises DevstackError."""
    wanted = wanted_ports(definition, definition.services, bind)
    if not wanted or asked == "fixed":
        return {}
    if (asked or ports) == "auto":
        return _choose(definition, observed, wanted, _published(engine, definition.name))
    return _beside_checkouts(definition, observed, engine, wanted)


def _beside_checkouts(
    definition: Definition, observed: Observed, engine: Engine, wanted: tuple[WantedPort, ...]
) -> dict[WantedPort, int]:
    """Stand-ins only for what another checkout holds, and those that containers of ours have already."""
    remembered = remembered_ports(observed.containers)
    kept = tuple(port for port in wanted if (port.service, port.key) in remembered)
    up = {item.service for item in observed.containers if item.state in _UP}
    pending = [port for port in wanted if port not in kept and port.service not in up]
    published: dict[str, _Taken] = {}
    if pending:
        held, published = _held_by_checkouts(definition, engine)
        kept += tuple(port for port in pending if (port.protocol, port.host_port) in held)
    if not kept:
        return {}
    return _choose(definition, observed, kept, set().union(*published.values()))


def _choose(
    definition: Definition, observed: Observed, wanted: tuple[WantedPort, ...], others: _Taken
) -> dict[WantedPort, int]:
    taken = (_listening() | others) - _own(observed)
    return choose_ports(definition.name, wanted, taken, remembered_ports(observed.containers))


def _held_by_checkouts(definition: Definition, engine: Engine) -> tuple[_Taken, dict[str, _Taken]]:
    """(what other checkouts of this repository hold, directory -> what its containers publish)."""
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
    """Those of other projects' containers: on a remote engine nothing of them is seen here."""
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


def _listening() -> _Taken:
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


def tell_stand_ins(session: Session, plan: Plan) -> None:
    """Says which port stands in for which, and who has the one that was wanted."""
    for action in plan:
        if not isinstance(action, CreateContainer):
            continue
        for key, port in json.loads(action.body["Labels"].get(labels.PORTS, "{}")).items():
            wanted = int(key.partition(":")[0])
            holder = find_holder(session.engine, wanted, own_project=session.project)
            by = f" is held by {holder}," if holder else " was not free,"
            text = f"port {wanted}{by} {port} stands in for it"
            session.emit(Notice(text=text, service=action.service))
