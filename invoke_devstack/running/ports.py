"""Who holds a port that the engine could not bind: a container, or a process of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError, PortTakenError
from invoke_devstack.planning import labels


def with_holder(error: PortTakenError, engine: Engine, service: str) -> PortTakenError:
    """The same error, which now names the service that wants the port and who has it."""
    holder = find_holder(engine, error.port) if error.port else ""
    return PortTakenError(
        f"{service} cannot have port {error.port}: it is already in use"
        + (f" by {holder}" if holder else ""),
        hint=error.hint,
        details=error.details,
        status=error.status,
        host_ip=error.host_ip,
        port=error.port,
    )


def find_holder(engine: Engine, port: int) -> str:
    """`container shop-web-1 (project shop, in /home/ann/shop)`, `python3 (pid 4711, …)`, or nothing."""
    return _container_holding(engine, port) or _process_holding(port)


def _container_holding(engine: Engine, port: int) -> str:
    try:
        running = engine.list_containers({"publish": (str(port),)}, all_=False)
    except DevstackError:
        return ""
    for container in running:
        if any(entry.get("PublicPort") == port for entry in container.get("Ports") or ()):
            return _describe_container(container)
    return ""


def _describe_container(container: Mapping[str, Any]) -> str:
    name = (container.get("Names") or [container["Id"][:12]])[0].lstrip("/")
    marks: Mapping[str, str] = container.get("Labels") or {}
    project, directory = marks.get(labels.PROJECT), marks.get(labels.WORKING_DIR)
    if not project:
        return f"container {name}"
    return f"container {name} (project {project}" + (f", in {directory})" if directory else ")")


def _process_holding(port: int) -> str:
    import psutil

    try:
        connections = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return ""
    for connection in connections:
        if connection.laddr and connection.laddr.port == port and _serves(connection):
            return _describe_process(connection.pid) if connection.pid else "a process of another user"
    return ""


def _serves(connection: Any) -> bool:
    import psutil

    return connection.status == psutil.CONN_LISTEN or (
        connection.status == psutil.CONN_NONE and not connection.raddr
    )


def _describe_process(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        name = process.name()
    except psutil.Error:
        return f"process {pid}"
    try:
        return f"{name} (pid {pid}, in {process.cwd()})"
    except psutil.Error:
        return f"{name} (pid {pid})"
