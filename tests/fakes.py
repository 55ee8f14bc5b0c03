"""A small engine by hand, for the unit tests of what stands above the engine.

It keeps containers, images, networks and volumes as plain data, does at once what a real engine takes
time for, and writes down each call that changes something. What a container does is scripted:
`engine.behaviour["project-web-1"] = Behaviour(exit_code=3, logs=[("stdout", b"bye\\n")])`.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Unpack

from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.containers.observing import is_ours
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.protocol import (
    Blocks,
    BuildResult,
    EngineEvent,
    ExecResult,
    ExecSession,
    ExecSettings,
    OnProgress,
    OnWarning,
    Progress,
)
from invoke_devstack.errors import ConflictError, DevstackError, NotFoundError
from invoke_devstack.planning.labels import NUMBER, ONEOFF, PROJECT, SERVICE
from invoke_devstack.planning.observed import (
    EngineInfo,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedNetwork,
    ObservedVolume,
)
from invoke_devstack.planning.plan import Body, BuildRequest


@dataclass
class Behaviour:
    """What a container of a name does once it starts."""

    exit_code: int | None = None  # ends at once with this; None: it runs on
    health: str = ""  # health as soon as it runs; "" where the body has no healthcheck
    ignores_signals: bool = False  # outlives its grace period
    logs: list[tuple[str, bytes]] = field(default_factory=list)
    execs: Callable[[Sequence[str]], ExecResult] = lambda command: ExecResult(0, b"")
    on_start: DevstackError | None = None  # raised by `start`


class FakeEngine:
    """An `Engine`. `calls` are the changes, as (`start`, `project-web-1`), in order."""

    def __init__(self, info: EngineInfo | None = None) -> None:
        self.engine_info = info or EngineInfo(version="28.0.0", api=(1, 48), architecture="amd64")
        self.endpoint = Endpoint("unix:///fake/docker.sock")
        self.lets_go_at_end = False
        self.containers: dict[str, ObservedContainer] = {}  # by id
        self.bodies: dict[str, Body] = {}  # by id
        self.images: dict[str, ObservedImage] = {}  # by reference
        self.networks: dict[str, ObservedNetwork] = {}  # by name
        self.volumes: dict[str, ObservedVolume] = {}  # by name
        self.claimed: set[str] = set()  # volumes that are locks: no changes of the stack
        self.behaviour: dict[str, Behaviour] = {}  # by container name
        self.archives: list[tuple[str, str, bytes]] = []  # (container, path, tar)
        self.unpublished: dict[str, DevstackError] = {}  # by reference: what its registry says
        self.failures: dict[tuple[str, str], DevstackError] = {}  # (call, target) -> raised there
        self.calls: list[tuple[str, str]] = []
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._listeners: list[FakeEvents] = []

    def add_image(self, reference: str, **fields: Any) -> ObservedImage:
        """An image that is there from the start."""
        image = ObservedImage(reference=reference, id=f"sha256:{reference.encode().hex():0<64}", **fields)
        self.images[reference] = image
        return image

    def named(self, name: str) -> ObservedContainer:
        """The container of a name or id. Raises NotFoundError."""
        with self._lock:
            for item in self.containers.values():
                if name in (item.id, item.name):
                    return item
        raise NotFoundError(f"No such container: {name}", status=404)

    def set_health(self, name: str, health: str) -> None:
        self._update(self.named(name).id, f"health_status: {health}", health=health)

    def end(self, name: str, exit_code: int) -> None:
        """The container ends by itself."""
        self._update(self.named(name).id, "die", state="exited", exit_code=exit_code)

    # observing

    def info(self) -> EngineInfo:
        return self.engine_info

    def disk_usage(self) -> Mapping[str, Any]:
        return {}

    def system_info(self) -> Mapping[str, Any]:
        return {"Architecture": "x86_64"}

    def observe(
        self,
        project: str,
        *,
        images: Iterable[str] = (),
        networks: Iterable[str] = (),
        volumes: Iterable[str] = (),
        inspect: bool = False,
    ) -> Observed:
        def wanted(item: ObservedNetwork | ObservedVolume, names: Iterable[str]) -> bool:
            return item.name in names or item.labels.get(PROJECT) == project

        with self._lock:
            return Observed(
                project=project,
                engine=self.engine_info,
                containers=tuple(
                    item for item in self.containers.values() if item.labels.get(PROJECT) == project
                ),
                networks={k: v for k, v in self.networks.items() if wanted(v, tuple(networks))},
                volumes={k: v for k, v in self.volumes.items() if wanted(v, tuple(volumes))},
                images={name: self.images[name] for name in images if name in self.images},
                ours=tuple(item for item in self.volumes.values() if is_ours(item.labels)),
            )

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        item = self.named(container)
        body = self.bodies.get(item.id, {})
        streak = 3 if item.health == "unhealthy" else 0
        state = {"Status": item.health, "FailingStreak": streak, "Log": []}
        health = {"Health": state} if item.health else {}
        return {
            "Id": item.id,
            "Name": f"/{item.name}",
            "State": {
                "Status": item.state,
                "Running": item.state == "running",
                "ExitCode": item.exit_code or 0,
                "StartedAt": item.started_at or "0001-01-01T00:00:00Z",
                **health,
            },
            "Config": {key: value for key, value in body.items() if key != "HostConfig"},
            "HostConfig": body.get("HostConfig", {}),
            "NetworkSettings": {"Networks": {}, "Ports": {}},
            "Mounts": [],
        }

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        image = self.find_image(reference)
        if image is None:
            raise NotFoundError(f"the image {reference} is not on the engine", status=404)
        return {"Id": image.id, "Config": {"Labels": dict(image.labels)}}

    def find_image(self, reference: str) -> ObservedImage | None:
        return self.images.get(reference)

    def list_containers(self, filters: Mapping[str, Sequence[str]], *, all_: bool = True) -> list[Body]:
        labels = dict(pair.split("=", 1) for pair in filters.get("label", ()) if "=" in pair)
        with self._lock:
            return [
                {"Id": item.id, "Names": [f"/{item.name}"], "State": item.state, "Labels": dict(item.labels)}
                for item in self.containers.values()
                if all(item.labels.get(key) == value for key, value in labels.items())
                and (all_ or item.state == "running")
            ]

    def list_images(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        return [{"Id": image.id, "RepoTags": [name]} for name, image in self.images.items()]

    def list_volumes(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        labels = dict(pair.split("=", 1) for pair in filters.get("label", ()) if "=" in pair)
        return [
            {"Name": name, "Labels": dict(item.labels)}
            for name, item in self.volumes.items()
            if all(item.labels.get(key) == value for key, value in labels.items())
        ]

    def list_networks(self, filters: Mapping[str, Sequence[str]]) -> list[Body]:
        return [{"Name": name, "Id": item.id} for name, item in self.networks.items()]

    # images

    def require_published(self, reference: str) -> None:
        if error := self.unpublished.get(reference):
            raise error

    def pull(
        self,
        reference: str,
        *,
        platform: str = "",
        on_progress: OnProgress,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._call("pull", reference)
        on_progress(Progress("abc", "Downloading", 5, 10, "bytes"))
        self.add_image(reference)

    def push(
        self, reference: str, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> None:
        self._call("push", reference)

    def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancellation: Cancellation | None = None
    ) -> BuildResult:
        self._call("build", request.tag)
        on_progress(Progress("step 1/1", "FROM scratch", 1, 1, "steps"))
        return BuildResult(self.add_image(request.tag).id, 0, 1, "classic")

    def import_image(
        self, archive: BinaryIO, reference: str, *, changes: Sequence[str] = (), platform: str = ""
    ) -> str:
        self._call("import", reference)
        return self.add_image(reference).id

    def tag_image(self, image: str, reference: str) -> None:
        self._call("tag", reference)
        self.images[reference] = replace(self.images[image], reference=reference)

    def remove_image(self, image: str, *, force: bool = False) -> list[Body]:
        self._call("remove image", image)
        if self.images.pop(image, None) is None:
            raise NotFoundError(f"the image {image} is not on the engine", status=404)
        return [{"Untagged": image}]

    def image_history(self, image: str) -> list[Body]:
        return [{"Id": image, "CreatedBy": "", "Size": 0}]

    # networks and volumes

    def create_network(self, name: str, body: Body) -> str:
        self._call("create network", name)
        made = ObservedNetwork(self._new_id(), name, body.get("Labels", {}))
        self.networks[name] = made
        return made.id

    def remove_network(self, network: str) -> None:
        self._call("remove network", network)
        self.networks.pop(network)

    def connect_network(self, network: str, container: str, endpoint: Body) -> None:
        self._call("connect", f"{network} {self.named(container).name}")

    def create_volume(self, name: str, body: Body) -> None:
        self._call("create volume", name)
        self.volumes[name] = ObservedVolume(name, labels=body.get("Labels", {}))

    def claim_volume(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        with self._lock:
            self.claimed.add(name)
            return self.volumes.setdefault(name, ObservedVolume(name, labels=dict(labels))).labels

    def remove_volume(self, name: str) -> None:
        if name not in self.claimed:
            self._call("remove volume", name)
        self.volumes.pop(name)

    # containers

    def create_container(
        self, name: str, body: Body, *, platform: str = "", on_warning: OnWarning | None = None
    ) -> str:
        self._call("create", name)
        with self._lock:
            if any(item.name == name for item in self.containers.values()):
                raise ConflictError(f"the name {name} is taken", status=409)
            labels = body.get("Labels", {})
            made = ObservedContainer(
                id=self._new_id(),
                name=name,
                service=labels.get(SERVICE, ""),
                number=int(labels.get(NUMBER, 1)),
                image=body.get("Image", ""),
                image_id=self.images[body["Image"]].id if body.get("Image") in self.images else "",
                state="created",
                oneoff=labels.get(ONEOFF, "") == "True",
                labels=labels,
            )
            self.containers[made.id] = made
            self.bodies[made.id] = body
        return made.id

    def start(self, container: str) -> None:
        item = self.named(container)
        self._call("start", item.name)
        behaviour = self._behaviour(item)
        if behaviour.on_start is not None:
            raise behaviour.on_start
        health = behaviour.health or ("starting" if self.bodies[item.id].get("Healthcheck") else "")
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._update(item.id, "start", state="running", health=health, exit_code=None, started_at=started)
        if behaviour.exit_code is not None:
            self.end(item.id, behaviour.exit_code)

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        item = self.named(container)
        self._call("stop", item.name)
        self._finish(item, 137 if self._behaviour(item).ignores_signals else 0)

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        self.stop(container, signal=signal, grace=grace)
        self.start(container)

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        item = self.named(container)
        self._call("kill", item.name)
        if item.state != "running":
            raise ConflictError(f"{item.name} is not running", status=409)
        if signal == "SIGKILL" or not self._behaviour(item).ignores_signals:
            self._finish(item, 137 if signal == "SIGKILL" else 0)

    def pause(self, container: str) -> None:
        item = self.named(container)
        self._call("pause", item.name)
        self._update(item.id, "pause", state="paused")

    def unpause(self, container: str) -> None:
        item = self.named(container)
        self._call("unpause", item.name)
        self._update(item.id, "unpause", state="running")

    def rename(self, container: str, new_name: str) -> None:
        item = self.named(container)
        self._call("rename", new_name)
        self._update(item.id, "rename", name=new_name)

    def set_restart_policy(self, container: str, policy: Body) -> None:
        self._call("set restart policy", self.named(container).name)

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None:
        item = self.named(container)
        self._call("remove", item.name)
        with self._changed:
            if item.state == "running" and not force:
                raise ConflictError(f"{item.name} runs", status=409)
            del self.containers[item.id]
            self._changed.notify_all()
        self._tell(item, "destroy")

    def wait(self, container: str, *, timeout: float | None = None) -> int:
        item = self.named(container)
        with self._changed:
            done = self._changed.wait_for(
                lambda: item.id not in self.containers or self.containers[item.id].state != "running", timeout
            )
            if not done:
                raise TimeoutError(f"{item.name} runs after {timeout} s")
            return self.containers.get(item.id, item).exit_code or 0

    # inside a container

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
        timeout: float | None = None,
    ) -> ExecResult:
        item = self.named(container)
        if item.state != "running":
            raise ConflictError(f"{item.name} is not running", status=409)
        return self._behaviour(item).execs(command)

    def exec_detached(self, container: str, command: Sequence[str], **settings: Unpack[ExecSettings]) -> None:
        self.exec(container, command, **settings)

    def commit(
        self,
        container: str,
        reference: str,
        *,
        author: str = "",
        message: str = "",
        changes: Sequence[str] = (),
        pause: bool = True,
    ) -> str:
        self._call("commit", f"{self.named(container).name} {reference}")
        return "sha256:commit"

    def export(self, container: str) -> Blocks:
        raise NotFoundError("the fake engine has no files")

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        user: str = "",
        working_dir: str = "",
        environment: Sequence[str] = (),
        privileged: bool = False,
    ) -> ExecSession:
        raise NotFoundError("the fake engine has no terminals")

    def attach(self, container: str, *, tty: bool, stdin: bool, detach_keys: str = "") -> ExecSession:
        raise NotFoundError("the fake engine has no terminals")

    def put_archive(
        self,
        container: str,
        path: str,
        archive: bytes | BinaryIO | Iterable[bytes],
        *,
        keep_kinds: bool = False,
    ) -> None:
        content = archive if isinstance(archive, bytes) else b"".join(archive)
        self._call("put", f"{self.named(container).name}:{path}")
        self.archives.append((container, path, content))

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        raise NotFoundError(f"no such path: {path}", status=404)

    def stat_path(self, container: str, path: str) -> Mapping[str, Any] | None:
        self.named(container)
        return None

    # streams

    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str = "",
        until: str = "",
        timestamps: bool = False,
        tty: bool = False,
    ) -> FakeLog:
        item = self.named(container)
        blocks = self._behaviour(item).logs
        return FakeLog(blocks[-tail:] if tail else blocks if tail is None else [])

    def events(self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = "") -> FakeEvents:
        listener = FakeEvents()
        with self._lock:
            self._listeners.append(listener)
        return listener

    def top(self, container: str) -> Body:
        return {"Titles": ["PID", "CMD"], "Processes": [["1", "true"]]}

    def stats(self, container: str) -> Iterator[Body]:
        return iter(())

    def sample(self, container: str) -> Body:
        return {}

    def changes(self, container: str) -> list[Body]:
        return []

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _behaviour(self, item: ObservedContainer) -> Behaviour:
        return self.behaviour.get(item.name, Behaviour())

    def _new_id(self) -> str:
        return f"{next(self._ids):064x}"

    def _call(self, name: str, target: str) -> None:
        with self._lock:
            self.calls.append((name, target))
            failure = self.failures.get((name, target))
        if failure is not None:
            raise failure

    def _finish(self, item: ObservedContainer, exit_code: int) -> None:
        if item.state in ("running", "paused"):
            self._update(item.id, "die", state="exited", exit_code=exit_code)

    def _update(self, container: str, action: str, **fields: Any) -> None:
        with self._changed:
            item = self.containers[container] = replace(self.containers[container], **fields)
            self._changed.notify_all()
        self._tell(item, action)

    def _tell(self, item: ObservedContainer, action: str) -> None:
        code = {} if item.exit_code is None else {"exitCode": str(item.exit_code)}
        attributes = {"name": item.name, "image": item.image, **item.labels, **code}
        for listener in tuple(self._listeners):
            listener.put(EngineEvent("container", action, item.id, attributes, time.time()))


class FakeLog:
    """A `LogStream` over blocks that are there."""

    def __init__(self, blocks: Sequence[tuple[str, bytes]]) -> None:
        self._blocks = tuple(blocks)
        self._closed = False

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for block in self._blocks:
            if self._closed:
                return
            yield block

    def close(self) -> None:
        self._closed = True


class FakeEvents:
    """An `EventStream` of what the fake engine does from now on."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[EngineEvent | None] = queue.SimpleQueue()

    def put(self, event: EngineEvent) -> None:
        self._queue.put(event)

    def __iter__(self) -> Iterator[EngineEvent]:
        return iter(self._queue.get, None)

    def close(self) -> None:
        self._queue.put(None)
