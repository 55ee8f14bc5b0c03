"""Finds the containers that a task acts on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.errors import ServiceError
from invoke_devstack.running.selection import hint_for, split_number

if TYPE_CHECKING:
    from invoke_devstack.planning.observed import Observed, ObservedContainer
    from invoke_devstack.tasks.work import Work


def observe(work: Work) -> Observed:
    """The stack as the engine has it now."""
    return work.engine.observe(work.project)


def containers(work: Work, names: Sequence[str], *, running: bool = False) -> tuple[ObservedContainer, ...]:
    """The containers of the named services (default: all), sorted by service."""
    from invoke_devstack.planning.names import natural

    wanted = work.services(names)
    found = sorted(observe(work).containers, key=lambda item: (natural(item.service), item.number))
    return tuple(
        item
        for item in found
        if not item.oneoff and (not wanted or item.service in wanted) and (not running or item.is_running)
    )


def container(work: Work, service: str, *, running: bool = True) -> ObservedContainer:
    """The first container of a service; `web.2` is the second of `web`. Raises ServiceError if it does not
    exist, or, with `running`, if it is not running."""
    name, number = split_number(work.definition, work.service(service))
    found = observe(work).of_service(name)
    matching = [item for item in found if item.number == (number or 1)] or ([] if number else list(found[:1]))
    if not matching:
        hint = hint_for(work.definition, service, f"Start it with `invoke up -s {name}`.")
        raise ServiceError(f"`{service}` has no container", service=name, hint=hint)
    if running and not matching[0].is_running:
        raise ServiceError(
            f"`{service}` is not running: its container is {matching[0].state}",
            service=name,
            hint=f"Read its logs with `invoke logs -s {name}`; start it with `invoke up -s {name}`.",
        )
    return matching[0]


def run_in(work: Work, service: str, command: Sequence[str]) -> str:
    """Runs a command in the first container of a service. Returns its output. Raises ServiceError if it
    fails, or if the service is not running."""
    found = container(work, service)
    result = work.engine.exec(found.id, command)
    output = result.output.decode("utf-8", "replace")
    if result.exit_code:
        raise ServiceError(
            f"`{command[0]}` in {service} failed with exit code {result.exit_code}",
            service=service,
            details=tuple(output.splitlines()[-20:]),
            hint="Its last output is shown above.",
        )
    return output
