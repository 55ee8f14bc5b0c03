"""Exports a snapshot to a file and imports it, on another machine too; `file_format` describes the file.

An import reads the file twice. The first time it verifies all of it, before anything is created on the
engine; a verified copy would need the space of a second file. The second time it must find the same. Every
member is checked: nothing outside `snapshot/`, nothing through a link, no devices.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.events import Notice
from invoke_devstack.local_files.replacing import PRIVATE, remove_leftovers, replaced, writing
from invoke_devstack.planning.plans.snapshots import Snapshot, check_fits, find_snapshot
from invoke_devstack.running import copy_container
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.selection import find_service
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import file_format
from invoke_devstack.running.snapshots.common import list_snapshots, observe_settled, reported, volumes_named
from invoke_devstack.running.snapshots.file_format import Reading, SnapshotFile
from invoke_devstack.running.snapshots.taking import complete, new_snapshot

_COMPRESSED = (".gz", ".tgz")


def export(session: Session, name: str, file: Path, service: str = "") -> int:
    """Writes the snapshot to `file`, readable by its owner only, and returns the file's size in bytes. A name
    that ends in .gz or .tgz compresses it. Raises UsageError if the file exists."""
    if file.exists():
        raise UsageError(f"{file} already exists", hint="Choose another file, or remove it.")
    with project_lock(session):
        remove_leftovers(file)
        snapshot = find_snapshot(list_snapshots(session.engine, session.project), name, service)
        with (
            reported(session, "export", snapshot.service, snapshot.name),
            replaced(file, PRIVATE) as raw,
            _compressing(file, raw) as target,
            copy_container.transfer_container(session, snapshot.service, snapshot.data_volume) as container,
        ):
            _write(session, snapshot, container, target)
    with writing(file):
        return file.stat().st_size


def _write(session: Session, snapshot: Snapshot, container: str, target: BinaryIO) -> None:
    about = {
        "project": snapshot.project,
        "service": snapshot.service,
        "name": snapshot.name,
        "volumes": list(snapshot.volumes),
        "created_at": snapshot.created_at,
        "size": snapshot.size,
    }
    _, blocks = session.engine.get_archive(container, f"/{file_format.ROOT}")
    with closing(blocks):  # an engine removes no container whose files are being read
        entries = file_format.write(target, about, blocks, session.interrupt.check)
    if snapshot.entries and entries != snapshot.entries:
        raise DevstackError(
            f"the snapshot `{snapshot.name}` is damaged: it has {entries} files and directories instead of"
            f" {snapshot.entries}",
            hint=f"Take another one: `invoke snapshot {snapshot.service}`.",
        )


@contextmanager
def _compressing(file: Path, raw: BinaryIO) -> Iterator[BinaryIO]:
    if file.suffix not in _COMPRESSED:
        yield raw
        return
    with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw) as packed:
        yield cast(BinaryIO, packed)


def import_(session: Session, file: Path, name: str = "", service: str = "") -> Snapshot:
    """Creates a snapshot from a file that `export` wrote; `name` and `service` replace those in it. Raises
    DevstackError for an invalid or damaged file, UsageError for a name that is taken."""
    with (
        project_lock(session),
        closing(SnapshotFile(file, session.interrupt.check)) as opened,
    ):
        observe_settled(session)
        reading = opened.read()
        try:
            snapshot = _described(session, reading, opened, name, service)
        except DevstackError:
            _read_to_end(reading)  # a damaged description is told as such
            raise
        with reported(session, "import", snapshot.service, snapshot.name):
            _verify(session, reading, snapshot, opened)
            return _read_in(session, snapshot, opened, reading)


def _read_to_end(reading: Reading) -> None:
    for _ in reading.members():
        pass


def _described(session: Session, reading: Reading, file: SnapshotFile, name: str, service: str) -> Snapshot:
    about = reading.about
    try:
        volumes = tuple(str(key) for key in about["volumes"])
        wanted = service or str(about["service"])
        called = name or str(about["name"])
        created, size = str(about["created_at"]), int(about["size"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise file.damaged(f"its description lacks {error}") from error
    find_service(session.definition, wanted)
    snapshot = replace(new_snapshot(session, wanted, called, volumes), created_at=created, size=size)
    check_fits(snapshot, volumes_named(session, wanted))
    return snapshot


def _verify(session: Session, reading: Reading, snapshot: Snapshot, file: SnapshotFile) -> None:
    """Reads all of it, before anything is created."""
    for _ in _checked(reading, snapshot, file.file):
        pass
    if not reading.has_sum:
        text = "the file has no checksum, because an earlier version wrote it: damage would go unnoticed"
        session.emit(Notice(text=text, level="warning", service=snapshot.service))


def _read_in(session: Session, snapshot: Snapshot, file: SnapshotFile, verified: Reading) -> Snapshot:
    session.engine.create_volume(snapshot.data_volume, snapshot.data_body())
    try:
        with copy_container.transfer_container(session, snapshot.service, snapshot.data_volume) as container:
            session.engine.put_archive(container, "/", _archive(snapshot, file, verified))
    except BaseException:
        copy_container.remove_incomplete_snapshots(session)
        raise
    return complete(session, snapshot, snapshot.size, verified.entries if verified.has_sum else 0)


def _archive(snapshot: Snapshot, file: SnapshotFile, verified: Reading) -> Iterator[bytes]:
    """The data as a tar stream. Raises DevstackError if it is not what was verified."""
    reading = file.read()
    for member in _checked(reading, snapshot, file.file):
        yield member.tobuf(tarfile.PAX_FORMAT)
        yield from reading.content(member)
    if reading.sha256 != verified.sha256:
        raise file.damaged("it changed while it was being read")
    yield bytes(2 * tarfile.BLOCKSIZE)


def _checked(reading: Reading, snapshot: Snapshot, file: Path) -> Iterator[tarfile.TarInfo]:
    """The members of the data. Raises DevstackError for one that could do harm."""
    check = _Check(snapshot, file)
    for member in reading.members():
        check.member(member)
        yield member


class _Check:
    """Refuses members that `export` never writes."""

    def __init__(self, snapshot: Snapshot, file: Path) -> None:
        self._keys = set(snapshot.volumes)
        self._file = file
        self._links: set[PurePosixPath] = set()

    def member(self, member: tarfile.TarInfo) -> None:
        path = self._inside(member, member.name)
        if member.issym():
            self._links.add(path)
        elif member.islnk():
            self._inside(member, member.linkname)
        elif not (member.isreg() or member.isdir() or member.isfifo()):
            raise _unsafe(self._file, member, "is not a file, directory or link")

    def _inside(self, member: tarfile.TarInfo, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        parts = path.parts
        if (
            not parts
            or parts[0] != file_format.ROOT
            or ".." in parts
            or (len(parts) > 1 and parts[1] not in self._keys)
        ):
            raise _unsafe(self._file, member, "is outside the snapshot")
        if not self._links.isdisjoint((path, *path.parents)):
            raise _unsafe(self._file, member, "is inside a link")
        return path


def _unsafe(file: Path, member: tarfile.TarInfo, why: str) -> DevstackError:
    return DevstackError(
        f"refusing {file}: its member `{member.name}` {why}",
        hint="`invoke snapshots.export` never writes such a member. Do not trust the file.",
    )
