"""One container that files are synced into, in the fastest way it allows.

A running container that has a shell receives them through it. Otherwise the engine unpacks an archive, even
into a stopped container; deletions, which no archive can express, then wait until the container is started.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import EngineError
from invoke_devstack.planning.labels import ONEOFF, PROJECT, SERVICE
from invoke_devstack.planning.watching.actions import relative
from invoke_devstack.running.watch.delivery.archive import Owner, engine_archive, shell_archive
from invoke_devstack.running.watch.delivery.sync_errors import (
    DiskFullError,
    ReadOnlyError,
    SyncError,
    sync_error,
)
from invoke_devstack.running.watch.delivery.unpack_shell import (
    ShellLostError,
    ShellRefusedError,
    ShellUnavailableError,
    UnpackShell,
)
from invoke_devstack.running.watch.delivery.upload import Upload

_ATTEMPTS = 2  # a restart of the container ends the shell
_PATHS_PER_COMMAND = 200
_BLOCK = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a container received. `waiting` deletions are done when it is started."""

    files: int = 0
    deleted: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.files + self.deleted + self.waiting

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(self.files + other.files, self.deleted + other.deleted, self.waiting + other.waiting)


@dataclass(slots=True)
class SyncContainer:
    """A container of a service. Used by one thread at a time."""

    engine: Engine
    id: str
    name: str
    running: bool
    owner: Owner
    mounts: tuple[str, ...] = ()  # paths that are file systems of their own
    tmpfs: tuple[str, ...] = ()  # those of them that are emptied at each start
    created: str = ""  # RFC 3339
    caught_up: bool = False  # it was compared with the host
    incomplete: bool = False  # files did not fit into it
    _shell: UnpackShell | None = None
    _shell_unavailable: bool = False
    _waiting: list[str] = field(default_factory=list)

    @property
    def starts_outdated(self) -> bool:
        """Whether it has to be compared with the host when it is started."""
        return bool(self.tmpfs) or not self.caught_up

    @property
    def has_shell(self) -> bool:
        return self._shell is not None

    def deliver(self, upload: Upload) -> Delivery:
        """Syncs all of `upload`. Raises SyncError, or NotFoundError if the container is gone."""
        self._waiting = [path for path in self._waiting if not upload.replaces(path)]
        for _ in range(_ATTEMPTS):
            if self.open_shell() is None:
                break
            try:
                return self._through_shell(upload)
            except ShellLostError:
                self.refresh()
            except ShellRefusedError as refused:
                return self._after_refusal(upload, refused)
        return self._through_engine(upload)

    def ask(self, script: str) -> bytes | None:
        """The output of a shell script in the container; None without a shell to run it."""
        shell = self.open_shell()
        if shell is None:
            return None
        try:
            return shell.send(shell_archive(Upload(), self.owner, script))
        except (ShellLostError, ShellRefusedError):
            self.close()
            return None

    def refresh(self) -> None:
        """Checks whether the container is running, after it was started or stopped. Raises NotFoundError."""
        self.close()
        self.running = _is_running(self.engine.inspect_container(self.id))
        self._shell_unavailable = False

    def flush(self) -> Delivery:
        """Carries out the deletions that waited for the container's start."""
        waiting, self._waiting = self._waiting, []
        return self.deliver(Upload(deletions=waiting)) if waiting else Delivery()

    def open_shell(self) -> UnpackShell | None:
        """The open shell, opened now if need be; None where there can be none."""
        if self._shell is None and self.running and not self._shell_unavailable:
            try:
                self._shell = UnpackShell(self.engine, self.id)
            except ShellUnavailableError:
                self._shell_unavailable = True
        return self._shell

    def close(self) -> None:
        """Ends the shell."""
        if self._shell is not None:
            self._shell.close()
        self._shell = None

    def _through_shell(self, upload: Upload) -> Delivery:
        assert self._shell is not None
        delivery = Delivery()
        for directory, part in self._by_file_system(upload).items():
            output = self._shell.send(shell_archive(part, self.owner), directory)
            delivery += Delivery(files=len(part.items), deleted=output.count(b"deleted\n"))
        return delivery

    def _by_file_system(self, upload: Upload) -> Mapping[str, Upload]:
        """Mount point -> the part of the upload for it: a rename works only within a file system."""
        parts: dict[str, Upload] = {}
        for item in upload.items:
            parts.setdefault(self._mount_of(item.path), Upload()).items.append(item)
        for path in upload.deletions:
            parts.setdefault(self._mount_of(path), Upload()).deletions.append(path)
        return parts

    def _mount_of(self, path: str) -> str:
        return max((mount for mount in self.mounts if relative(path, mount)), key=len, default="/")

    def _after_refusal(self, upload: Upload, refused: ShellRefusedError) -> Delivery:
        """The engine may be allowed what the shell is not (without capabilities, for example). It does not
        see a tmpfs, and has no more space."""
        error = sync_error(refused.message, self.name)
        paths = (*(item.path for item in upload.items), *upload.deletions)
        if isinstance(error, DiskFullError | ReadOnlyError) or any(
            self._mount_of(path) in self.tmpfs for path in paths
        ):
            raise error
        try:
            return self._through_engine(upload)
        except SyncError:
            raise error from refused

    def _through_engine(self, upload: Upload) -> Delivery:
        deleted, waiting = self._delete(upload.deletions)
        if upload.items:
            try:
                self.engine.put_archive(self.id, "/", _blocks(engine_archive(upload.items, self.owner)))
            except EngineError as error:
                if error.reason == "no-container":
                    raise
                raise sync_error(" ".join((error.message, *error.details)), self.name) from error
        return Delivery(len(upload.items), deleted, waiting)

    def _delete(self, paths: Sequence[str]) -> tuple[int, int]:
        """(deleted, left for the container's start)."""
        if paths and not self.running:
            self._waiting += paths
            return 0, len(paths)
        for start in range(0, len(paths), _PATHS_PER_COMMAND):
            self._remove(paths[start : start + _PATHS_PER_COMMAND])
        return len(paths), 0

    def _remove(self, paths: Sequence[str]) -> None:
        result = self.engine.exec(self.id, ("rm", "-rf", "--", *paths), user="0")
        if result.exit_code in _NO_SUCH_COMMAND:
            hint = "The image has no `rm`. Use `action: rebuild`."
            raise SyncError(f"cannot delete files in {self.name}", hint=hint)
        if result.exit_code:
            raise sync_error(result.output.decode("utf-8", "replace").strip(), self.name)


_NO_SUCH_COMMAND = (126, 127)


def find_sync_containers(
    engine: Engine, project: str, service: str, known: Iterable[SyncContainer] = ()
) -> list[SyncContainer]:
    """The service's containers, running or not. Those in `known` that still exist are kept, others closed."""
    labels = (f"{PROJECT}={project}", f"{SERVICE}={service}", f"{ONEOFF}=False")
    kept = {container.id: container for container in known}
    found = [str(body["Id"]) for body in engine.list_containers({"label": labels})]
    for id_, container in kept.items():
        if id_ not in found:
            container.close()
    return [kept[id_] if id_ in kept else make_sync_container(engine, id_) for id_ in found]


def make_sync_container(engine: Engine, container: str) -> SyncContainer:
    """Inspects `container`. Raises NotFoundError."""
    body = engine.inspect_container(container)
    mounts = body.get("Mounts") or ()
    tmpfs = (
        *(body["HostConfig"].get("Tmpfs") or {}),
        *(str(mount["Destination"]) for mount in mounts if mount.get("Type") == "tmpfs"),
    )
    return SyncContainer(
        engine=engine,
        id=str(body["Id"]),
        name=str(body["Name"]).lstrip("/"),
        running=_is_running(body),
        owner=find_owner(engine, container, str(body["Config"].get("User") or "")),
        mounts=(*(str(mount["Destination"]) for mount in mounts), *tmpfs),
        tmpfs=tmpfs,
        created=str(body["Created"]),
    )


def _is_running(body: Mapping[str, Any]) -> bool:
    state = body["State"]
    return bool(state.get("Running")) and not state.get("Paused") and not state.get("Restarting")


def _blocks(file: IO[bytes]) -> Iterable[bytes]:
    while block := file.read(_BLOCK):
        yield block


_ROOT: Owner = (0, 0)


def find_owner(engine: Engine, container: str, user: str) -> Owner:
    """(uid, gid) of a container's `user`, as Docker reads it: a name or number, optionally `:` and a
    group."""
    name, _, group = user.partition(":")
    if not name or name == "root" or name == "0":
        return _ROOT
    if name.isdecimal() and group.isdecimal():
        return int(name), int(group)
    passwd = _read(engine, container, "/etc/passwd")
    groups = _read(engine, container, "/etc/group") if group and not group.isdecimal() else ""
    return resolve_owner(name, group, passwd, groups)


def resolve_owner(name: str, group: str, passwd: str, groups: str) -> Owner:
    """The same from the content of `/etc/passwd` and `/etc/group`; root for names that they lack."""
    uid, gid = (int(name), 0) if name.isdecimal() else _ROOT
    for entry in _entries(passwd, 4):
        if entry[0] == name or entry[2] == name:
            uid, gid = int(entry[2]), int(entry[3])
            break
    if group.isdecimal():
        gid = int(group)
    for entry in _entries(groups, 3):
        if group and entry[0] == group:
            gid = int(entry[2])
    return uid, gid


def _entries(text: str, fields: int) -> list[list[str]]:
    split = (line.split(":") for line in text.splitlines())
    return [entry for entry in split if len(entry) >= fields and all(n.isdecimal() for n in entry[2:fields])]


def _read(engine: Engine, container: str, path: str) -> str:
    try:
        _, chunks = engine.get_archive(container, path)
        with tarfile.open(fileobj=BytesIO(b"".join(chunks))) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    return file.read().decode("utf-8", "replace")
    except (EngineError, tarfile.TarError):
        return ""
    return ""
