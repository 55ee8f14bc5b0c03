"""Definitions and observations for the tests of the planner, made without files and without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from invoke_devstack.definition.model import Config, Definition, Network, Secret, Service, Volume
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import body_with_late_values
from invoke_devstack.planning.observed import (
    EngineInfo,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedMount,
    ObservedNetwork,
    ObservedVolume,
    PublishedPort,
)
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import CreateContainer, CreateNetwork, CreateVolume, Plan
from invoke_devstack.planning.plans.up import plan_up

ENGINE = EngineInfo(version="20.10.24", api=(1, 41))
NEWER_ENGINE = EngineInfo(version="28.5.2", api=(1, 51))
HEALTHY = {"condition": "service_healthy"}
COMPLETED = {"condition": "service_completed_successfully"}
DATA = {"type": "volume", "source": "data", "target": "/data"}


def stack(services: Mapping[str, Mapping[str, Any]], **parts: Any) -> Definition:
    """A definition of project `p`. A service without `networks` joins the default one."""
    networks = {"default": {"name": "p_default"}} | parts.pop("networks", {})
    volumes = parts.pop("volumes", {})
    return Definition(
        name="p",
        working_dir=Path("/project"),
        files=(Path("/project/compose.yaml"),),
        services={name: service(name, values) for name, values in services.items()},
        networks={key: Network.read(value) for key, value in networks.items()},
        volumes={key: Volume.read(value) for key, value in volumes.items()},
        secrets={key: Secret(**value) for key, value in parts.pop("secrets", {}).items()},
        configs={key: Config(**value) for key, value in parts.pop("configs", {}).items()},
        **parts,
    )


def service(name: str, values: Mapping[str, Any]) -> Service:
    derived = {"name": name, "extensions": values.get("extensions", {})}
    known = {"image": f"{name}:1", **values}
    known.pop("extensions", None)
    if "network_mode" not in known:
        known.setdefault("networks", {"default": None})
    if isinstance(known.get("depends_on"), (list, tuple)):
        known["depends_on"] = {other: {} for other in known["depends_on"]}
    return Service.read(known).copy_with(derived)


def engine_with(definition: Definition, *, engine: EngineInfo = ENGINE, **parts: Any) -> Observed:
    """An engine that has the images, and nothing of the project."""
    images = {
        item.image_name("p"): ObservedImage(item.image_name("p"), f"sha256:{item.name}")
        for item in definition.services.values()
    }
    return Observed("p", engine, **({"images": images} | parts))


def engine_after(
    plan: Plan, before: Observed, state: str = "running", **states: Mapping[str, Any]
) -> Observed:
    """What the engine shows once the plan was carried out: each container in `state`, or as `states`
    says of its service."""
    networks, volumes = dict(before.networks), dict(before.volumes)
    containers = {item.name: item for item in before.containers}
    for action in plan:
        match action:
            case CreateNetwork():
                networks[action.target] = ObservedNetwork(
                    f"id-{action.target}", action.target, action.body["Labels"]
                )
            case CreateVolume():
                volumes[action.target] = ObservedVolume(action.target, labels=action.body.get("Labels", {}))
            case CreateContainer() if labels.NUMBER in action.body["Labels"]:
                made = _container(action, networks)
                containers[made.name] = replace(
                    made, **({"state": state} | dict(states.get(action.service, {})))
                )
    return replace(before, containers=tuple(containers.values()), networks=networks, volumes=volumes)


def _container(action: CreateContainer, networks: Mapping[str, ObservedNetwork]) -> ObservedContainer:
    name = action.target
    ids = {other: container_id(other) for other in (action.late.containers if action.late else ())}
    body = body_with_late_values(action, image_id=f"sha256:{action.service}", containers=ids)
    host = body["HostConfig"]
    mounts = [_bind(line) for line in host.get("Binds", ())]
    mounts += [
        ObservedMount("volume", mount["Target"], name=mount.get("Source") or f"anonymous-{mount['Target']}")
        for mount in host.get("Mounts", ())
        if mount["Type"] == "volume"
    ]
    ports = [
        PublishedPort(binding["HostIp"], int(binding["HostPort"] or 0), int(port.partition("/")[0]))
        for port, bindings in host.get("PortBindings", {}).items()
        for binding in bindings
    ]
    joined = [*body.get("NetworkingConfig", {}).get("EndpointsConfig", {}), *action.more_networks]
    return ObservedContainer(
        id=container_id(name),
        name=name,
        service=action.service,
        number=int(body["Labels"][labels.NUMBER]),
        image=body["Image"],
        image_id=body["Labels"].get(labels.IMAGE, ""),
        state="running",
        labels=body["Labels"],
        networks={network: networks[network].id for network in joined},
        mounts=tuple(mounts),
        ports=tuple(ports),
        started_at="2026-01-01T00:00:00Z",
    )


def container_id(name: str) -> str:
    """64 hexadecimal digits that depend on the name."""
    return name.encode().hex().ljust(64, "0")[:64]


def _bind(line: str) -> ObservedMount:
    source, target, _ = line.split(":")
    if source.startswith("/"):
        return ObservedMount("bind", target, source=source)
    return ObservedMount("volume", target, name=source)


def up(definition: Definition, observed: Observed, **options: Any) -> tuple[str, ...]:
    """The plan's text."""
    return plan_up(definition, observed, PlanningOptions(**options)).lines()


def running(definition: Definition, **states: Mapping[str, Any]) -> Observed:
    """The engine after a first `up` of the definition."""
    empty = engine_with(definition)
    return engine_after(plan_up(definition, empty, PlanningOptions()), empty, "running", **states)


def with_service(definition: Definition, name: str, **changes: Any) -> Definition:
    """The definition with other values of one service."""
    read = Service.read(changes)
    changed = definition.services[name].copy_with({key: getattr(read, key) for key in changes})
    return definition.copy_with({"services": {**definition.services, name: changed}})
