"""Hooks: `pre_start`, which run in containers of their own, and which hooks are due.

A `pre_start` hook runs before its service starts, in a container with the service's volumes and networks, one
after the other. If it fails, the service does not start, and its container is kept so that its logs can be
read. Compose Specification, "pre_start".

A hook of tasks.py or a `post_start` has a mark on the engine from before its service starts until it has
succeeded. It is called as its action: `after db`, `after up`, `post_start p-db-1`. The mark is an empty
volume with our labels alone, so that neither Compose nor `down --volumes` takes it for data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.networks import Networking, networking
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.observed import STARTABLE, Observed, ObservedContainer
from invoke_devstack.planning.plan import (
    COMPLETED,
    Action,
    AwaitReady,
    CreateContainer,
    Probe,
    RemoveContainer,
    StartContainer,
)

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, PreStartHook, Service

_LEFTOVER = Cause(CauseKind.LEFTOVER, "left over from an earlier run")
_COMPLETED = Cause(CauseKind.HOOK, "completed")


def pre_start_steps(
    definition: Definition,
    service: Service,
    container: str,
    observed: Observed,
    containers: Mapping[str, str],
    timeout: float,
) -> Iterator[Action]:
    """The steps in order, for the service's `container`, which is created but not started."""
    left = {item.name: item.id for item in observed.containers}
    for index, hook in enumerate(service.pre_start, start=1):
        name = f"{container}-pre_start-{index}"
        cause = Cause(CauseKind.HOOK, f"pre_start of {service.name}")
        if name in left:
            # By its id, because the plan later removes another container of that name.
            yield _removal(left[name], name, service, _LEFTOVER)
        yield CreateContainer(
            target=name,
            cause=cause,
            service=service.name,
            body=_body(definition, service, hook, container, observed, containers),
            more_networks=_networking(definition, service, observed, containers).later,
            platform=service.platform or "",
        )
        yield StartContainer(target=name, cause=cause, service=service.name)
        yield AwaitReady(
            target=name,
            cause=cause,
            service=service.name,
            condition=COMPLETED,
            probe=Probe(ProbeKind.RUNNING),
            timeout=timeout,
            waited_for_by=(service.name,),
        )
        yield _removal(name, name, service, _COMPLETED)


def pre_start_of(
    definition: Definition | None,
    service: Service,
    container: ObservedContainer,
    observed: Observed,
    timeout: float,
) -> tuple[Action, ...]:
    """Those of a container that exists: before the service's first that starts, or before each of them."""
    starting = (item for item in observed.of_service(service.name) if item.state in STARTABLE)
    first = next(item.name for item in starting)
    each = any(hook.per_replica for hook in service.pre_start)
    if definition is None or not (each or container.name == first):
        return ()
    ids = {item.service: item.id for item in reversed(observed.containers) if not item.oneoff}
    return tuple(pre_start_steps(definition, service, container.name, observed, ids, timeout))


def _removal(target: str, name: str, service: Service, cause: Cause) -> RemoveContainer:
    return RemoveContainer(target=target, name=name, cause=cause, service=service.name, force=True)


def _networking(
    definition: Definition, service: Service, observed: Observed, containers: Mapping[str, str]
) -> Networking:
    return networking(definition, service, 0, observed.engine, containers=containers, links=[])


def _body(
    definition: Definition,
    service: Service,
    hook: PreStartHook,
    container: str,
    observed: Observed,
    containers: Mapping[str, str],
) -> dict[str, Any]:
    network = _networking(definition, service, observed, containers)
    variables = {**service.environment, **hook.environment}
    body: dict[str, Any] = {
        "Image": hook.image or service.image_name(definition.name),
        "Cmd": None if hook.command is None else list(hook.command),
        "User": hook.user or "",
        "WorkingDir": hook.working_dir or "",
        "Env": [name if value is None else f"{name}={value}" for name, value in variables.items()],
        "Labels": labels.project_labels(definition, service.name, oneoff=True) | {labels.HOOK: "pre_start"},
        "HostConfig": {
            "Privileged": hook.privileged,
            "VolumesFrom": [container],
            "NetworkMode": network.mode,
        },
    }
    if network.endpoints:
        body["NetworkingConfig"] = {"EndpointsConfig": network.endpoints}
    return body


# hooks that are due


def mark_name(project: str, hook: str) -> str:
    """The name of the volume."""
    return f"{project}.hook-due.{re.sub(r'[^A-Za-z0-9_.-]', '.', hook)}"


def mark_body(project: str, hook: str) -> dict[str, Any]:
    """The body of `POST /volumes/create`."""
    own = {labels.HOOK_DUE: hook, labels.HOOK_DUE_PROJECT: project}
    return {"Name": mark_name(project, hook), "Labels": own}


def due_hooks(observed: Observed) -> frozenset[str]:
    """The hooks of the project that have not succeeded since their service started."""
    return frozenset(
        item.labels[labels.HOOK_DUE]
        for item in observed.ours
        if item.labels.get(labels.HOOK_DUE_PROJECT) == observed.project
    )
