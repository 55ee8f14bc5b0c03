"""How a process on this machine reaches the services: env."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks import values
from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from invoke_devstack.definition.model import Service
    from invoke_devstack.planning.connections import Connection
    from invoke_devstack.planning.observed import ObservedContainer, PublishedPort
    from invoke_devstack.tasks.context import Work

_FORMATS = ("shell", "dotenv", "json")


@command(
    "env",
    json="answer",
    flags={
        "inside": "As the other services reach them, not as this machine does.",
        "format": "`shell` (default): export lines. `dotenv`: lines of a .env file. `json`.",
        "write": "Write them into this file, beside what is there.",
    },
)
def env(
    work: Work,
    service: tuple[str, ...] = (),
    inside: bool = False,
    format: str = "shell",  # noqa: A002 - the flag's name
    write: str = "",
    json: bool = False,
) -> None:
    """Print connection strings as shell variables.

    With their passwords, for a process on this machine: `eval "$(invoke env)"`, or
    `invoke env --write .env.local`.
    """
    style = values.choice("format", format, _FORMATS)
    variables: dict[str, str] = {}
    for connection in connections_of(work, service, inside=inside):
        variables |= connection.variables()
    if service and not variables:
        raise UsageError(
            f"{' and '.join(work.services(service))} publishes no port, so this machine does not reach it",
            hint="Give it one under `ports:`; `--inside` shows how the other services reach it.",
        )
    if write:
        _write(work, Path(write).absolute(), variables)
    else:
        work.answer(_text(variables, style), variables)


def _text(variables: Mapping[str, str], style: str) -> str:
    if style == "json":
        import json

        return json.dumps(variables, indent=2, ensure_ascii=False)
    if style == "dotenv":
        from invoke_devstack.tasks.env_block import dotenv_line

        return "\n".join(dotenv_line(name, value) for name, value in variables.items())
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _write(work: Work, file: Path, variables: Mapping[str, str]) -> None:
    from invoke_devstack.events import Notice
    from invoke_devstack.tasks.env_block import write_block

    kept = write_block(file, variables)
    if kept:
        text = f"{', '.join(kept)} in {file.name} stay as they are: they were there before"
        work.tell(Notice(text=text))
    written = [name for name in variables if name not in kept]
    work.answer(f"wrote {len(written)} variables to {file}", {"file": str(file), "variables": written})


def connections_of(work: Work, names: tuple[str, ...], *, inside: bool) -> Iterator[Connection]:
    """How the named services (none: all) are reached: from this machine, or from other services."""
    from invoke_devstack.planning import connections

    definition = work.definition
    every = {**definition.disabled_services, **definition.services}
    wanted = work.services(names)
    found = {} if inside else _containers(work, names)
    for name in wanted or tuple(definition.services):
        made = (
            connections.inside(definition, every[name], _read)
            if inside
            else _outside(work, every[name], found.get(name))
        )
        if made:
            yield made


def _containers(work: Work, names: tuple[str, ...]) -> dict[str, ObservedContainer]:
    """Service -> its first running container. Without an engine there is none, and the definition tells."""
    from invoke_devstack.errors import EngineUnavailableError
    from invoke_devstack.tasks.targets import containers

    try:
        running = containers(work, names, running=True)
    except EngineUnavailableError:
        return {}
    return {item.service: item for item in reversed(running)}


def _outside(work: Work, service: Service, container: ObservedContainer | None) -> Connection | None:
    """The connection as this machine has it, None where the service publishes no TCP port. The port is the
    real one of a container that runs, else the one that the definition wants."""
    from invoke_devstack.planning import connections
    from invoke_devstack.running.endpoints import to_open

    definition = work.definition
    kind = connections.service_kind(definition, service)
    ports = [port for port in _ports(service, container) if port.host_port and port.protocol == "tcp"]
    chosen = [port for port in ports if kind and port.container_port == kind.port] or ports
    if not chosen:
        return None
    port = chosen[0]
    page = next((address for address in to_open([port]) if "://" in address), "")
    login = connections.service_login(definition, service, _read)
    return connections.Connection(service.name, _host(port), port.host_port, kind, login, page)


def _ports(service: Service, container: ObservedContainer | None) -> tuple[PublishedPort, ...]:
    from invoke_devstack.planning.observed import PublishedPort

    if container:
        return container.ports
    return tuple(
        PublishedPort(port.host_ip or "", int(port.published), port.target, port.protocol)
        for port in service.ports
        if (port.published or "").isdecimal() and port.published
    )


def _host(port: PublishedPort) -> str:
    """As a number: some clients of MySQL take `localhost` for a socket file of this machine. An engine
    elsewhere is reached where it is."""
    from urllib.parse import urlsplit

    from invoke_devstack.engine.endpoints import find_endpoint

    endpoint = find_endpoint()
    elsewhere = "" if endpoint.is_local else urlsplit(endpoint.url).hostname or ""
    if port.host_ip in ("", "0.0.0.0", "::"):
        return elsewhere or "127.0.0.1"
    return f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip


def _read(path: str) -> str:
    try:
        return re.sub(r"\r?\n\Z", "", Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
