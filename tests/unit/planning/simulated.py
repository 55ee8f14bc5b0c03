"""A small engine in memory that carries plans out in any order that their needs allow, and refuses what
a real one would refuse: taken names and ports, networks in use, images that are not there."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

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
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    Body,
    BuildImage,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    Plan,
    PullImage,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RestartContainer,
    RunCommand,
    RunHook,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.schedule import Schedule

NUMBER = "com.docker.compose.container-number"


class RefusedError(Exception):
    """What a real engine would have refused."""


class SimulatedEngine:
    """`one_shots` end with 0 as soon as they start."""

    def __init__(self, engine: EngineInfo, one_shots: frozenset[str] = frozenset()) -> None:
        self.engine = engine
        self.one_shots = one_shots
        self.containers: dict[str, ObservedContainer] = {}
        self.networks: dict[str, ObservedNetwork] = {}
        self.volumes: dict[str, ObservedVolume] = {}
        self.images: dict[str, ObservedImage] = {}
        self.data: dict[str, str] = {}
        """Volume -> what the first container that ran with it wrote there."""
        self.labels_volumes = True
        self.made = 0

    def observed(self) -> Observed:
        containers = tuple(self.containers[name] for name in sorted(self.containers))
        return Observed(
            "p", self.engine, containers, dict(self.networks), dict(self.volumes), dict(self.images)
        )

    def carry_out(self, plan: Plan, dice: random.Random, *, steps: int | None = None) -> None:
        """All of the plan, or its first `steps`, in an order that `dice` choose among those allowed."""
        schedule = Schedule(plan)
        free = [action.id for action in schedule.first]
        done = 0
        while free and done != steps:
            node = free.pop(dice.randrange(len(free)))
            free += [action.id for action in schedule.happened(node)]
            if node not in plan:
                continue  # the end of a process
            action = plan[node]
            self._do(action)
            if isinstance(action, StopContainer):
                free.append(action.end)
            done += 1
        assert steps is not None or done == len(plan)

    def _do(self, action: Action) -> None:
        match action:
            case PullImage() | BuildImage():
                self.images[action.target] = ObservedImage(action.target, f"sha256:{self._new_id()}")
            case CreateNetwork():
                self._refuse(action.target in self.networks, f"network {action.target} is there")
                self.networks[action.target] = ObservedNetwork(
                    self._new_id(), action.target, action.body["Labels"]
                )
            case RemoveNetwork():
                users = [item for item in self._running() if action.target in item.networks]
                self._refuse(bool(users), f"network {action.target} is in use")
                del self.networks[action.target]
            case CreateVolume():
                self.volumes[action.target] = ObservedVolume(action.target, labels=action.body["Labels"])
            case RemoveVolume():
                self._refuse(
                    any(self._mounts(item, action.target) for item in self.containers.values()), "in use"
                )
                self.volumes.pop(action.target, None)
                self.data.pop(action.target, None)
            case RemoveImage() | RunHook():
                pass
            case _:
                self._do_to_container(action)

    def _do_to_container(self, action: Action) -> None:
        match action:
            case CreateContainer():
                self._create(action)
            case StartContainer() | UnpauseContainer():
                self._start(self._found(action.target))
            case StopContainer():
                self._update(self._found(action.target), state="exited", exit_code=137)
            case RestartContainer():
                self._start(replace(self._found(action.target), state="exited"))
            case RemoveContainer():
                container = self._found(action.target)
                self._refuse(container.state == "running" and not action.force, f"{action.target} runs")
                del self.containers[container.name]
                if action.volumes:
                    self._remove_unnamed_volumes(container)
            case RenameContainer():
                self._refuse(action.new_name in self.containers, f"the name {action.new_name} is taken")
                container = self._found(action.target)
                del self.containers[container.name]
                self.containers[action.new_name] = replace(container, name=action.new_name)
            case AwaitReady():
                container = self._found(action.target)
                ended = container.service in self.one_shots or container.oneoff
                self._refuse(
                    container.state != ("exited" if ended else "running"), f"{action.target} is not up"
                )
            case RunCommand():
                self._refuse(
                    self._found(action.container).state != "running", f"{action.container} does not run"
                )
            case _:
                raise AssertionError(f"{action.kind} is not simulated")

    def _create(self, action: CreateContainer) -> None:
        self._refuse(action.target in self.containers, f"the name {action.target} is taken")
        late = action.late.containers if action.late else ()
        ids = {name: self._found(name).id for name in late}
        image = self.images.get(action.body["Image"])
        if image is None:
            raise RefusedError(f"no image {action.body['Image']}")
        body = body_with_late_values(action, image_id=image.id, containers=ids)
        host = body["HostConfig"]
        joined = [*body.get("NetworkingConfig", {}).get("EndpointsConfig", {}), *action.more_networks]
        missing = [name for name in joined if name not in self.networks]
        self._refuse(bool(missing), f"no network {missing}")
        self.containers[action.target] = ObservedContainer(
            id=self._new_id(),
            name=action.target,
            service=action.service,
            number=int(body["Labels"].get(NUMBER, 1)),
            image=body["Image"],
            image_id=image.id,
            state="created",
            oneoff=NUMBER not in body["Labels"],
            labels=body["Labels"],
            networks={name: self.networks[name].id for name in joined},
            mounts=tuple(self._mounts_of(host)),
            ports=tuple(_ports_of(host)),
        )

    def _mounts_of(self, host: Body) -> list[ObservedMount]:
        binds, mounts = host.get("Binds") or (), host.get("Mounts") or ()
        named = [ObservedMount("volume", line.split(":")[1], name=line.split(":")[0]) for line in binds]
        return named + [self._volume_mount(mount) for mount in mounts if mount["Type"] == "volume"]

    def _volume_mount(self, mount: Body) -> ObservedMount:
        name = mount.get("Source") or self._new_id()
        own = mount.get("VolumeOptions", {}).get("Labels", {}) if self.labels_volumes else {}
        self.volumes.setdefault(name, ObservedVolume(name, labels=own))
        return ObservedMount("volume", mount["Target"], name=name, anonymous="Source" not in mount)

    def _remove_unnamed_volumes(self, container: ObservedContainer) -> None:
        used = {mount.name for item in self.containers.values() for mount in item.mounts}
        for mount in container.mounts:
            if mount.anonymous and mount.name not in used:
                self.volumes.pop(mount.name, None)
                self.data.pop(mount.name, None)

    def data_at(self, path: str) -> dict[tuple[str, int], str]:
        """Service and number -> what its container has at `path`, for those that have run."""
        return {
            (item.service, item.number): self.data[mount.name]
            for item in self.containers.values()
            for mount in item.mounts
            if mount.target == path and mount.name in self.data and not item.oneoff
        }

    def _start(self, container: ObservedContainer) -> None:
        for mount in container.mounts:
            self.data.setdefault(mount.name, self._new_id())
        held = {(port.host_port, port.protocol) for item in self._running() for port in item.ports}
        wanted = {(port.host_port, port.protocol) for port in container.ports}
        if container.state != "running":
            self._refuse(bool(wanted & held), f"a port of {container.name} is taken")
        gone = [name for name, id_ in container.networks.items() if self.networks[name].id != id_]
        self._refuse(bool(gone), f"a network of {container.name} is gone")
        if container.oneoff or container.service in self.one_shots:
            self._update(container, state="exited", exit_code=0)
        else:
            self._update(container, state="running", exit_code=None)

    def _running(self) -> list[ObservedContainer]:
        return [item for item in self.containers.values() if item.state == "running"]

    def _found(self, name: str) -> ObservedContainer:
        by_id = {item.id: item for item in self.containers.values()}
        container = self.containers.get(name) or by_id.get(name)
        if container is None:
            raise RefusedError(f"no container {name}")
        return container

    def _update(self, container: ObservedContainer, **changes: object) -> None:
        changed: Callable[..., ObservedContainer] = replace
        self.containers[container.name] = changed(container, **changes)

    def _mounts(self, container: ObservedContainer, volume: str) -> bool:
        return any(mount.name == volume for mount in container.mounts)

    def _refuse(self, refused: bool, why: str) -> None:
        if refused:
            raise RefusedError(why)

    def _new_id(self) -> str:
        self.made += 1
        return f"{self.made:x}".rjust(12, "e").ljust(64, "0")


def _ports_of(host: Body) -> list[PublishedPort]:
    return [
        PublishedPort(binding["HostIp"], int(binding["HostPort"]), int(port.partition("/")[0]))
        for port, found in (host.get("PortBindings") or {}).items()
        for binding in found
        if binding["HostPort"]
    ]
