"""`--tunnel`: the published ports of a remote engine's containers on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

from invoke_devstack.engine.remote_host import Forwards, Tunnel
from invoke_devstack.errors import UsageError
from invoke_devstack.events import Notice
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.running.ports.reach import own_address, reach_of
from invoke_devstack.running.session import Session

_Place = tuple[str, int]
"""Address and port on the engine's host."""


def check_possible(session: Session) -> None:
    """Raises UsageError for an engine to which there is no ssh."""
    endpoint = session.engine.endpoint
    if not endpoint.is_local and endpoint.scheme != "ssh":
        raise UsageError(
            f"`--tunnel` needs an engine that is reached over ssh, not {endpoint.url}",
            hint="Use it with `DOCKER_HOST=ssh://USER@HOST`, or a context with such an address.",
        )


def open_before(session: Session, plan: Plan) -> None:
    """Forwards the ports that a plan will publish, so that services can be probed through the tunnel."""
    if not session.engine.endpoint.is_local:
        _forward(session, {*_planned(plan), *_published(session)})


def open_after(session: Session) -> None:
    """Forwards ports that the engine chose, too. Tells each port that is another one here."""
    if session.engine.endpoint.is_local:
        return
    _forward(session, set(_published(session)))
    for (_, port), local in Tunnel(session.engine.endpoint, session.project).forwards().items():
        if port != local:
            text = f"port {port} of this machine is in use; the tunnel uses port {local} instead"
            session.emit(Notice(text=text))


def close(session: Session) -> None:
    """Ends the tunnel, if there is one."""
    if session.engine.endpoint.scheme == "ssh":
        Tunnel(session.engine.endpoint, session.project).close()


def tell_unreachable(session: Session) -> None:
    """Says how to reach ports that are published on the engine's host alone."""
    if session.engine.endpoint.is_local:
        return
    reach = reach_of(session.engine.endpoint, session.project)
    hidden = sorted({port for address, port in _published(session) if reach.place(address, port) is None})
    if hidden:
        ports = ", ".join(map(str, hidden))
        text = f"published on {reach.host} alone: port {ports}; to reach them from here: `invoke up --tunnel`"
        session.emit(Notice(text=text, level="warning"))


def _forward(session: Session, wanted: set[_Place]) -> None:
    tunnel = Tunnel(session.engine.endpoint, session.project)
    current = tunnel.forwards()
    if wanted <= current.keys():
        return
    tunnel.open(_with_free_ports(wanted, current))


def _with_free_ports(wanted: set[_Place], current: Forwards) -> Forwards:
    """The same port here where it is free, else any."""
    own = set(current.values())
    return {place: _free_port(place[1], own) for place in sorted(wanted)}


def _free_port(port: int, own: Iterable[int]) -> int:
    return port if port in own or _is_free(port) else _any_free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _planned(plan: Plan) -> Iterator[_Place]:
    for action in plan:
        if isinstance(action, CreateContainer):
            bindings = (action.body.get("HostConfig") or {}).get("PortBindings") or {}
            for name, entries in bindings.items():
                for entry in entries if name.endswith("/tcp") else ():
                    if str(entry.get("HostPort") or "").isdecimal():
                        yield own_address(entry.get("HostIp", "")), int(entry["HostPort"])


def _published(session: Session) -> Iterator[_Place]:
    found = session.engine.list_containers({"label": (f"{PROJECT}={session.project}",)}, all_=False)
    for container in found:
        for entry in container.get("Ports") or ():
            if entry.get("PublicPort") and entry.get("Type", "tcp") == "tcp":
                yield own_address(entry.get("IP", "")), int(entry["PublicPort"])
