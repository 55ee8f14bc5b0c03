"""Why a container must be recreated: its image, definition, ports, networks or volumes are others now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.hashes import service_hash
from invoke_devstack.planning.bodies.mounts import injected_files, volume_name
from invoke_devstack.planning.bodies.networks import network_name
from invoke_devstack.planning.bodies.tracing import trace_variables
from invoke_devstack.planning.causes import Cause, CauseKind, by_option, by_state
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.names import short_id
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.ports import WantedPort, remembered_ports
from invoke_devstack.planning.processes.image import PROCESS_IMAGE, is_process
from invoke_devstack.planning.verdicts.fingerprint import (
    CONNECT,
    TRACES,
    UNHASHED_BY_COMPOSE,
    changes,
    describe_changes,
    fingerprint,
    read_fingerprint,
)
from invoke_devstack.planning.verdicts.verdict import UpState

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def recreate_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause | None:
    """Why the container must be recreated; None if it need not be."""
    if flag := _recreating_flag(up.options, service.name):
        return by_option(flag)
    if container.id in up.options.broken:
        return by_state("the engine cannot start it any more")
    for name in bound_to(service):
        other = up.verdicts.get(name)
        if other and (other.recreated or (other.added and not other.containers)):
            text = f"uses the container of `{name}`, which is recreated"
            return Cause(CauseKind.DEPENDENCY, text)
    return (
        _place_cause(service, container)
        or _image_cause(up, service, container)
        or _definition_cause(up, service, container)
        or _port_cause(up.options.ports, service, container)
        or _network_cause(up, service, container)
        or _volume_cause(up, service, container)
    )


def _recreating_flag(options: PlanningOptions, name: str) -> str:
    """The flag because of which the containers of a service are recreated, "" if none is."""
    named = not options.services or name in options.services
    if options.force_recreate and named:
        return "--force-recreate"
    return "--always-recreate-deps" if options.recreate_dependencies and not named else ""


def _place_cause(service: Service, container: ObservedContainer) -> Cause | None:
    """A process of this machine takes the place of a container, or the other way round."""
    wanted, has = is_process(service), container.image == PROCESS_IMAGE
    if wanted == has:
        return None
    text = "it runs on this machine now" if wanted else "it runs in a container again"
    return Cause(CauseKind.DEFINITION, text)


def _image_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause | None:
    image = up.observed.images.get(service.image_name(up.definition.name))
    old = container.labels.get(labels.IMAGE) or container.image_id
    if image is None or not old or old == image.id:
        return None
    return Cause(CauseKind.IMAGE, f"image changed: {short_id(old)} -> {short_id(image.id)}")


def _definition_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause | None:
    files = injected_files(up.definition, service, up.options.host_files)
    same = container.labels.get(labels.CONFIG_HASH) == service_hash(service, up.ids)
    connect = injected(up.definition, service)
    traces = trace_variables(up.definition, service)
    old = read_fingerprint(container)
    added = bool(connect or traces or {CONNECT, TRACES} & (old or {}).keys())
    if same and not files and not service.ports and not added:
        return None
    new = fingerprint(service, files, up.options.bind, connect, traces)
    if old is None and same and traces:
        return Cause(CauseKind.OPTION, "traces on", (TRACES,))
    if old is None and same and connect:
        text = "created without the variables of `x-devstack.connect`"
        return Cause(CauseKind.DEFINITION, text, (CONNECT,))
    if old is None:
        return None if same else _unnamed_cause(up, service, container)
    changed = changes(old, new)
    if same:
        # Compose's hash leaves out what we write into the container, and our `bind`.
        changed = tuple(path for path in changed if path.partition(".")[0] in UNHASHED_BY_COMPOSE)
    if changed:
        text = describe_changes(changed, container, service, up.options.bind, traced=bool(traces))
        kind = CauseKind.OPTION if changed == (TRACES,) else CauseKind.DEFINITION
        return Cause(kind, text, changed)
    return None if same else _unnamed_cause(up, service, container)


def _unnamed_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause:
    image = service.image_name(up.definition.name)
    if container.image and container.image != image:
        return Cause(CauseKind.IMAGE, f"image: {container.image} -> {image}")
    if bound_to(service):
        return Cause(CauseKind.DEPENDENCY, f"the container of `{bound_to(service)[0]}` was replaced")
    return Cause(CauseKind.DEFINITION, "definition changed")


def _port_cause(
    ports: Mapping[WantedPort, int], service: Service, container: ObservedContainer
) -> Cause | None:
    """An active container holds its ports; another one may find them in use."""
    if container.is_active:
        return None
    remembered = remembered_ports([container])
    for wanted, port in sorted(ports.items()):
        before = remembered.get(wanted.slot, wanted.host_port)
        if (wanted.service, wanted.number) == (service.name, container.number) and before != port:
            return Cause(CauseKind.PORT, f"port {wanted.host_port} is in use, {port} replaces it")
    return None


def _network_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause | None:
    if service.network_mode or not up.definition.networks:
        return None
    for key in service.networks or ("default",):
        text = _network_fault(up, container, key, network_name(up.definition, key))
        if text:
            return Cause(CauseKind.NETWORK, text)
    return None


def _network_fault(up: UpState, container: ObservedContainer, key: str, name: str) -> str:
    if key in up.recreated_networks:
        return f"network {name} is recreated"
    found = up.observed.networks.get(name)
    if found is None:
        return f"network {name} does not exist"
    known = container.networks.get(name)
    if known and known != found.id:
        return f"network {name} was recreated"
    if container.is_running and found.id not in container.networks.values():
        return f"not connected to network {name}"
    return ""


def _volume_cause(up: UpState, service: Service, container: ObservedContainer) -> Cause | None:
    mounted = {mount.name for mount in container.mounts if mount.type == "volume"}
    for mount in service.volumes:
        if mount.type == "volume" and mount.source:
            name = volume_name(up.definition, mount.source)
            if name not in mounted:
                return Cause(CauseKind.VOLUME, f"volume {name} is not mounted")
    return None
