"""What the fake engine keeps, and how that changes; what its containers do, and what is heard of it."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.protocol import EngineEvent, ExecResult
from invoke_devstack.errors import DevstackError, NotFoundError
from invoke_devstack.planning.observed import (
    EngineInfo,
    ObservedContainer,
    ObservedImage,
    ObservedNetwork,
    ObservedVolume,
)
from invoke_devstack.planning.plan import Body


@dataclass
class Behaviour:
    """What a container of a name does once it starts."""

    exit_code: int | None = None  # ends at once with this; None: it runs on
    health: str = ""  # health as soon as it runs; "" where the body has no healthcheck
    ignores_signals: bool = False  # outlives its grace period
    logs: list[tuple[str, bytes]] = field(default_factory=list)
    execs: Callable[[Sequence[str]], ExecResult] = lambda command: ExecResult(0, b"")
    on_start: DevstackError | None = None  # raised by `start`


class FakeState:
    """`calls` are the changes, as (`start`, `project-web-1`), in order."""

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
