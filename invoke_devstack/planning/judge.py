"""What becomes of each container that is there: kept, started, made anew or removed, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from invoke_devstack.planning import labels as label
from invoke_devstack.planning.connections import injected
from invoke_devstack.planning.graph import bound_to, namespaces
from invoke_devstack.planning.hashes import service_hash
from invoke_devstack.planning.inputs import cause_of, changes, fingerprint, read_fingerprint
from invoke_devstack.planning.mounts import injected_files, volume_name
from invoke_devstack.planning.names import container_name, short_id
from invoke_devstack.planning.networks import network_name
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.oneshots import counts_as_done, is_awaited_to_end
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.ports import WantedPort, remembered_ports
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

Act = Literal["keep", "done", "await", "start", "unpause", "restart", "recreate", "remove", "rename"]

LEFT_OVER = "left over from an interrupted command"
"""Why a container is removed whose volumes another one uses."""

_TEMPORARY = re.compile(r"[0-9a-f]{12}_(.+)")


@record
class Judged:
    """One container that is there, and what becomes of it."""

    container: ObservedContainer
    act: Act
    cause: str = ""


@record
class Verdict:
    """One service: its containers, and the numbers of those to be added, with the cause of that."""

    containers: tuple[Judged, ...] = ()
    added: tuple[int, ...] = ()
    added_cause: str = ""

    @property
    def changed(self) -> bool:
        """Whether a container of it is made or started."""
        return bool(self.added) or any(
            item.act in ("start", "restart", "recreate", "unpause", "rename") for item in self.containers
        )

    @property
    def remade(self) -> bool:
        return any(item.act == "recreate" for item in self.containers)

    @property
    def started(self) -> bool:
        """Whether a container that exists is started, so that what shares its namespaces must follow."""
        return any(item.act in ("start", "restart", "rename") for item in self.containers)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do, and nothing to wait for."""
        return not self.added and all(item.act in ("keep", "done") for item in self.containers)

    @property
    def done(self) -> bool:
        """Whether it is settled, and a one-shot of it has ended with 0."""
        return self.settled and any(item.act == "done" for item in self.containers)

    def of_act(self, *acts: Act) -> tuple[ObservedContainer, ...]:
        """Those of its containers that one of `acts` is to happen to."""
        return tuple(item.container for item in self.containers if item.act in acts)


def has_to_stop(container: ObservedContainer) -> bool:
    """Whether it must be stopped before it is removed."""
    return container.state in ("running", "paused", "restarting")


@record
class Scene:
    """What a verdict depends on beside the service: `ids` is service -> id of the container that stands
    for it and stays; `verdicts` are those of the services before it."""

    definition: Definition
    observed: Observed
    options: UpOptions
    remade_networks: frozenset[str] = frozenset()
    ids: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)


def judge(scene: Scene, service: Service) -> Verdict:
    """The verdict on one service. Those of the services that it depends on come before it."""
    judged = [_judge_container(scene, service, item) for item in scene.observed.of_service(service.name)]
    judged = _without_leftovers(scene.definition.name, service, judged)
    wanted = service.scale_count()
    # As Compose does, what is outdated goes first when there are too many, then the highest number.
    staying = sorted(
        (item for item in judged if item.act != "remove"),
        key=lambda item: (item.act == "recreate", item.container.number),
    )
    surplus = [
        Judged(item.container, "remove", f"scale {len(staying)} -> {wanted}") for item in staying[wanted:]
    ]
    containers = sorted(
        [*staying[:wanted], *surplus, *(item for item in judged if item.act == "remove")],
        key=lambda item: (item.container.number, item.container.name),
    )
    missing = wanted - len(staying)
    first = max((item.container.number for item in staying), default=0) + 1
    cause = f"scale {len(staying)} -> {wanted}" if staying else "no container yet"
    return Verdict(tuple(containers), tuple(range(first, first + missing)), cause)


def restarted_with(scene: Scene, service: Service, verdict: Verdict) -> Verdict:
    """The verdict, once it is known what becomes of the services that take this one along: those with
    `depends_on.restart`, and those whose network, ipc or pid it shares."""
    cause = _restart_cause(scene, service)
    if not cause:
        return verdict
    containers = tuple(
        Judged(item.container, "restart", cause)
        if item.act in ("keep", "await") and item.container.state == "running"
        else item
        for item in verdict.containers
    )
    return Verdict(containers, verdict.added, verdict.added_cause)


def _restart_cause(scene: Scene, service: Service) -> str:
    for name, dependency in sorted(service.depends_on.items()):
        other = scene.verdicts.get(name)
        if dependency.restart and other and other.remade:
            return f"`{name}` is made anew, and `depends_on.{name}.restart` says to follow"
    for name in namespaces(service):
        other = scene.verdicts.get(name)
        if other and other.started:
            return f"it lives in the container of `{name}`, which is started"
    return ""


def _without_leftovers(project: str, service: Service, judged: list[Judged]) -> list[Judged]:
    """An `up` that was killed while it replaced a container leaves the successor under its temporary
    name. It takes the place if the old one is gone, and is removed otherwise."""
    names = {item.container.name for item in judged}
    result: list[Judged] = []
    for item in judged:
        match = _TEMPORARY.fullmatch(item.container.name)
        final = container_name(project, service, item.container.number)
        if not match or match[1] != final:
            result.append(item)
        elif final in names or item.act == "recreate":
            result.append(Judged(item.container, "remove", LEFT_OVER))
        else:
            result.append(Judged(item.container, "rename", "an interrupted command made it"))
    return result


def _judge_container(scene: Scene, service: Service, container: ObservedContainer) -> Judged:
    cause = _recreate_cause(scene, service, container)
    if cause:
        return Judged(container, "recreate", cause)
    return _judge_state(scene, service, container)


def _judge_state(scene: Scene, service: Service, container: ObservedContainer) -> Judged:
    """What an unchanged container needs in order to be up."""
    state = container.state
    if state == "running":
        if is_awaited_to_end(scene.definition, service.name):
            return Judged(container, "await", "it has not ended yet")
        waiting = container.health in ("starting", "unhealthy")
        return (
            Judged(container, "await", f"it is {container.health}") if waiting else Judged(container, "keep")
        )
    if state == "restarting":
        return Judged(container, "await", "it is restarting")
    if state == "paused":
        return Judged(container, "unpause", "it is paused")
    if state in ("dead", "removing"):
        return Judged(container, "recreate", f"it is {state}")
    if state == "created":
        return Judged(container, "start", "it was never started")
    if counts_as_done(scene.definition, service, container, scene.observed, scene.options.services):
        return Judged(container, "done")
    return Judged(container, "start", f"it had ended with exit code {container.exit_code}")


def _recreate_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    """Why the container must be made anew, or ""."""
    if scene.options.force_recreate and _is_asked_for(scene.options, service.name):
        return "recreation was asked for"
    for name in bound_to(service):
        other = scene.verdicts.get(name)
        if other and (other.remade or (other.added and not other.containers)):
            return f"it uses the container of `{name}`, which is made anew"
    return (
        _image_cause(scene, service, container)
        or _definition_cause(scene, service, container)
        or _port_cause(scene.options.ports, service, container)
        or _network_cause(scene, service, container)
        or _volume_cause(scene, service, container)
    )


def _is_asked_for(options: UpOptions, name: str) -> bool:
    return not options.services or name in options.services


def _image_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    image = scene.observed.images.get(service.image_name(scene.definition.name))
    old = container.labels.get(label.IMAGE) or container.image_id
    if image is None or not old or old == image.id:
        return ""
    return f"image changed: {short_id(old)} -> {short_id(image.id)}"


def _definition_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    files = injected_files(scene.definition, service)
    same = container.labels.get(label.CONFIG_HASH) == service_hash(service, scene.ids)
    connect = injected(scene.definition, service)
    had_connect = '"connect"' in container.labels.get(label.INPUTS, "")
    if same and not files and not service.ports and not connect and not had_connect:
        return ""
    new = fingerprint(service, files, scene.options.bind, connect)
    old = read_fingerprint(container)
    if old is None and same and connect:
        return "it was made without the variables of `x-devstack.connect`"
    if old is None:
        return "" if same else _unnamed_cause(scene, service, container)
    changed = changes(old, new)
    if same:
        # The hash is Compose's and knows nothing of what is written into the container, or of our `bind`.
        changed = tuple(path for path in changed if path.partition(".")[0] in ("files", "bind", "connect"))
    if changed:
        return cause_of(changed, container, service, scene.options.bind)
    return "" if same else _unnamed_cause(scene, service, container)


def _unnamed_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    image = service.image_name(scene.definition.name)
    if container.image and container.image != image:
        return f"image: {container.image} -> {image}"
    if bound_to(service):
        return f"the container of `{bound_to(service)[0]}` is not the one that it uses"
    return "the definition changed"


def _port_cause(ports: Mapping[WantedPort, int], service: Service, container: ObservedContainer) -> str:
    """A container that runs holds its ports; one that does not may find them taken."""
    if container.state in ("running", "paused", "restarting"):
        return ""
    remembered = remembered_ports([container])
    for wanted, port in sorted(ports.items()):
        if (
            wanted.service == service.name
            and remembered.get((service.name, wanted.key), wanted.host_port) != port
        ):
            return f"port {wanted.host_port} is taken, {port} stands in for it"
    return ""


def _network_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    if service.network_mode or not scene.definition.networks:
        return ""
    for key in service.networks or ("default",):
        name = network_name(scene.definition, key)
        if key in scene.remade_networks:
            return f"the network {name} is made anew"
        found = scene.observed.networks.get(name)
        if found is None:
            return f"the network {name} was gone"
        known = container.networks.get(name)
        if known and known != found.id:
            return f"the network {name} is another one by now"
        if container.state == "running" and found.id not in container.networks.values():
            return f"it is not on the network {name}"
    return ""


def _volume_cause(scene: Scene, service: Service, container: ObservedContainer) -> str:
    mounted = {mount.name for mount in container.mounts if mount.type == "volume"}
    for mount in service.volumes:
        if mount.type == "volume" and mount.source:
            name = volume_name(scene.definition, mount.source)
            if name not in mounted:
                return f"the volume {name} is not mounted"
    return ""
