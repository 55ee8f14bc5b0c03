"""The containers of the fake engine: from `create` to `remove`, and what is inside."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Unpack

from invoke_devstack.engine.protocol import Blocks, ExecResult, ExecSession, ExecSettings, OnWarning
from invoke_devstack.errors import ConflictError, NotFoundError
from invoke_devstack.planning.labels import NUMBER, ONEOFF, SERVICE
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import Body
from tests.fakes.state import FakeEvents, FakeLog, FakeState


class FakeContainers(FakeState):
    """The part of an `Engine` that is about one container."""

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
