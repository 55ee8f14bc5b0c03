"""What uses a port: a container of the engine, or a process on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine

_PROXIES = ("docker-proxy", "rootlesskit", "rootlessport", "com.docker.backend")
"""Programs that listen for a container."""
UNLISTED = "a container that this engine does not list"
"""That of another engine of this machine, or one that this engine lost when it was killed."""


def find_holder(engine: Engine, port: int, *, own_project: str = "") -> str:
    """`container shop-web-1 (project shop, in /home/ann/shop)`, `python3 (pid 4711, …)`, or "". A container
    of `own_project` does not count."""
    container = _publishing(engine, port)
    if container is not None:
        return _describe_container(container, own_project)
    if not engine.endpoint.is_local:
        return ""
    pid = _listening(port)
    if not pid:
        return "" if pid is None else "a process of another user"
    command = _command_of_proxy(pid)
    if command is None:
        return _describe_process(pid)
    container = _behind_proxy(engine, command, port)
    return UNLISTED if container is None else _describe_container(container, own_project)


def _publishing(engine: Engine, port: int) -> Mapping[str, Any] | None:
    try:
        running = engine.list_containers({"publish": (str(port),)}, all_=False)
    except DevstackError:
        return None
    for container in running:
        if any(entry.get("PublicPort") == port for entry in container.get("Ports") or ()):
            return container
    return None


def _behind_proxy(engine: Engine, command: list[str], port: int) -> Mapping[str, Any] | None:
    """The container that a proxy listens for. While it starts, the engine does not list its ports yet; the
    address alone may be that of a container of another engine."""
    address = command[command.index("-container-ip") + 1] if "-container-ip" in command else ""
    try:
        for container in engine.list_containers({}) if address else ():
            networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
            at_address = any(address == network.get("IPAddress") for network in networks.values())
            if at_address and port in _bound(engine.inspect_container(container["Id"])):
                return container
    except DevstackError:
        pass
    return None


def _bound(inspected: Mapping[str, Any]) -> set[int]:
    bindings = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    texts = (binding.get("HostPort") for entries in bindings.values() for binding in entries or ())
    return {int(text) for text in texts if text and text.isdecimal()}


def _describe_container(container: Mapping[str, Any], own_project: str) -> str:
    name = (container.get("Names") or [container["Id"][:12]])[0].lstrip("/")
    found: Mapping[str, str] = container.get("Labels") or {}
    project, directory = found.get(labels.PROJECT), found.get(labels.WORKING_DIR)
    if not project:
        return f"container {name}"
    if project == own_project:
        return ""
    return f"container {name} (project {project}" + (f", in {directory})" if directory else ")")


def _listening(port: int) -> int | None:
    """The id of the process that listens on the port; 0 if it may not be known, None if there is none."""
    import psutil

    try:
        connections = psutil.net_connections(kind="inet")
    except (psutil.Error, OSError):
        return None
    for connection in connections:
        if connection.laddr and connection.laddr.port == port and _listens(connection):
            return connection.pid or 0
    return None


def _listens(connection: Any) -> bool:
    import psutil

    return connection.status == psutil.CONN_LISTEN or (
        connection.status == psutil.CONN_NONE and not connection.raddr
    )


def _command_of_proxy(pid: int) -> list[str] | None:
    """The arguments of a process that listens for a container; None for any other."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.cmdline() if process.name() in _PROXIES else None
    except psutil.Error:
        return None


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
