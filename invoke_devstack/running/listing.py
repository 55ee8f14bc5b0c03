"""What `ps` tells of a project's containers."""

from __future__ import annotations

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.planning.observed import ObservedContainer

_UP = ("running", "paused", "restarting")


def containers(
    engine: Engine, project: str, services: tuple[str, ...] = (), *, all_: bool = False
) -> tuple[dict[str, object], ...]:
    """One row a container, by service and number: service, container, image, state, health, exit_code
    (None while it runs), ports (host_ip, host_port, container_port, protocol), started_at (RFC 3339, ""
    if it never started). With `all_` those that do not run, and one-off ones, too."""
    found = (
        item
        for item in engine.observe(project, inspect=True).containers
        if (all_ or (item.state in _UP and not item.oneoff)) and (not services or item.service in services)
    )
    ordered = sorted(found, key=lambda item: (item.service, item.oneoff, item.number, item.name))
    return tuple(_row(item) for item in ordered)


def _row(container: ObservedContainer) -> dict[str, object]:
    return {
        "service": container.service,
        "container": container.name,
        "image": container.image,
        "state": container.state,
        "health": container.health,
        "exit_code": container.exit_code,
        "ports": [
            {
                "host_ip": port.host_ip,
                "host_port": port.host_port,
                "container_port": port.container_port,
                "protocol": port.protocol,
            }
            for port in container.ports
        ],
        "started_at": container.started_at,
    }
