"""The containers that a task is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.errors import ServiceError
from invoke_devstack.running.choosing import split_number

if TYPE_CHECKING:
    from invoke_devstack.planning.observed import Observed, ObservedContainer
    from invoke_devstack.tasks.context import Work


def observe(work: Work) -> Observed:
    """The stack as it is on the engine."""
    return work.engine.observe(work.project)


def containers(work: Work, names: Sequence[str], *, running: bool = False) -> tuple[ObservedContainer, ...]:
    """The containers of the named services, by default of all, in the order of their names."""
    wanted = work.services(names)
    found = sorted(observe(work).containers, key=lambda item: (item.service, item.number))
    return tuple(
        item
        for item in found
        if not item.oneoff
        and (not wanted or item.service in wanted)
        and (not running or item.state == "running")
    )


def container(work: Work, service: str, *, running: bool = True) -> ObservedContainer:
    """The first container of a service; `web.2` is the second one of `web`. Raises ServiceError."""
    name, number = split_number(work.definition, work.service(service))
    found = observe(work).of_service(name)
    matching = [item for item in found if item.number == (number or 1)] or ([] if number else list(found[:1]))
    if not matching:
        raise ServiceError(
            f"there is no container of `{service}`", service=name, hint=f"`invoke up -s {name}` starts it."
        )
    if running and matching[0].state != "running":
        raise ServiceError(
            f"`{service}` does not run: its container is {matching[0].state}",
            service=name,
            hint=f"`invoke up -s {name}` starts it; `invoke logs -s {name}` shows what it said.",
        )
    return matching[0]


def run_in(work: Work, service: str, command: Sequence[str]) -> str:
    """Runs a command in the first container of a service and returns its output. Raises ServiceError."""
    found = container(work, service)
    result = work.engine.exec(found.id, command)
    output = result.output.decode("utf-8", "replace")
    if result.exit_code:
        raise ServiceError(
            f"`{command[0]}` in {service} ended with code {result.exit_code}",
            service=service,
            details=tuple(output.splitlines()[-20:]),
            hint="The lines above are what it said.",
        )
    return output
