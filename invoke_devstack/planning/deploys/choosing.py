"""Which task of a service a command is for."""

from __future__ import annotations

from invoke_devstack.errors import ServiceError, UsageError, did_you_mean
from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.deploys.verdicts import state_of
from invoke_devstack.planning.plan import Body


def running_task(observed: ObservedStack, text: str) -> Body:
    """The newest running task of a service (`web`), or that of its second replica (`web.2`). Raises
    UsageError for an unknown service, ServiceError for one of which none runs."""
    service, slot = _split(observed, text)
    tasks = [task for task in observed.tasks_of(service) if not slot or task.get("Slot") == slot]
    for task in tasks:
        if state_of(task) == "running" and container_of(task):
            return task
    state = f": its newest task is {state_of(tasks[0])}" if tasks else ""
    raise ServiceError(f"`{text}` is not running on the cluster{state}", service=service)


def container_of(task: Body) -> str:
    """The id of its container on its node; "" before it has one."""
    return str((task["Status"].get("ContainerStatus") or {}).get("ContainerID") or "")


def _split(observed: ObservedStack, text: str) -> tuple[str, int]:
    if text in observed.services:
        return text, 0
    name, _, number = text.rpartition(".")
    if name in observed.services and number.isdecimal():
        return name, int(number)
    raise UsageError(
        f"{observed.stack} has no service `{text}` on the cluster",
        hint=did_you_mean(text, observed.services),
    )
