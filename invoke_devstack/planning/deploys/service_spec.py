"""A service -> the body of `POST /services/create`, as `docker stack deploy` sends it, so that neither tool
recreates what the other made.

It reads the deploy form alone, into which `preflight.translate` has brought the short keys. Networks, configs
and secrets are named, not given by id: `plan` compares names, and `deploying` fills in the ids.
https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Service/operation/ServiceCreate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.bodies.plain_keys import filled
from invoke_devstack.planning.deploys import names
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.deploy import UpdateConfig
    from invoke_devstack.definition.model import (
        Definition,
        Deploy,
        FileReference,
        Healthcheck,
        Mount,
        Resources,
        Service,
    )

_NANO = 10**9
_JOBS = ("replicated-job", "global-job")
START_FIRST, STOP_FIRST = "start-first", "stop-first"


class Holding(StrEnum):
    """What a node has under the name of an image."""

    SAME = "same"
    OTHER = "other"
    NONE = "none"


@record
class ImagePin:
    """What a service's image is on the swarm. `reference` has a digest, unless the image is local: then
    `local_id` tells which it is. `platforms` are those that the registry has it for. `on_nodes` is what other
    nodes have in place of a local one, by their ids, as far as they could be asked."""

    reference: str
    platforms: tuple[Mapping[str, str], ...] = ()
    local_id: str = ""
    on_nodes: Mapping[str, Holding] = field(default_factory=dict)


@record
class References:
    """What a service refers to: the names on the swarm of networks, configs and secrets, by their keys, and
    the images, by the names in the file."""

    networks: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, ImagePin] = field(default_factory=dict)


def service_spec(definition: Definition, service: Service, references: References) -> dict[str, Any]:
    """The body for `service` of the stack that has the definition's name."""
    stack, image = definition.name, service.image_name(definition.name)
    pin = references.images.get(image) or ImagePin(image)
    deploy = service.deploy
    labels = dict(deploy.labels) if deploy else {}
    spec: dict[str, Any] = {
        "Name": names.service_name(stack, service.name),
        "Labels": {**labels, names.STACK: stack, names.IMAGE: image},
        "TaskTemplate": _task(definition, service, references, pin),
        "Mode": _mode(deploy),
        "EndpointSpec": _endpoint(service),
    }
    if not is_job(service):
        spec["UpdateConfig"] = _update(deploy.update_config if deploy else None, service)
        spec["RollbackConfig"] = _update(deploy.rollback_config if deploy else None, service)
    return spec


def is_job(service: Service) -> bool:
    """Whether it runs to an end."""
    return bool(service.deploy and service.deploy.mode in _JOBS)


def _mode(deploy: Deploy | None) -> dict[str, Any]:
    mode = (deploy.mode if deploy else None) or "replicated"
    count = deploy.replicas if deploy and deploy.replicas is not None else 1
    modes: dict[str, dict[str, Any]] = {
        "global": {"Global": {}},
        "global-job": {"GlobalJob": {}},
        "replicated-job": {"ReplicatedJob": {"MaxConcurrent": count, "TotalCompletions": count}},
    }
    return modes.get(mode) or {"Replicated": {"Replicas": count}}


def _endpoint(service: Service) -> dict[str, Any]:
    ports = [
        filled(
            {
                "Protocol": port.protocol,
                "TargetPort": port.target,
                "PublishedPort": int(port.published or 0),
                "PublishMode": port.mode or "ingress",
            }
        )
        for port in service.ports
    ]
    mode = (service.deploy.endpoint_mode or "") if service.deploy else ""
    return filled(
        {"Mode": mode.lower(), "Ports": sorted(ports, key=lambda port: port.get("PublishedPort", 0))}
    )


def _update(config: UpdateConfig | None, service: Service) -> dict[str, Any]:
    """One replica at a time, as `docker stack` has it; a new one starts before the old one stops, unless both
    would need the same volume or port."""
    order = (config.order if config else None) or default_order(service)
    parallelism = config.parallelism if config and config.parallelism is not None else 1
    body = {"Parallelism": parallelism, "Order": order}
    if config is None:
        return body
    return body | filled(
        {
            "Delay": _nanoseconds(config.delay),
            "Monitor": _nanoseconds(config.monitor),
            "MaxFailureRatio": config.max_failure_ratio or 0,
            "FailureAction": _failure_action(config),
        }
    )


def _failure_action(config: UpdateConfig) -> str:
    """A swarm rolls back one service; we roll back the stack, so the swarm only has to stop."""
    return "continue" if config.failure_action == "continue" else "pause"


def default_order(service: Service) -> str:
    """The order of an update that the file leaves open."""
    holds_volume = any(
        mount.type in ("volume", "bind", "cluster") and not mount.read_only for mount in service.volumes
    )
    holds_port = any(port.mode == "host" and port.published for port in service.ports)
    return STOP_FIRST if holds_volume or holds_port else START_FIRST


def _task(definition: Definition, service: Service, references: References, pin: ImagePin) -> dict[str, Any]:
    deploy = service.deploy
    task: dict[str, Any] = {
        "ContainerSpec": _container(definition, service, references, pin),
        "Resources": _resources(deploy.resources) if deploy else {},
        "RestartPolicy": _restart_policy(deploy),
        "Placement": _placement(service, pin),
        "Networks": _networks(service, references),
        "LogDriver": _log_driver(service),
    }
    return filled(task)


def _container(
    definition: Definition, service: Service, references: References, pin: ImagePin
) -> dict[str, Any]:
    labels = {**service.labels, names.STACK: definition.name}
    if pin.local_id:
        labels[names.LOCAL_IMAGE] = pin.local_id
    environment = (key if value is None else f"{key}={value}" for key, value in service.environment.items())
    body: dict[str, Any] = {
        "Image": pin.reference,
        "Command": list(service.entrypoint or ()),
        "Args": list(service.command or ()),
        "Hostname": service.hostname or "",
        "Hosts": sorted(_hosts(service)),
        "DNSConfig": filled(
            {
                "Nameservers": list(service.dns),
                "Search": list(service.dns_search),
                "Options": list(service.dns_opt),
            }
        ),
        "Healthcheck": _healthcheck(service.healthcheck),
        "Env": sorted(environment),
        "Labels": labels,
        "Dir": service.working_dir or "",
        "User": service.user or "",
        "Groups": list(service.group_add),
        "Mounts": [_mount(definition, mount) for mount in service.volumes],
        "StopSignal": service.stop_signal or "",
        "TTY": service.tty,
        "OpenStdin": service.stdin_open,
        "ReadOnly": service.read_only,
        "Isolation": service.isolation or "",
        "Sysctls": dict(service.sysctls),
        "CapabilityAdd": _capabilities(service.cap_add),
        "CapabilityDrop": _capabilities(service.cap_drop),
        "Ulimits": _ulimits(service),
        "OomScoreAdj": service.oom_score_adj or 0,
        "Secrets": _files(service.secrets, references.secrets, "Secret"),
        "Configs": _files(service.configs, references.configs, "Config"),
    }
    body = filled(body)
    if service.stop_grace_period is not None:
        body["StopGracePeriod"] = _nanoseconds(service.stop_grace_period)
    if service.init is not None:
        body["Init"] = service.init
    return body


def _hosts(service: Service) -> list[str]:
    pairs = (entry.partition("=") for entry in service.extra_hosts)
    return [f"{address} {name}" for name, _, address in pairs]


def _capabilities(given: tuple[str, ...]) -> list[str]:
    full = {name.upper() for name in given}
    return sorted(name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in full)


def _ulimits(service: Service) -> list[dict[str, Any]]:
    found = []
    for name, value in sorted(service.ulimits.items()):
        soft, hard = (value, value) if isinstance(value, int) else (value.soft, value.hard)
        found.append({"Name": name, "Soft": soft, "Hard": hard})
    return found


def _healthcheck(check: Healthcheck | None) -> dict[str, Any]:
    if check is None:
        return {}
    return filled(
        {
            "Test": ["NONE"] if check.disable else list(check.test),
            "Interval": _nanoseconds(check.interval),
            "Timeout": _nanoseconds(check.timeout),
            "StartPeriod": _nanoseconds(check.start_period),
            "Retries": check.retries or 0,
        }
    )


def _mount(definition: Definition, mount: Mount) -> dict[str, Any]:
    body: dict[str, Any] = {"Type": mount.type, "Target": mount.target, "ReadOnly": mount.read_only}
    if mount.type == "volume":
        body |= _volume(definition, mount)
    elif mount.source:
        body["Source"] = mount.source
    if mount.bind and mount.bind.propagation:
        body["BindOptions"] = {"Propagation": mount.bind.propagation}
    if mount.tmpfs:
        body["TmpfsOptions"] = filled(
            {"SizeBytes": int(mount.tmpfs.size or 0), "Mode": mount.tmpfs.mode or 0}
        )
    return filled(body)


def _volume(definition: Definition, mount: Mount) -> dict[str, Any]:
    if mount.source is None:
        return {}
    volume = definition.volumes[mount.source]
    options: dict[str, Any] = {"NoCopy": bool(mount.volume and mount.volume.nocopy)}
    if mount.volume and mount.volume.subpath:
        options["Subpath"] = mount.volume.subpath
    if not volume.external:
        options["Labels"] = {**volume.labels, names.STACK: definition.name}
        if volume.driver or volume.driver_opts:
            driver = {"Name": volume.driver or "local", "Options": dict(volume.driver_opts)}
            options["DriverConfig"] = filled(driver)
    return {"Source": volume.name, "VolumeOptions": filled(options)}


def _files(
    references: tuple[FileReference, ...], known: Mapping[str, str], kind: str
) -> list[dict[str, Any]]:
    """`kind` is Secret or Config; their names stand where ids will be."""
    found = [
        {
            f"{kind}Name": known[item.source],
            "File": {
                "Name": (item.target or item.source).removeprefix("/run/secrets/"),
                "UID": item.uid or "0",
                "GID": item.gid or "0",
                "Mode": int(item.mode or "0444", 8),
            },
        }
        for item in references
    ]
    return sorted(found, key=lambda item: str(item[f"{kind}Name"]))


def _resources(resources: Resources) -> dict[str, Any]:
    limits, reserved = resources.limits, resources.reservations
    return filled(
        {
            "Limits": filled(
                {
                    "NanoCPUs": _nanoseconds(limits.cpus),
                    "MemoryBytes": int(limits.memory or 0),
                    "Pids": limits.pids or 0,
                }
            )
            if limits
            else {},
            "Reservations": filled(
                {
                    "NanoCPUs": _nanoseconds(reserved.cpus),
                    "MemoryBytes": int(reserved.memory or 0),
                    "GenericResources": [
                        {"DiscreteResourceSpec": {"Kind": spec.kind, "Value": spec.value}}
                        for spec in (item.discrete_resource_spec for item in reserved.generic_resources)
                        if spec
                    ],
                }
            )
            if reserved
            else {},
        }
    )


def _restart_policy(deploy: Deploy | None) -> dict[str, Any]:
    policy = deploy.restart_policy if deploy else None
    if policy is None:
        return {}
    body: dict[str, Any] = filled({"Condition": policy.condition, "MaxAttempts": policy.max_attempts})
    for name, seconds in (("Delay", policy.delay), ("Window", policy.window)):
        if seconds is not None:
            body[name] = _nanoseconds(seconds)
    return body


def _placement(service: Service, pin: ImagePin) -> dict[str, Any]:
    placement = service.deploy.placement if service.deploy else None
    body: dict[str, Any] = {"Platforms": [dict(item) for item in pin.platforms]}
    if service.platform:
        system, _, machine = service.platform.partition("/")
        body["Platforms"] = [filled({"OS": system, "Architecture": machine.partition("/")[0]})]
    if placement:
        body |= {
            "Constraints": list(placement.constraints),
            "Preferences": [
                {"Spread": {"SpreadDescriptor": item.spread}} for item in placement.preferences if item.spread
            ],
            "MaxReplicas": placement.max_replicas_per_node or 0,
        }
    return filled(body)


def _networks(service: Service, references: References) -> list[dict[str, Any]]:
    if service.network_mode in ("host", "none"):
        return [{"Target": service.network_mode}]
    joined = service.networks or {"default": None}
    found = [
        filled(
            {
                "Target": references.networks[key],
                "Aliases": [*(own.aliases if own else ()), service.name],
                "DriverOpts": dict(own.driver_opts) if own else {},
            }
        )
        for key, own in joined.items()
    ]
    return sorted(found, key=lambda item: str(item["Target"]))


def _log_driver(service: Service) -> dict[str, Any]:
    logging = service.logging
    return filled({"Name": logging.driver or "", "Options": dict(logging.options)}) if logging else {}


def _nanoseconds(value: float | None) -> int:
    """Seconds, or processors, as the engine counts them."""
    return round((value or 0) * _NANO)
