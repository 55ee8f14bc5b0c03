"""What becomes of keys in Kubernetes whose value decides it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_devstack.definition.attributes.given import Given
from invoke_devstack.planning.preflight.fates import Remark, Scene
from invoke_devstack.planning.preflight.judging import (
    bind_of_project,
    is_loopback,
    remark_different,
    remark_ignored,
    remark_impossible,
    remark_translated,
    tmpfs_options,
)

CONSTRAINT = re.compile(r"\s*node\.(hostname|labels\.[\w./-]+)\s*==\s*([\w.-]+)\s*\Z")


def awaited_end(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value == "service_completed_successfully":
        name = given.key.split(".")[-2]
        yield remark_translated(f"a Job of {name}; nothing waits for its end")


def constraints(given: Given, scene: Scene) -> Iterator[Remark]:
    for constraint in given.value:
        if CONSTRAINT.match(constraint):
            yield remark_translated("a condition on nodes")
        else:
            yield remark_ignored(
                f"Kubernetes has no counterpart of `{constraint}`", "Write an affinity by hand"
            )


def restart_condition(given: Given, scene: Scene) -> Iterator[Remark]:
    if not _is_job(scene) and given.value in ("none", "on-failure"):
        yield _always()


def restart(given: Given, scene: Scene) -> Iterator[Remark]:
    if not _is_job(scene) and str(given.value).partition(":")[0] in ("no", "on-failure"):
        yield _always()


def attempts(given: Given, scene: Scene) -> Iterator[Remark]:
    if _is_job(scene):
        yield remark_translated("backoffLimit")
    else:
        yield remark_ignored("Kubernetes restarts a container again and again")


def _always() -> Remark:
    return remark_different(
        "Kubernetes restarts it whenever it exits", "Make it a job: deploy: {mode: replicated-job}"
    )


def _is_job(scene: Scene) -> bool:
    deploy = scene.service.deploy if scene.service else None
    awaited = any(
        dependency.condition == "service_completed_successfully"
        for other in scene.definition.services.values()
        for name, dependency in other.depends_on.items()
        if scene.service and name == scene.service.name
    )
    return awaited or bool(deploy and (deploy.mode or "").endswith("-job"))


def extra_hosts(given: Given, scene: Scene) -> Iterator[Remark]:
    yield remark_translated("hostAliases")
    if any(entry.endswith("=host-gateway") for entry in given.value):
        yield remark_ignored("a pod has no `host-gateway`", "Write the address")


def group_names(given: Given, scene: Scene) -> Iterator[Remark]:
    names = [group for group in given.value if not group.isdecimal()]
    if names:
        yield remark_ignored(f"Kubernetes takes numbers alone, not `{names[0]}`", "Write the group's number")


def user_name(given: Given, scene: Scene) -> Iterator[Remark]:
    if not re.fullmatch(r"\d+(:\d+)?", str(given.value)):
        yield remark_ignored(
            f"Kubernetes takes numbers alone, not `{given.value}`", "Write UID:GID, or set USER in the image"
        )


def host_namespace(given: Given, scene: Scene) -> Iterator[Remark]:
    if given.value == "host":
        yield remark_translated("the node's own")
    else:
        yield remark_ignored("each pod has its own")


def network_mode(given: Given, scene: Scene) -> Iterator[Remark]:
    mode = str(given.value)
    if mode.startswith(("service:", "container:")):
        yield remark_impossible("a pod shares its network with no other pod", "Use the service's name")
    elif mode == "host":
        yield remark_translated("the node's own")
    else:
        yield remark_different("the pods join the cluster's network")


def ports(given: Given, scene: Scene) -> Iterator[Remark]:
    if any(port.published and not is_loopback(port.host_ip or "") for port in given.value):
        yield remark_translated("a Service of type LoadBalancer")


def host_ip(given: Given, scene: Scene) -> Iterator[Remark]:
    if is_loopback(str(given.value)):
        yield remark_different("the port is for the cluster alone", "Reach it with `kubectl port-forward`")
    else:
        yield remark_ignored("the cluster's load balancer has its own address")


def security_options(given: Given, scene: Scene) -> Iterator[Remark]:
    for option in given.value:
        if option.replace("=", ":") not in SECURITY_OPTIONS:
            yield remark_ignored(f"Kubernetes has no counterpart of `{option}`")


SECURITY_OPTIONS: dict[str, dict[str, object]] = {
    "no-new-privileges": {"allowPrivilegeEscalation": False},
    "no-new-privileges:true": {"allowPrivilegeEscalation": False},
    "no-new-privileges:false": {},
    "seccomp:unconfined": {"seccompProfile": {"type": "Unconfined"}},
    "apparmor:unconfined": {"appArmorProfile": {"type": "Unconfined"}},
}
"""Option of `security_opt` -> part of the container's `securityContext`."""


def hooks(given: Given, scene: Scene) -> Iterator[Remark]:
    yield remark_translated("a lifecycle handler")
    if len(given.value) > 1:
        yield remark_ignored("a container has one handler, so the first hook alone runs", "Write one script")


def mount(given: Given, scene: Scene) -> Iterator[Remark]:
    for item in given.value:
        if item.type == "bind":
            yield bind_of_project(item, scene.definition) or remark_different(
                f"each node mounts its own `{item.source}`", "Use a volume instead"
            )
        elif item.type == "volume" and item.source:
            yield remark_translated("a claim of 1 GiB; change its size there")
        elif item.type == "volume":
            yield remark_different(
                f"each new pod gets an empty volume at {item.target}", "Give the volume a name"
            )
        elif item.type not in ("tmpfs", "image"):
            yield remark_impossible(f"Kubernetes has no mounts of type {item.type}")


def tmpfs(given: Given, scene: Scene) -> Iterator[Remark]:
    for entry in given.value:
        path, _, options = entry.partition(":")
        try:
            tmpfs_options(options)
        except ValueError as error:
            yield remark_impossible(f"{path}: {error}")
    yield remark_translated("a volume in memory")
