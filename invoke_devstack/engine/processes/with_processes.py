"""The engine of a stack some of whose services are processes of this machine: what is asked about a process
container is answered here, everything else by the Docker Engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack

from invoke_devstack.engine.containers.observing import read_image
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.processes.listing import ListingProcesses
from invoke_devstack.errors import ConflictError, EngineError
from invoke_devstack.planning.labels import PROJECT
from invoke_devstack.planning.processes.image import PROCESS_IMAGE, PROCESS_IMAGE_ID

if TYPE_CHECKING:
    from invoke_devstack.engine.processes.process import KeptProcess
    from invoke_devstack.engine.protocol import (
        Blocks,
        EventStream,
        ExecResult,
        ExecSession,
        ExecSettings,
        LogStream,
        OnWarning,
    )
    from invoke_devstack.planning.observed import Observed, ObservedImage
    from invoke_devstack.planning.plan import Body

_IMAGE: dict[str, Any] = {"Id": PROCESS_IMAGE_ID, "RepoTags": [PROCESS_IMAGE], "Config": {}}


class WithProcesses(ListingProcesses, DockerEngine):
    """See `Engine`."""

    def _kept(self, container: str) -> KeptProcess | None:
        """The process container of that name or id; None for a container of the engine."""
        return next((item for item in self._all() if container in (item.name, item.id)), None)

    # observing
    def observe(
        self,
        project: str,
        *,
        images: Iterable[str] = (),
        networks: Iterable[str] = (),
        volumes: Iterable[str] = (),
        inspect: bool = False,
    ) -> Observed:
        wanted = list(images)
        others = [name for name in wanted if name != PROCESS_IMAGE]
        # It lists and inspects containers by the methods below.
        seen = super().observe(project, images=others, networks=networks, volumes=volumes, inspect=inspect)
        if len(others) == len(wanted):
            return seen
        return replace(seen, images={**seen.images, PROCESS_IMAGE: read_image(PROCESS_IMAGE, _IMAGE)})

    def inspect_container(self, container: str) -> Mapping[str, Any]:
        kept = self._kept(container)
        return kept.inspection() if kept else super().inspect_container(container)

    def inspect_image(self, reference: str) -> Mapping[str, Any]:
        if reference in (PROCESS_IMAGE, PROCESS_IMAGE_ID):
            return _IMAGE
        return super().inspect_image(reference)

    def find_image(self, reference: str) -> ObservedImage | None:
        if reference == PROCESS_IMAGE:
            return read_image(reference, _IMAGE)
        return super().find_image(reference)

    # containers
    def create_container(
        self, name: str, body: Body, *, platform: str = "", on_warning: OnWarning | None = None
    ) -> str:
        if body.get("Image") != PROCESS_IMAGE:
            return super().create_container(name, body, platform=platform, on_warning=on_warning)
        if self._kept(name) or super().list_containers({"name": (f"^/{name}$",)}):
            raise ConflictError(f"there is a container called {name}")
        return self._keeper.create((body.get("Labels") or {}).get(PROJECT, ""), name, body).id

    def start(self, container: str) -> None:
        kept = self._kept(container)
        if kept is None:
            super().start(container)
        else:
            self._keeper.start(kept)

    def stop(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        kept = self._kept(container)
        if kept is None:
            super().stop(container, signal=signal, grace=grace)
        else:
            self._keeper.stop(kept, signal, grace)

    def restart(self, container: str, *, signal: str = "", grace: float = 10.0) -> None:
        kept = self._kept(container)
        if kept is None:
            super().restart(container, signal=signal, grace=grace)
        else:
            self._keeper.stop(kept, signal, grace)
            self._keeper.start(kept)

    def kill(self, container: str, signal: str = "SIGKILL") -> None:
        kept = self._kept(container)
        if kept is None:
            super().kill(container, signal)
        else:
            self._keeper.kill(kept, signal)

    def pause(self, container: str) -> None:
        kept = self._kept(container)
        if kept is None:
            super().pause(container)
        else:
            self._keeper.pause(kept)

    def unpause(self, container: str) -> None:
        kept = self._kept(container)
        if kept is None:
            super().unpause(container)
        else:
            self._keeper.unpause(kept)

    def rename(self, container: str, new_name: str) -> None:
        kept = self._kept(container)
        if kept is None:
            super().rename(container, new_name)
        else:
            kept.rename(new_name)

    def set_restart_policy(self, container: str, policy: Body) -> None:
        if self._kept(container) is None:
            super().set_restart_policy(container, policy)

    def remove_container(self, container: str, *, volumes: bool = True, force: bool = False) -> None:
        kept = self._kept(container)
        if kept is None:
            super().remove_container(container, volumes=volumes, force=force)
        else:
            self._keeper.remove(kept, force=force)

    def wait(self, container: str, *, timeout: float | None = None) -> int:
        kept = self._kept(container)
        return super().wait(container, timeout=timeout) if kept is None else self._keeper.wait(kept, timeout)

    # inside
    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float | None = None,
        **settings: Unpack[ExecSettings],
    ) -> ExecResult:
        kept = self._kept(container)
        if kept is None:
            return super().exec(container, command, timeout=timeout, **settings)
        return self._keeper.run(kept, command, timeout, settings)

    def exec_detached(self, container: str, command: Sequence[str], **settings: Unpack[ExecSettings]) -> None:
        self._refuse(container, "run the command in a terminal of your own")
        super().exec_detached(container, command, **settings)

    def open_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        **settings: Unpack[ExecSettings],
    ) -> ExecSession:
        self._refuse(container, "run the command in a terminal of your own")
        return super().open_exec(container, command, tty=tty, stdin=stdin, **settings)

    def attach(self, container: str, *, tty: bool, stdin: bool, detach_keys: str = "") -> ExecSession:
        self._refuse(container, "it has no terminal; follow its logs instead")
        return super().attach(container, tty=tty, stdin=stdin, detach_keys=detach_keys)

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
        self._refuse(container, "it has no file system of its own")
        return super().commit(
            container, reference, author=author, message=message, changes=changes, pause=pause
        )

    def export(self, container: str) -> Blocks:
        self._refuse(container, "it has no file system of its own")
        return super().export(container)

    def put_archive(
        self,
        container: str,
        path: str,
        archive: bytes | BinaryIO | Iterable[bytes],
        *,
        keep_kinds: bool = False,
    ) -> None:
        self._refuse(container, "copy files of this machine yourself")
        super().put_archive(container, path, archive, keep_kinds=keep_kinds)

    def get_archive(self, container: str, path: str) -> tuple[Mapping[str, Any], Blocks]:
        self._refuse(container, "copy files of this machine yourself")
        return super().get_archive(container, path)

    def stat_path(self, container: str, path: str) -> Mapping[str, Any] | None:
        self._refuse(container, "copy files of this machine yourself")
        return super().stat_path(container, path)

    def _refuse(self, container: str, instead: str) -> None:
        kept = self._kept(container)
        if kept is not None:
            raise EngineError(f"{kept.name} is a process of this machine: {instead}")

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
    ) -> LogStream:
        kept = self._kept(container)
        if kept is None:
            return super().logs(
                container, follow=follow, tail=tail, since=since, until=until, timestamps=timestamps, tty=tty
            )
        from invoke_devstack.engine.processes.log import ProcessLog

        return ProcessLog(
            kept.folder / "log",
            kept.has_recorder,
            follow=follow,
            tail=tail,
            since=since,
            until=until,
            timestamps=timestamps,
        )

    def events(
        self, filters: Mapping[str, Sequence[str]], *, since: str = "", until: str = ""
    ) -> EventStream:
        from invoke_devstack.engine.processes.events import MergedEvents, ProcessEvents
        from invoke_devstack.engine.transport.streams import engine_time

        own = ProcessEvents(self._directory, filters, since=engine_time(since), until=engine_time(until))
        return MergedEvents(super().events(filters, since=since, until=until), own)

    def top(self, container: str) -> Body:
        kept = self._kept(container)
        return super().top(container) if kept is None else self._keeper.top(kept)

    def stats(self, container: str) -> Iterator[Body]:
        kept = self._kept(container)
        return super().stats(container) if kept is None else self._keeper.stats(kept)

    def changes(self, container: str) -> list[Body]:
        return super().changes(container) if self._kept(container) is None else []
