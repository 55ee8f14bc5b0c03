"""A service's workload (Deployment, DaemonSet or Job) and its Services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from invoke_devstack.definition.model import Definition, Deploy, Port, Service
from invoke_devstack.planning.known_images import known_image
from invoke_devstack.planning.kubernetes.containers import Manifest, container, filled, init_containers
from invoke_devstack.planning.kubernetes.judging import CONSTRAINT
from invoke_devstack.planning.kubernetes.names import dns_name, is_annotation, port_name
from invoke_devstack.planning.kubernetes.volumes import pod_volumes, unique
from invoke_devstack.planning.preflight.judging import is_loopback

_NAME = "app.kubernetes.io/name"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def workload(service: Service, definition: Definition) -> Manifest:
    """What runs the service's pods. The service is in its deploy form."""
    deploy = service.deploy or Deploy()
    mode = deploy.mode or "replicated"
    template = _template(service, definition)
    if mode.endswith("job"):
        return _object("batch/v1", "Job", service, {**_job(service, deploy), "template": template})
    selector = {"selector": {"matchLabels": {_NAME: dns_name(service.name)}}, "template": template}
    if mode == "global":
        return _object("apps/v1", "DaemonSet", service, selector)
    spec = {"replicas": service.scale_count(), **filled(_rollout(service, deploy)), **selector}
    return _object("apps/v1", "Deployment", service, spec)


def _object(version: str, kind: str, service: Service, spec: Manifest) -> Manifest:
    metadata = {"name": dns_name(service.name), "labels": {_NAME: dns_name(service.name)}}
    annotations = _annotations(service.deploy.labels if service.deploy else {})
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": metadata | filled({"annotations": annotations}),
        "spec": spec,
    }


def _annotations(labels: Any) -> dict[str, str]:
    return {name: str(value) for name, value in labels.items() if is_annotation(name)}


def _job(service: Service, deploy: Deploy) -> Manifest:
    attempts = deploy.restart_policy.max_attempts if deploy.restart_policy else None
    count = service.scale_count()
    several = {"completions": count, "parallelism": count} if count > 1 else {}
    return several if attempts is None else {"backoffLimit": attempts, **several}


def _rollout(service: Service, deploy: Deploy) -> Manifest:
    """A volume that only one pod may write to forbids two at once."""
    update = deploy.update_config
    if any(item.type == "volume" and item.source for item in service.volumes):
        return {"strategy": {"type": "Recreate"}}
    if update is None:
        return {}
    step = update.parallelism or 1
    first = update.order == "start-first"
    rolling = {"maxSurge": step if first else 0, "maxUnavailable": 0 if first else step}
    return {
        "minReadySeconds": round(update.monitor or 0),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
    }


def _template(service: Service, definition: Definition) -> Manifest:
    labels = {_NAME: dns_name(service.name)}
    annotations = _annotations({**service.labels, **service.annotations})
    return {
        "metadata": {"labels": labels} | filled({"annotations": annotations}),
        "spec": _pod(service, definition),
    }


def _pod(service: Service, definition: Definition) -> Manifest:
    volumes = pod_volumes(service, definition)
    mounts = [item.mount for item in volumes]
    image = service.image_name(definition.name)
    grace = service.stop_grace_period
    return filled(
        {
            "restartPolicy": _restart_policy(service),
            "hostname": dns_name(service.hostname) if service.hostname else None,
            "hostNetwork": service.network_mode == "host",
            "hostPID": service.pid == "host",
            "hostIPC": service.ipc == "host",
            "terminationGracePeriodSeconds": max(1, round(grace)) if grace is not None else None,
            "nodeSelector": _node_selector(service),
            "dnsConfig": _dns(service),
            "hostAliases": _host_aliases(service),
            "securityContext": _security(service),
            "initContainers": init_containers(service, image, mounts),
            "containers": [container(service, image, mounts)],
            "volumes": unique(volumes),
        }
    )


def _restart_policy(service: Service) -> str | None:
    deploy = service.deploy
    if not deploy or not (deploy.mode or "").endswith("job"):
        return None
    policy = deploy.restart_policy.condition if deploy.restart_policy else None
    return "Never" if policy == "none" else "OnFailure"


def _node_selector(service: Service) -> dict[str, str]:
    found = {}
    for constraint in service.deploy.placement.constraints if service.deploy else ():
        if match := CONSTRAINT.match(constraint):
            key = "kubernetes.io/hostname" if match[1] == "hostname" else match[1].removeprefix("labels.")
            found[key] = match[2]
    system, _, rest = (service.platform or "").partition("/")
    machine = rest.partition("/")[0]
    if machine:
        found |= {"kubernetes.io/os": system, "kubernetes.io/arch": ARCHITECTURES.get(machine, machine)}
    return found


def _dns(service: Service) -> Manifest:
    options = [
        filled({"name": name, "value": value})
        for name, _, value in (option.partition(":") for option in service.dns_opt)
    ]
    return filled(
        {"nameservers": list(service.dns), "searches": list(service.dns_search), "options": options}
    )


def _host_aliases(service: Service) -> list[Manifest]:
    found: dict[str, list[str]] = {}
    for entry in service.extra_hosts:
        name, _, address = entry.partition("=")
        if address != "host-gateway":
            found.setdefault(address, []).append(name)
    return [{"ip": address, "hostnames": names} for address, names in found.items()]


def _security(service: Service) -> Manifest:
    groups = [int(group) for group in service.group_add if group.isdecimal()]
    sysctls = [{"name": name, "value": value} for name, value in service.sysctls.items()]
    return filled({"supplementalGroups": groups, "sysctls": sysctls})


def services(service: Service) -> Iterator[Manifest]:
    """How other services reach it, by its name and its aliases; and the published ports."""
    inside = _inside_ports(service)
    for name in _names(service):
        spec = {"clusterIP": "None"} if not inside else {}
        yield _service(name, service, {**spec, **filled({"ports": inside})})
    published = [_published(port) for port in service.ports if _is_published(port)]
    if published:
        yield _service(
            f"{dns_name(service.name)[:50]}-published", service, {"type": "LoadBalancer", "ports": published}
        )


def _service(name: str, service: Service, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {**spec, "selector": {_NAME: dns_name(service.name)}},
    }


def _names(service: Service) -> list[str]:
    aliases = [alias for own in service.networks.values() if own for alias in own.aliases]
    return list(dict.fromkeys(dns_name(name) for name in (service.name, *aliases)))


def _inside_ports(service: Service) -> list[Manifest]:
    """The ports that other services may use: those in the files, or else the usual one of its image."""
    wanted = {(port.target, port.protocol): port.app_protocol for port in service.ports}
    for text in service.expose:
        number, _, protocol = text.partition("/")
        if number.isdecimal():
            wanted.setdefault((int(number), protocol or "tcp"), None)
    known = known_image(service.image or "")
    if not wanted and known and known.port:
        wanted[(known.port, "tcp")] = None
    return [
        _port(target, target, protocol, application) for (target, protocol), application in wanted.items()
    ]


def _port(port: int, target: int, protocol: str, application: str | None = None) -> Manifest:
    return {
        "name": port_name(target, protocol) if port == target else port_name(port, protocol),
        "port": port,
        "targetPort": target,
        "protocol": protocol.upper(),
    } | filled({"appProtocol": application})


def _is_published(port: Port) -> bool:
    is_one = (port.published or "").isdecimal()
    return is_one and port.mode != "host" and not is_loopback(port.host_ip or "")


def _published(port: Port) -> Manifest:
    return _port(int(port.published or 0), port.target, port.protocol, port.app_protocol)
