"""How a process on this machine reaches the services: env."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

from invoke_devstack.tasks.command import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke_devstack.planning.observed import ObservedContainer
    from invoke_devstack.tasks.context import Work
    from invoke_devstack.tasks.known_images import Kind


@command(
    "env",
    json="answer",
    flags={
        "show_secrets": "Show passwords on a terminal too; a pipe or a file gets them anyway.",
        "inside": "As the other services reach them, not as this machine does.",
    },
)
def env(
    work: Work,
    service: tuple[str, ...] = (),
    inside: bool = False,
    show_secrets: bool = False,
    json: bool = False,
) -> None:
    """Print connection strings as shell variables.

    For a process on this machine: `eval "$(invoke env)"`, or `invoke env > .env`.
    """
    from invoke_devstack.secrets import masked
    from invoke_devstack.tasks.targets import containers

    variables = dict(
        pair
        for item in containers(work, service, running=True)
        if item.number == 1
        for pair in _variables(work, item, inside=inside)
    )
    if sys.stdout.isatty() and not show_secrets:
        variables = {name: masked(name, value) for name, value in variables.items()}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    work.answer("\n".join(lines), variables)


def _variables(work: Work, found: ObservedContainer, *, inside: bool) -> Iterator[tuple[str, str]]:
    """`MYSQL_URL`, `MYSQL_HOST` and `MYSQL_PORT` for a service `mysql`."""
    from invoke_devstack.tasks.known_images import connection_string, kind_of

    definition = work.definition
    service = {**definition.disabled_services, **definition.services}.get(found.service)
    kind = kind_of(service.image_name(definition.name) if service else found.image)
    place = _place(found, kind, inside=inside)
    if place is None:
        return
    host, port, page = place
    if kind:
        values = {name: value or "" for name, value in (service.environment if service else {}).items()}
        page = connection_string(kind, values, host, port)
    prefix = re.sub(r"[^A-Z0-9]", "_", found.service.upper())
    named = {"URL": page, "HOST": host, "PORT": str(port)}
    yield from ((f"{prefix}_{name}", value) for name, value in named.items() if value)


def _place(found: ObservedContainer, kind: Kind | None, *, inside: bool) -> tuple[str, int, str] | None:
    """(host, port, page to open) of the port that a client wants; None where it cannot be reached."""
    from invoke_devstack.running.endpoints import to_open

    ports = [port for port in found.ports if port.host_port and port.protocol == "tcp"]
    wanted = [port for port in ports if kind and port.container_port == kind.port] or ports
    if inside:
        number = kind.port if kind else wanted[0].container_port if wanted else 0
        return (found.service, number, "") if number else None
    if not wanted:
        return None
    page = next((address for address in to_open(wanted[:1]) if "://" in address), "")
    return "localhost", wanted[0].host_port, page
