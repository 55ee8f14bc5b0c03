"""The error of a port that the engine could not bind, with the one who holds it."""

from __future__ import annotations

from invoke_devstack.engine.port_holders import find_holder
from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import PortTakenError


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
