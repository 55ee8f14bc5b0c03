"""How each service of a stack is now, in a word or two, whatever number of containers it has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.records import record
from invoke_devstack.running.ports.addresses import to_open
from invoke_devstack.running.ports.reach import HERE, Reach
from invoke_devstack.running.readiness.ready_now import DONE, state_now

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

Mark = Literal["good", "busy", "bad", "quiet"]
ABSENT = "no container"
_MARKS: tuple[Mark, ...] = ("bad", "busy", "good", "quiet")


@record
class ServiceState:
    """One service. `state` is a word or two: `healthy`, `exited 1`, `2 of 3 running`. `restarts`: by the
    engine."""

    service: str
    state: str
    mark: Mark
    addresses: tuple[str, ...] = ()
    restarts: int = 0


def services_now(
    definition: Definition,
    observed: Observed,
    services: Iterable[str],
    *,
    reach: Reach = HERE,
    restarts: Mapping[str, int] | None = None,
) -> list[ServiceState]:
    """The services in this order. `restarts` by the container's id, where the engine was not asked with
    `inspect`."""
    return [_state(definition, observed, name, reach, restarts or {}) for name in services]


def _state(
    definition: Definition, observed: Observed, service: str, reach: Reach, restarts: Mapping[str, int]
) -> ServiceState:
    containers = _without_leftovers(observed.of_service(service))
    if not containers:
        return ServiceState(service, ABSENT, "quiet")
    ports = [port for item in containers if item.is_active for port in item.ports]
    states = [_of_container(definition, item, observed) for item in containers]
    return ServiceState(
        service,
        _together([text for text, _ in states]),
        min((mark for _, mark in states), key=_MARKS.index),
        to_open(ports, reach=reach),
        sum(restarts.get(item.id, item.restarts) for item in containers),
    )


def _without_leftovers(containers: Iterable[ObservedContainer]) -> list[ObservedContainer]:
    """One for each number: while one replaces another, or if that was interrupted, there are two."""
    by_number: dict[int, ObservedContainer] = {}
    for item in sorted(containers, key=lambda item: item.is_active):
        by_number[item.number] = item
    return [by_number[number] for number in sorted(by_number)]


def _of_container(
    definition: Definition, container: ObservedContainer, observed: Observed
) -> tuple[str, Mark]:
    now = state_now(definition, container, observed)
    if now == DONE:
        return now, "good"
    if container.has_exited:
        return f"exited {container.exit_code}", "bad" if container.exit_code else "quiet"
    if now in ("running", "healthy"):
        return now, "good"
    return now, "bad" if now in ("unhealthy", "dead") else "quiet" if now == "created" else "busy"


def _together(states: Sequence[str]) -> str:
    """`healthy`; of several containers `3 healthy`, or `2 of 3 healthy`."""
    if len(states) == 1:
        return states[0]
    text, count = Counter(states).most_common(1)[0]
    return f"{count} {text}" if count == len(states) else f"{count} of {len(states)} {text}"
