"""Who holds a port: a container of the engine, or a process of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels


def find_holder(engine: Engine, port: int, *, own_project: str = "") -> str:
    """`container shop-web-1 (project shop, in /home/ann/shop)`, `python3 (pid 4711, …)`, or nothing. A
    container of `own_project` counts as nothing."""
    container = _container_holding(engine, port)
    if container is None:
        return _process_holding(port)
    marks: Mapping[str, str] = container.get("Labels") or {}
    is_own = own_project and marks.get(labels.PROJECT) == own_project
    return "" if is_own else _describe_container(container)


def _container_holding(engine: Engine, port: int) -> Mapping[str, Any] | None:
    try:
        running = engine.list_containers({"publish": (str(port),)}, all_=False)
    except DevstackError:
        return None
    for container in running:
        if any(entry.get("PublicPort") == port for entry in container.get("Ports") or ()):
            return container
    return None


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
