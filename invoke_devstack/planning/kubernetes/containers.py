"""A service's container: what it runs, its variables, limits and probes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from invoke_devstack.definition.model import Healthcheck, Hook, Service
from invoke_devstack.planning.kubernetes.judging import SECURITY_OPTIONS
from invoke_devstack.planning.kubernetes.names import dns_name, literal
from invoke_devstack.secrets import SecretValues, looks_secret

Manifest = dict[str, Any]

_PULL = {"always": "Always", "never": "Never", "missing": "IfNotPresent", "if_not_present": "IfNotPresent"}
_INTERVAL, _RETRIES = 30.0, 3  # of a healthcheck that names none


def container(service: Service, image: str, mounts: list[Manifest]) -> Manifest:
    """The container of a pod."""
    return filled(
        {
            "name": dns_name(service.name),
            "image": image,
            "imagePullPolicy": _PULL.get(service.pull_policy or ""),
            "command": [literal(word) for word in service.entrypoint or ()],
            "args": [literal(word) for word in service.command or ()],
            "workingDir": service.working_dir,
            "stdin": service.stdin_open,
            "tty": service.tty,
            "env": list(_environment(service)),
            "ports": _container_ports(service),
            "resources": _resources(service),
            **_probes(service.healthcheck),
            "lifecycle": filled(
                {"postStart": _handler(service.post_start), "preStop": _handler(service.pre_stop)}
            ),
            "volumeMounts": mounts,
            "securityContext": _security(service),
        }
    )


def init_containers(service: Service, image: str, mounts: list[Manifest]) -> list[Manifest]:
    """The hooks that run before the container."""
    return [
        filled(
            {
                "name": f"{dns_name(service.name)[:50]}-before-{number}",
                "image": hook.image or image,
                "command": [literal(word) for word in hook.command or ()],
                "workingDir": hook.working_dir or service.working_dir,
                "env": [*_environment(service), *_entries(service, hook.environment, _of_hook(number))],
                "volumeMounts": mounts,
                "securityContext": filled({**_user(hook.user), "privileged": hook.privileged}),
            }
        )
        for number, hook in enumerate(service.pre_start, 1)
    ]


def _of_hook(number: int) -> str:
    """What the keys of a hook's variables begin with, in the Secret of its service."""
    return f"before-{number}."


def filled(values: Manifest) -> Manifest:
    """The members that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", False, [], {}, ())}


def secret_variables(service: Service) -> dict[str, str]:
    """The variables whose values belong into a Secret, by their keys in it: those of the service, and those
    of the hooks that run before it."""
    found = _secret(service.environment)
    for number, hook in enumerate(service.pre_start, 1):
        found |= {f"{_of_hook(number)}{name}": value for name, value in _secret(hook.environment).items()}
    return found


def _secret(environment: Mapping[str, str | None]) -> dict[str, str]:
    """Those that look secret by their names, and those that hold a secret, such as a URL with a password."""
    known = SecretValues()
    known.learn(environment)
    return {
        name: value
        for name, value in environment.items()
        if value and (looks_secret(name) or known.holds(value))
    }


def environment_secret(service: Service) -> str:
    """The name of the Secret with a service's variables."""
    return f"{dns_name(service.name)[:50]}-environment"


def _environment(service: Service) -> Iterator[Manifest]:
    return _entries(service, service.environment)


def _entries(service: Service, environment: Mapping[str, str | None], prefix: str = "") -> Iterator[Manifest]:
    """Variables with their values, or with where these are kept: in the service's Secret."""
    secret = _secret(environment)
    for name, value in environment.items():
        if name in secret:
            reference = {"name": environment_secret(service), "key": f"{prefix}{name}"}
            yield {"name": name, "valueFrom": {"secretKeyRef": reference}}
        elif value is not None or prefix:
            yield {"name": name, "value": literal(value or "")}


def _container_ports(service: Service) -> list[Manifest]:
    found = {}
    for port in service.ports:
        protocol = port.protocol.upper()
        number = port.published or ""
        host = int(number) if port.mode == "host" and number.isdecimal() else None
        entry = filled({"containerPort": port.target, "protocol": protocol, "hostPort": host})
        found[(port.target, protocol)] = entry
    return list(found.values())


def _resources(service: Service) -> Manifest:
    """The limits and requests of a service in its deploy form."""
    own = service.deploy.resources if service.deploy else None
    groups = {"limits": own.limits if own else None, "requests": own.reservations if own else None}
    return filled(
        {
            name: filled({"cpu": _cpu(group.cpus), "memory": _memory(group.memory)})
            for name, group in groups.items()
            if group
        }
    )


def _cpu(cpus: float | None) -> str | None:
    return f"{max(1, round(cpus * 1000))}m" if cpus else None


def _memory(size: int | None) -> str | None:
    if not size:
        return None
    return f"{size >> 20}Mi" if size % (1 << 20) == 0 else str(int(size))


def _probes(check: Healthcheck | None) -> Manifest:
    """A healthcheck as three probes: ready for requests, to be restarted, and started."""
    command = _check_command(check)
    if check is None or not command:
        return {}
    interval, retries = check.interval or _INTERVAL, check.retries or _RETRIES
    probe = {
        "exec": {"command": command},
        "periodSeconds": _seconds(interval),
        "timeoutSeconds": _seconds(check.timeout or _INTERVAL),
        "failureThreshold": retries,
    }
    starting = math.ceil((check.start_period or 0) / max(interval, 1)) + retries
    return {
        "readinessProbe": probe,
        "livenessProbe": probe,
        "startupProbe": {**probe, "failureThreshold": starting},
    }


def _check_command(check: Healthcheck | None) -> list[str]:
    if check is None or check.disable or check.test[:1] in ((), ("NONE",)):
        return []
    if check.test[0] == "CMD-SHELL":
        return ["/bin/sh", "-c", *check.test[1:]]
    return list(check.test[1:])


def _seconds(duration: float) -> int:
    return max(1, math.ceil(duration))


def _handler(hooks: Sequence[Hook]) -> Manifest:
    command = list(hooks[0].command or ()) if hooks else []
    return {"exec": {"command": command}} if command else {}


def _security(service: Service) -> Manifest:
    options: Manifest = {}
    for option in service.security_opt:
        options |= SECURITY_OPTIONS.get(option.replace("=", ":"), {})
    return (
        filled(
            {
                **_user(service.user),
                "privileged": service.privileged,
                "readOnlyRootFilesystem": service.read_only,
                "capabilities": filled(
                    {"add": _capabilities(service.cap_add), "drop": _capabilities(service.cap_drop)}
                ),
            }
        )
        | options
    )


def _user(user: str | None) -> Manifest:
    match = re.fullmatch(r"(\d+)(?::(\d+))?", user or "")
    if not match:
        return {}
    group = {"runAsGroup": int(match[2])} if match[2] else {}
    return {"runAsUser": int(match[1]), **group}


def _capabilities(names: Sequence[str]) -> list[str]:
    return [name.upper().removeprefix("CAP_") for name in names]
