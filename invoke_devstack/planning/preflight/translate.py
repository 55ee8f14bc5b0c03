"""The definition as a swarm reads it: what has another form under `deploy` or `volumes` is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from invoke_devstack.definition.attributes.decode import is_empty
from invoke_devstack.definition.attributes.mounts import TmpfsOptions
from invoke_devstack.definition.model import (
    Definition,
    Deploy,
    Limits,
    Mount,
    Reservations,
    Resources,
    RestartPolicy,
    Service,
)
from invoke_devstack.planning.preflight.judging import RESTART_CONDITIONS, is_loopback, tmpfs_options

_PERIOD = 100_000  # microseconds, where the files say none
_DROPPED: Mapping[str, Any] = {
    "cpus": None,
    "cpu_quota": None,
    "cpu_period": None,
    "mem_limit": None,
    "mem_reservation": None,
    "pids_limit": None,
    "scale": None,
    "restart": None,
    "shm_size": None,
    "tmpfs": (),
}


def in_deploy_form(definition: Definition) -> Definition:
    """The same definition without the keys that a swarm has under another name, and without ports for one
    machine alone. Values under `deploy` take precedence. For a definition in which the preflight found no
    error."""
    jobs = one_shots(definition)
    services = {name: _in_deploy_form(service, name in jobs) for name, service in definition.services.items()}
    return definition.copy_with({"services": services})


def one_shots(definition: Definition) -> frozenset[str]:
    """The services that run to their end: other ones wait for it, or their mode is that of a job."""
    awaited = {
        name
        for service in definition.services.values()
        for name, dependency in service.depends_on.items()
        if dependency.condition == "service_completed_successfully"
    }
    return frozenset(
        name
        for name, service in definition.services.items()
        if ((service.deploy and service.deploy.mode) or ("job" if name in awaited else "")).endswith("job")
    )


def _in_deploy_form(service: Service, is_job: bool) -> Service:
    own = service.deploy or Deploy()
    changes: dict[str, Any] = {"resources": _resources(service, own.resources)}
    if service.scale is not None:
        changes["replicas"] = service.scale
    if is_job and own.mode is None:
        changes["mode"] = "replicated-job"
    if policy := own.restart_policy or _restart_policy(service.restart, is_job):
        changes["restart_policy"] = policy
    return service.copy_with(
        {
            **_DROPPED,
            "deploy": own.copy_with(changes),
            "volumes": (*service.volumes, *_tmpfs_mounts(service)),
            "ports": tuple(port for port in service.ports if not is_loopback(port.host_ip or "")),
        }
    )


def _resources(service: Service, own: Resources) -> Resources:
    limits = {"cpus": _cpus(service), "memory": service.mem_limit, "pids": service.pids_limit}
    reserved = {"memory": service.mem_reservation}
    return own.copy_with(
        {
            "limits": _filled(own.limits or Limits(), limits),
            "reservations": _filled(own.reservations or Reservations(), reserved),
        }
    )


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    """The part with values for the keys that it lacks; None for one without any."""
    missing = {name: value for name, value in values.items() if value and not getattr(part, name)}
    result = part.copy_with(missing)
    return None if is_empty(result) else result


def _cpus(service: Service) -> float | None:
    if service.cpus or not service.cpu_quota or service.cpu_quota < 0:
        return service.cpus
    return service.cpu_quota / (service.cpu_period or _PERIOD)


def _restart_policy(restart: str | None, is_job: bool) -> RestartPolicy | None:
    """Swarm restarts a service that names no policy, and refuses to restart a job that succeeded."""
    if not restart:
        return RestartPolicy(condition="none") if is_job else None
    name, _, attempts = restart.partition(":")
    condition = RESTART_CONDITIONS.get(name, "any")
    if is_job and condition == "any":
        condition = "on-failure"
    if attempts.isdecimal():
        return RestartPolicy(condition=condition, max_attempts=int(attempts))
    return RestartPolicy(condition=condition)


def _tmpfs_mounts(service: Service) -> Iterator[Mount]:
    for entry in service.tmpfs:
        path, _, options = entry.partition(":")
        yield Mount(type="tmpfs", target=path, tmpfs=tmpfs_options(options))
    if service.shm_size:
        yield Mount(type="tmpfs", target="/dev/shm", tmpfs=TmpfsOptions(size=service.shm_size))
