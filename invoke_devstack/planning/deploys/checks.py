"""What stands between a definition and a cluster: nodes, resources, ports, networks, external objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning.deploys.observed import ObservedStack
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.preflight.findings import Finding, FindingKind, Level

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_CONSTRAINT = re.compile(r"\s*([\w.-]+(?:/[\w.-]+)?)\s*(==|!=)\s*(.*?)\s*")
_NANO = 10**9


def check_cluster(definition: Definition, observed: ObservedStack) -> tuple[Finding, ...]:
    """All findings about the cluster."""
    return (
        *_nodes(observed),
        *(
            finding
            for service in definition.services.values()
            for finding in _service(service, definition, observed)
        ),
        *_externals(definition, observed),
    )


def _finding(definition: Definition | None, level: Level, key: str, text: str, hint: str = "") -> Finding:
    origin = definition.origins.get(key) if definition else None
    return Finding(FindingKind.CLUSTER, level, key, text, hint, origin.position if origin else None)


def _nodes(observed: ObservedStack) -> Iterator[Finding]:
    for node in observed.nodes:
        if node["Status"].get("State") != "ready":
            name = hostname(node)
            text = f"the node is {node['Status'].get('State')}, and takes no tasks"
            yield _finding(
                None, Level.WARNING, f"node {name}", text, f"Look at it: docker node inspect {name}"
            )


def hostname(node: Body) -> str:
    return str((node.get("Description") or {}).get("Hostname") or node["ID"])


def usable(observed: ObservedStack) -> list[Body]:
    """The nodes that take tasks."""
    return [
        node
        for node in observed.nodes
        if node["Status"].get("State") == "ready" and node["Spec"].get("Availability") == "active"
    ]


def _service(service: Service, definition: Definition, observed: ObservedStack) -> Iterator[Finding]:
    nodes = usable(observed)
    place = f"services.{service.name}"
    constraints = service.deploy.placement.constraints if service.deploy else ()
    fitting = [node for node in nodes if all(meets(node, item) for item in constraints)]
    if not nodes:
        yield _finding(definition, Level.ERROR, place, "no node of the swarm takes tasks", "docker node ls")
        return
    if not fitting:
        text = f"no node meets {', '.join(f'`{item}`' for item in constraints)}"
        hint = "Label one: docker node update --label-add NAME=VALUE NODE. See them: docker node inspect self"
        yield _finding(definition, Level.ERROR, f"{place}.deploy.placement.constraints", text, hint)
        return
    yield from _resources(service, definition, fitting)
    yield from _replicas(service, definition, fitting)
    yield from _ports(service, definition, observed, fitting)


def meets(node: Body, constraint: str) -> bool:
    """Whether a node meets a constraint; one of a form that we do not know is left to the swarm."""
    match = _CONSTRAINT.fullmatch(constraint)
    if match is None:
        return True
    key, sign, wanted = match.groups()
    values = _attribute(node, key)
    if values is None:
        return True
    return (wanted.lower() in (value.lower() for value in values)) == (sign == "==")


def _attribute(node: Body, key: str) -> list[str] | None:
    spec, about = node["Spec"], node.get("Description") or {}
    platform = about.get("Platform") or {}
    plain: dict[str, Any] = {
        "node.id": node["ID"],
        "node.hostname": about.get("Hostname"),
        "node.role": spec.get("Role"),
        "node.platform.os": platform.get("OS"),
        "node.platform.arch": platform.get("Architecture"),
    }
    if key.lower() in plain:
        return [str(plain[key.lower()] or "")]
    for prefix, labels in (
        ("node.labels.", spec.get("Labels") or {}),
        ("engine.labels.", (about.get("Engine") or {}).get("Labels") or {}),
    ):
        if key.startswith(prefix):
            return [str(labels.get(key.removeprefix(prefix), ""))]
    return None


def _resources(service: Service, definition: Definition, nodes: list[Body]) -> Iterator[Finding]:
    reserved = service.deploy.resources.reservations if service.deploy else None
    if reserved is None:
        return
    place = f"services.{service.name}.deploy.resources.reservations"
    for key, wanted, member, unit in (
        ("cpus", (reserved.cpus or 0) * _NANO, "NanoCPUs", _NANO),
        ("memory", reserved.memory or 0, "MemoryBytes", 1 << 20),
    ):
        most = max(((node["Description"].get("Resources") or {}).get(member) or 0) for node in nodes)
        if wanted > most:
            text = f"no node has so much: {wanted / unit:g} is reserved, the largest has {most / unit:g}"
            yield _finding(definition, Level.ERROR, f"{place}.{key}", text, "Reserve less.")


def _replicas(service: Service, definition: Definition, nodes: list[Body]) -> Iterator[Finding]:
    deploy = service.deploy
    most = deploy.placement.max_replicas_per_node if deploy else None
    if most and deploy and deploy.mode in (None, "replicated") and service.scale_count() > most * len(nodes):
        text = f"{service.scale_count()} replicas do not fit on {len(nodes)} nodes, {most} on each"
        place = f"services.{service.name}.deploy.placement.max_replicas_per_node"
        yield _finding(definition, Level.ERROR, place, text, "Raise it, or add nodes: `invoke deploy.init`")


def _ports(
    service: Service, definition: Definition, observed: ObservedStack, nodes: list[Body]
) -> Iterator[Finding]:
    is_global = bool(service.deploy and (service.deploy.mode or "").startswith("global"))
    for index, port in enumerate(service.ports):
        if not port.published:
            continue
        place = f"services.{service.name}.ports[{index}]"
        wanted = (int(port.published), port.protocol)
        if port.mode == "host" and not is_global and service.scale_count() > len(nodes):
            text = f"each replica needs port {port.published} of a node, and {len(nodes)} nodes fit"
            yield _finding(definition, Level.ERROR, place, text, "Use fewer replicas, or `mode: ingress`.")
        if (port.mode or "ingress") != "host":
            for other in _with_dnsrr(service):
                yield _finding(definition, Level.ERROR, place, other, "Write the port with `mode: host`.")
        for holder in observed.others:
            taken = {
                (item.get("PublishedPort"), item.get("Protocol", "tcp"))
                for item in (holder["Spec"].get("EndpointSpec") or {}).get("Ports") or ()
                if (item.get("PublishMode") or "ingress") == "ingress" or port.mode != "host"
            }
            if wanted in taken:
                text = f"port {port.published} is taken in the swarm by service {holder['Spec']['Name']}"
                hint = f"Publish another port, or remove it: docker service rm {holder['Spec']['Name']}"
                yield _finding(definition, Level.ERROR, place, text, hint)


def _with_dnsrr(service: Service) -> Iterator[str]:
    if service.deploy and (service.deploy.endpoint_mode or "").lower() == "dnsrr":
        yield "`endpoint_mode: dnsrr` has no virtual address for a port of the whole swarm"


def _externals(definition: Definition, observed: ObservedStack) -> Iterator[Finding]:
    for key, network in definition.networks.items():
        found = observed.networks.get(network.name)
        if not network.external or network.name in ("host", "none"):
            continue
        place = f"networks.{key}"
        if found is None:
            hint = f"Create it: docker network create --driver overlay {network.name}"
            yield _finding(definition, Level.ERROR, place, f"the swarm has no network {network.name}", hint)
        elif found.get("Scope") != "swarm":
            text = f"{network.name} is a network of this node alone, not of the swarm"
            yield _finding(definition, Level.ERROR, place, text, "Make one with `--driver overlay`.")
    for kind, items in (("configs", definition.configs), ("secrets", definition.secrets)):
        for key, item in items.items():
            if item.external and item.name not in observed.files[kind]:
                word = kind[:-1]
                hint = f"Create it: docker {word} create {item.name} FILE"
                yield _finding(
                    definition, Level.ERROR, f"{kind}.{key}", f"the swarm has no {word} {item.name}", hint
                )
