"""A snapshot as a file, to be moved to another machine: a tar archive whose first member says what it is.

    devstack-snapshot.json      {"format": 1, "service": "mysql", "name": "base", "volumes": ["data"], …}
    snapshot/data/…             the data, with owners, modes and links

What is read from a file is checked member by member before it reaches the engine: nothing outside of
`snapshot/`, nothing through a link, no devices.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.planning.snapshots import Snapshot, check_fits, find_snapshot
from invoke_devstack.running.choosing import find_service
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import helper
from invoke_devstack.running.snapshots.common import announced, every, settled, volumes_named
from invoke_devstack.running.snapshots.taking import complete, new_snapshot

_ABOUT = "devstack-snapshot.json"
_FORMAT = 1
_ROOT = "snapshot"
_LARGEST_ABOUT = 1 << 16  # bytes
_BLOCK = 1 << 20  # bytes
_COMPRESSED = (".gz", ".tgz")


def export(session: Session, name: str, file: Path, service: str = "") -> int:
    """Writes the snapshot to `file`, which only its owner may read, and returns the file's bytes. One that
    ends in .gz or .tgz is compressed. Raises UsageError where the file is there already."""
    with project_lock(session):
        snapshot = find_snapshot(every(session.engine, session.project), name, service)
        with (
            announced(session, "export", snapshot.service, snapshot.name),
            _written_whole(file) as target,
            helper.transfer_container(session, snapshot.service, snapshot.data_volume) as container,
        ):
            _write(session, snapshot, container, target)
    return file.stat().st_size


def _write(session: Session, snapshot: Snapshot, container: str, target: BinaryIO) -> None:
    about = {
        "format": _FORMAT,
        "project": snapshot.project,
        "service": snapshot.service,
        "name": snapshot.name,
        "volumes": list(snapshot.volumes),
        "created_at": snapshot.created_at,
        "size": snapshot.size,
    }
    content = json.dumps(about, indent=2).encode()
    entry = tarfile.TarInfo(_ABOUT)
    entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
    target.write(entry.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE))
    _, blocks = session.engine.get_archive(container, f"/{_ROOT}")
    for block in blocks:
        session.interrupt.check()
        target.write(block)


@contextmanager
def _written_whole(file: Path) -> Iterator[BinaryIO]:
    """A file beside `file` that takes its name once all is written, and is removed otherwise."""
    if file.exists():
        raise UsageError(f"{file} is there already", hint="Name another file, or remove that one.")
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with (
            os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
            _compressing(file, raw) as target,
        ):
            yield target
        partial.rename(file)
    except OSError as error:
        raise _file_error(file, "written", error) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _compressing(file: Path, raw: BinaryIO) -> Iterator[BinaryIO]:
    if file.suffix not in _COMPRESSED:
        yield raw
        return
    with gzip.open(raw, "wb", compresslevel=1) as packed:
        yield cast(BinaryIO, packed)


def import_(session: Session, file: Path, name: str = "", service: str = "") -> Snapshot:
    """Makes a snapshot from a file that `export` wrote; `name` and `service` stand for those in it. Raises
    DevstackError for a file that is none or is damaged, UsageError for a name that is taken."""
    with project_lock(session):
        settled(session)
        try:
            with tarfile.open(file, "r|*") as archive:
                snapshot = _described(session, archive, file, name, service)
                return _read_in(session, snapshot, archive, file)
        except tarfile.TarError as error:
            raise _damaged(file, str(error)) from error
        except EOFError as error:
            raise _damaged(file, "it ends too early") from error
        except OSError as error:
            raise _file_error(file, "read", error) from error


def _described(session: Session, archive: tarfile.TarFile, file: Path, name: str, service: str) -> Snapshot:
    about = _read_about(archive, file)
    try:
        volumes = tuple(str(key) for key in about["volumes"])
        wanted = service or str(about["service"])
        called = name or str(about["name"])
        created, size = str(about["created_at"]), int(about["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, f"its description lacks {error}") from error
    find_service(session.definition, wanted)
    snapshot = replace(new_snapshot(session, wanted, called, volumes), created_at=created, size=size)
    check_fits(snapshot, volumes_named(session, wanted))
    return snapshot


def _read_about(archive: tarfile.TarFile, file: Path) -> dict[str, Any]:
    first = archive.next()
    if first is None or first.name != _ABOUT or not first.isreg() or first.size > _LARGEST_ABOUT:
        raise _damaged(file, f"it does not begin with {_ABOUT}")
    content = archive.extractfile(first)
    try:
        about = json.loads(content.read() if content else b"")
    except ValueError as error:
        raise _damaged(file, f"{_ABOUT} is no JSON") from error
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise DevstackError(
            f"{file} has a format that this version does not know",
            hint="It was written by a newer invoke-devstack: update this one.",
        )
    return about


def _read_in(session: Session, snapshot: Snapshot, archive: tarfile.TarFile, file: Path) -> Snapshot:
    session.engine.create_volume(snapshot.data_volume, snapshot.data_body())
    try:
        with (
            announced(session, "import", snapshot.service, snapshot.name),
            helper.transfer_container(session, snapshot.service, snapshot.data_volume) as container,
        ):
            session.engine.put_archive(container, "/", _Checked(session, archive, snapshot, file))
    except BaseException:
        helper.remove_half_snapshots(session)
        raise
    return complete(session, snapshot, snapshot.size)


class _Checked:
    """The members of an archive as a tar stream again, each checked before it is passed on."""

    def __init__(self, session: Session, archive: tarfile.TarFile, snapshot: Snapshot, file: Path) -> None:
        self._session = session
        self._archive = archive
        self._keys = set(snapshot.volumes)
        self._file = file
        self._links: set[PurePosixPath] = set()

    def __iter__(self) -> Iterator[bytes]:
        while (member := self._archive.next()) is not None:
            self._session.interrupt.check()
            self._check(member)
            yield member.tobuf(tarfile.PAX_FORMAT)
            if member.isreg():
                yield from self._content(member)
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        content = self._archive.extractfile(member) or io.BytesIO()
        left = member.size
        while left:
            block = content.read(min(left, _BLOCK))
            if not block:
                raise _damaged(self._file, f"{member.name} ends too early")
            left -= len(block)
            yield block
        yield bytes(-member.size % tarfile.BLOCKSIZE)

    def _check(self, member: tarfile.TarInfo) -> None:
        path = self._inside(member, member.name)
        if member.issym():
            self._links.add(path)
        elif member.islnk():
            self._inside(member, member.linkname)
        elif not (member.isreg() or member.isdir() or member.isfifo()):
            raise _unsafe(self._file, member, "is no file, folder or link")

    def _inside(self, member: tarfile.TarInfo, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        parts = path.parts
        if not parts or parts[0] != _ROOT or ".." in parts or (len(parts) > 1 and parts[1] not in self._keys):
            raise _unsafe(self._file, member, "lies outside of the snapshot")
        if not self._links.isdisjoint((path, *path.parents)):
            raise _unsafe(self._file, member, "leads through a link")
        return path


def _unsafe(file: Path, member: tarfile.TarInfo, why: str) -> DevstackError:
    return DevstackError(
        f"{file} is refused: its member `{member.name}` {why}",
        hint="No snapshot that `invoke snapshots.export` writes has such a member. Do not trust the file.",
    )


def _damaged(file: Path, why: str) -> DevstackError:
    return DevstackError(
        f"{file} is no snapshot, or a damaged one: {why}",
        hint="`invoke snapshots.export NAME FILE` writes one. Copy it again if it was cut off on its way.",
    )


def _file_error(file: Path, done: str, error: OSError) -> DevstackError:
    return DevstackError(
        f"{file} cannot be {done}: {error.strerror or error}", hint="Look at its path, rights and room."
    )
