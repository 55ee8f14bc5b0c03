"""`pre_start` hooks: commands in containers of their own, one after the other, before the service starts.

Such a container has the volumes and networks of the service's. One that fails keeps the service from
starting, and stays, so that its logs can be read. Compose Specification, "pre_start".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels as label
from invoke_devstack.planning.networks import Networking, networking
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    CreateContainer,
    Probe,
    RemoveContainer,
    StartContainer,
)

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Hook, Service


def pre_start_steps(
    definition: Definition,
    service: Service,
    container: str,
    observed: Observed,
    containers: Mapping[str, str],
    timeout: float,
) -> Iterator[Action]:
    """The steps in their order, for the service's `container`, which is made and not started."""
    left = {item.name: item.id for item in observed.containers}
    for index, hook in enumerate(service.pre_start, start=1):
        name = f"{container}-pre_start-{index}"
        cause = f"`pre_start` of {service.name}"
        if name in left:
            # By its id, because the plan removes another container of that name later on.
            yield _removal(left[name], name, service, "left over from an earlier run")
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
            condition="service_completed_successfully",
            probe=Probe("running"),
            timeout=timeout,
            waited_for_by=(service.name,),
        )
        yield _removal(name, name, service, "it has done its work")


def _removal(target: str, name: str, service: Service, cause: str) -> RemoveContainer:
    return RemoveContainer(target=target, name=name, cause=cause, service=service.name, force=True)


def _networking(
    definition: Definition, service: Service, observed: Observed, containers: Mapping[str, str]
) -> Networking:
    return networking(definition, service, 0, observed.engine, containers=containers, links=[])


def _body(
    definition: Definition,
    service: Service,
    hook: Hook,
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
        "Labels": label.project_labels(definition, service.name, oneoff=True) | {label.HOOK: "pre_start"},
        "HostConfig": {
            "Privileged": hook.privileged,
            "VolumesFrom": [container],
            "NetworkMode": network.mode,
        },
    }
    if network.endpoints:
        body["NetworkingConfig"] = {"EndpointsConfig": network.endpoints}
    return body
