"""One container that files are brought into, by the fastest way that it allows.

Through the helper where the container runs and has a shell; else through the engine, which also
reaches a stopped container. What an archive cannot do there, deleting, waits until it is started.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError, EngineError
from invoke_devstack.planning.watching import relative
from invoke_devstack.running.watch.archive import Owner, engine_archive, helper_archive
from invoke_devstack.running.watch.helper import (
    Helper,
    HelperLostError,
    HelperRefusedError,
    HelperUnavailableError,
)
from invoke_devstack.running.watch.owner import find_owner
from invoke_devstack.running.watch.parcel import Parcel

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine

_ATTEMPTS = 2  # a restart of the container ends the helper
_NAMES_A_COMMAND = 200


class SyncError(DevstackError):
    """Files that did not arrive; what the engine or the container said of it."""


class DiskFullError(SyncError):
    """Files that did not arrive for want of room: later they may."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a parcel came to. `waiting` deletions are done when the container is started."""

    files: int = 0
    deleted: int = 0
    waiting: int = 0

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(self.files + other.files, self.deleted + other.deleted, self.waiting + other.waiting)


@dataclass(slots=True)
class Target:
    """A container of a service. Used by one thread at a time."""

    engine: Engine
    id: str
    name: str
    running: bool
    owner: Owner
    mounts: tuple[str, ...] = ()  # paths that are file systems of their own
    memory: tuple[str, ...] = ()  # those of them that are a tmpfs: emptied at each start
    image: str = ""
    created: str = ""  # RFC 3339
    caught_up: bool = False  # it was compared with the host
    _helper: Helper | None = None
    _helper_fails: bool = False
    _waiting: list[str] = field(default_factory=list)

    def deliver(self, parcel: Parcel) -> Delivery:
        """Brings all of `parcel` in. Raises SyncError, or NotFoundError when the container is gone."""
        self._waiting = [path for path in self._waiting if not _is_among(path, parcel)]
        for _ in range(_ATTEMPTS):
            if self._open_helper() is None:
                break
            try:
                return self._through_helper(parcel)
            except HelperLostError:
                self.refresh()
            except HelperRefusedError as refused:
                return self._after_refusal(parcel, refused)
        return self._through_engine(parcel)

    def ask(self, script: str) -> bytes | None:
        """The output of a shell script in the container; None where there is no shell to run it."""
        helper = self._open_helper()
        if helper is None:
            return None
        try:
            return helper.send(helper_archive(Parcel(), self.owner, script))
        except (HelperLostError, HelperRefusedError):
            self._drop_helper()
            return None

    @property
    def has_helper(self) -> bool:
        """Whether the helper runs: what only it can do can be done."""
        return self._helper is not None

    def refresh(self) -> None:
        """Looks whether the container runs, after it was started or stopped. Raises NotFoundError."""
        self._drop_helper()
        self.running = _is_running(self.engine.inspect_container(self.id))
        self._helper_fails = False

    def flush(self) -> Delivery:
        """Does the deletions that waited for the container's start."""
        waiting, self._waiting = self._waiting, []
        return self.deliver(Parcel(deletions=waiting)) if waiting else Delivery()

    def warm(self) -> None:
        """Begins the helper, so that the next parcel need not wait for it."""
        self._open_helper()

    def close(self) -> None:
        """Ends the helper."""
        self._drop_helper()

    def _open_helper(self) -> Helper | None:
        if self._helper is None and self.running and not self._helper_fails:
            try:
                self._helper = Helper(self.engine, self.id)
            except HelperUnavailableError:
                self._helper_fails = True
        return self._helper

    def _drop_helper(self) -> None:
        if self._helper is not None:
            self._helper.close()
        self._helper = None

    def _through_helper(self, parcel: Parcel) -> Delivery:
        assert self._helper is not None
        delivery = Delivery()
        for directory, part in self._by_file_system(parcel).items():
            output = self._helper.send(helper_archive(part, self.owner), directory)
            delivery += Delivery(files=len(part.items), deleted=output.count(b"gone\n"))
        return delivery

    def _by_file_system(self, parcel: Parcel) -> Mapping[str, Parcel]:
        """The parcel's parts by the mount that they go to: a rename works only within one."""
        parts: dict[str, Parcel] = {}
        for item in parcel.items:
            parts.setdefault(self._mount_of(item.path), Parcel()).items.append(item)
        for path in parcel.deletions:
            parts.setdefault(self._mount_of(path), Parcel()).deletions.append(path)
        return parts

    def _mount_of(self, path: str) -> str:
        holders = [mount for mount in self.mounts if relative(path, mount)]
        return max(holders, key=len, default="/")

    def _after_refusal(self, parcel: Parcel, refused: HelperRefusedError) -> Delivery:
        """What the helper may not do (without capabilities, say) the engine may. It does not see a
        tmpfs, and has no more space than others."""
        error = sync_error(refused.message, self.name)
        paths = (*(item.path for item in parcel.items), *parcel.deletions)
        if error.hint or any(self._mount_of(path) in self.memory for path in paths):
            raise error
        try:
            return self._through_engine(parcel)
        except SyncError:
            raise error from refused

    def _through_engine(self, parcel: Parcel) -> Delivery:
        deleted, waiting = self._delete(parcel.deletions)
        if parcel.items:
            try:
                self.engine.put_archive(self.id, "/", _chunks(engine_archive(parcel.items, self.owner)))
            except EngineError as error:
                if error.status == 404 and "no such container" in error.message.lower():
                    raise
                raise sync_error(" ".join((error.message, *error.details)), self.name) from error
        return Delivery(len(parcel.items), deleted, waiting)

    def _delete(self, paths: Sequence[str]) -> tuple[int, int]:
        """(deleted, left for the container's start)."""
        if not paths:
            return 0, 0
        if not self.running:
            self._waiting += paths
            return 0, len(paths)
        for start in range(0, len(paths), _NAMES_A_COMMAND):
            command = ("rm", "-rf", "--", *paths[start : start + _NAMES_A_COMMAND])
            result = self.engine.exec(self.id, command, user="0")
            if result.exit_code:
                raise sync_error(result.output.decode("utf-8", "replace").strip(), self.name)
        return len(paths), 0


def find_targets(engine: Engine, project: str, service: str, known: Iterable[Target] = ()) -> list[Target]:
    """The service's containers, running or not; those of `known` that are still there are kept."""
    labels = (
        f"com.docker.compose.project={project}",
        f"com.docker.compose.service={service}",
        "com.docker.compose.oneoff=False",
    )
    kept = {target.id: target for target in known}
    found = [str(body["Id"]) for body in engine.list_containers({"label": labels})]
    for id_, target in kept.items():
        if id_ not in found:
            target.close()
    return [kept[id_] if id_ in kept else make_target(engine, id_) for id_ in found]


def make_target(engine: Engine, container: str) -> Target:
    """A target of what the engine says of `container`. Raises NotFoundError."""
    body = engine.inspect_container(container)
    memory = (
        *(body["HostConfig"].get("Tmpfs") or {}),
        *(str(mount["Destination"]) for mount in body.get("Mounts") or () if mount.get("Type") == "tmpfs"),
    )
    return Target(
        engine=engine,
        id=str(body["Id"]),
        name=str(body["Name"]).lstrip("/"),
        running=_is_running(body),
        owner=find_owner(engine, container, str(body["Config"].get("User") or "")),
        mounts=(*(str(mount["Destination"]) for mount in body.get("Mounts") or ()), *memory),
        memory=memory,
        image=str(body["Image"]),
        created=str(body["Created"]),
    )


def sync_error(said: str, container: str) -> SyncError:
    """An error for people, of what a tool or the engine said."""
    lowered = said.lower()
    if "no space left" in lowered:
        hint = "Free space in it: with your next save what is missing comes too."
        return DiskFullError(f"the disk of {container} is full: {said}", hint=hint)
    if "read-only" in lowered:
        hint = "Sync to a volume or tmpfs of it, or use `action: rebuild`."
        return SyncError(f"{container} is read-only there: {said}", hint=hint)
    if "not found" in lowered and "exec" in lowered:
        hint = "Rebuild the image: it has no `rm`, and the engine alone cannot delete."
        return SyncError(f"nothing can be deleted in {container}", hint=hint)
    return SyncError(f"{container}: {said}")


def _is_running(body: Mapping[str, Any]) -> bool:
    state = body["State"]
    return bool(state.get("Running")) and not state.get("Paused") and not state.get("Restarting")


def _is_among(path: str, parcel: Parcel) -> bool:
    return path in parcel.deletions or any(relative(item.path, path) is not None for item in parcel.items)


def _chunks(file: Any) -> Iterable[bytes]:
    while chunk := file.read(1024 * 1024):
        yield chunk
