"""Tar archives from and for containers. What a container sends is not trusted: nothing is written outside the
target directory, whatever names and links the archive contains."""

from __future__ import annotations

import io
import os
import stat
import sys
import tarfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Self

from invoke_devstack.errors import DevstackError, FileError
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.local_files.replacing import partial_of, replaced, writing

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 20  # bytes of names and attributes of one member, which are kept in memory
_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a readable file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class _Member(tarfile.TarInfo):
    """A member whose name and attributes are not endless, and which does not unpack to a thousandfold. An
    archive without its end is an error; `tarfile` alone takes it for shorter."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError("it is cut off") from error
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if (self.type in _HEADERS and self.size > _LONGEST_HEADER) or self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a header that no engine writes")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def reader(blocks: Iterator[bytes]) -> tarfile.TarFile:
    """The archive in `blocks`, which can be read once, in order."""
    file = io.BufferedReader(_Blocks(blocks), _BLOCK)
    try:
        return tarfile.open(fileobj=file, mode="r|", tarinfo=_Member)
    except tarfile.TarError as error:
        raise _damaged(error) from error


def extract(archive: tarfile.TarFile, folder: Path, *, rename: str = "") -> tuple[str, ...]:
    """Writes the archive's members into `folder`, owned by the caller; each file takes the place of an older
    one when it is whole. `rename` replaces the first part of their names. Returns the names of pipes and
    devices, which are left out.

    Raises DevstackError for a member that would leave the folder and for a damaged or empty archive,
    FileError for what cannot be written."""
    extraction = _Extraction(archive, folder, rename)
    try:
        with archive:
            for member in archive:
                extraction.write(member)
    except tarfile.TarError as error:
        raise _damaged(error) from error
    if not extraction.has_members:
        raise DevstackError(
            "the engine sent an empty archive, so nothing was copied",
            hint="It does so for a single file whose name is not UTF-8. Copy the directory that it is in.",
        )
    return tuple(extraction.left_out)


def pass_on(blocks: Iterator[bytes], write: Callable[[bytes], object]) -> int:
    """Writes the archive in `blocks` as it arrives. Returns how many bytes it has. Raises DevstackError, when
    all that came is written, for a damaged archive and for one that is cut off: an engine that fails in the
    middle of it ends it like a whole one."""
    size = 0

    def passing() -> Iterator[bytes]:
        nonlocal size
        for block in blocks:
            write(block)
            size += len(block)
            yield block

    arriving = passing()
    try:
        with reader(arriving) as archive:
            while archive.next():
                archive.members.clear()  # type: ignore[attr-defined]  # a file system has a million
    except (tarfile.TarError, _DamagedError) as error:
        deque(arriving, 0)
        raise _damaged(error, hint="What was written is not the whole. Try it again.") from error
    deque(arriving, 0)
    return size


class _DamagedError(DevstackError):
    """An archive that no engine sends."""


def _damaged(
    error: Exception, hint: str = "What was written before is whole. Try it again."
) -> DevstackError:
    if isinstance(error, _DamagedError):
        error.hint = hint
        return error
    return _DamagedError(f"the engine's archive is damaged: {error}", hint=hint)


class _Extraction:
    def __init__(self, archive: tarfile.TarFile, folder: Path, rename: str) -> None:
        self.left_out: list[str] = []
        self.has_members = False
        self._archive = archive
        self._folder = folder
        self._rename = rename
        self._folders: set[tuple[str, ...]] = set()  # that are known to be no links; nothing replaces them
        self._files: set[tuple[str, ...]] = set()  # that this archive brought: hard links may lead to them

    def write(self, member: tarfile.TarInfo) -> None:
        self.has_members = True
        names = self._names(member.name)
        if not names:
            return
        target = self._parent(member, names) / names[-1]
        if member.isdir():
            self._make_folder(member, target)
            self._folders.add(names)
        elif member.isreg():
            _refuse_folder(target)
            _write_file(self._archive, member, target)
            self._files.add(names)
        elif member.issym():
            _refuse_folder(target)
            with _beside(target) as partial:
                partial.symlink_to(member.linkname)
        elif member.islnk():
            origin = self._origin(member)
            _refuse_folder(target)
            with _beside(target) as partial:
                os.link(origin, partial)
            self._files.add(names)
        else:
            self.left_out.append(member.name)

    def _names(self, name: str) -> tuple[str, ...]:
        parts = tuple(part for part in PurePosixPath(name).parts if part not in ("/", "."))
        if ".." in parts:
            raise _refusal(name)
        return (self._rename or parts[0], *parts[1:]) if parts else ()

    def _parent(self, member: tarfile.TarInfo, names: tuple[str, ...]) -> Path:
        if names[:-1] in self._folders:
            return self._folder.joinpath(*names[:-1])
        parent = self._folder
        for name in names[:-1]:
            parent = parent / name
            if parent.is_symlink():
                raise _refusal(member.name)
            with writing(parent):
                parent.mkdir(exist_ok=True)
        return parent

    def _make_folder(self, member: tarfile.TarInfo, target: Path) -> None:
        if os.path.lexists(target) and (target.is_symlink() or not target.is_dir()):
            raise FileError(
                f"cannot copy the directory `{member.name}` over {target}, which is not a directory",
                hint="Move what is there, or choose another target.",
                reason="kind",
            )
        with writing(target):
            target.mkdir(exist_ok=True)
            target.chmod(member.mode & 0o777 | stat.S_IRWXU)

    def _origin(self, member: tarfile.TarInfo) -> Path:
        """The file of the same archive that a hard link leads to."""
        names = self._names(member.linkname)
        origin = self._folder.joinpath(*names)
        if names not in self._files or origin.is_symlink() or self._parent(member, names) != origin.parent:
            raise _refusal(member.name)
        return origin


def _refuse_folder(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        raise FileError(
            f"cannot copy a file over {target}, which is a directory",
            hint="Move what is there, or choose another target.",
            reason="kind",
        )


def _refusal(name: str) -> DevstackError:
    return DevstackError(
        f"the container's archive contains `{name}`, which is outside the target directory",
        hint="Nothing was written there. Check what the container has at that path.",
    )


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A path for a new link, which then takes the place of `target`."""
    partial = partial_of(target)
    with writing(target):
        partial.unlink(missing_ok=True)  # of an earlier process with the same number
        try:
            yield partial
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)  # renaming a link to another of the same file leaves both


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = archive.extractfile(member)
    with replaced(target, 0o600, flushed=os.path.lexists(target)) as file:
        while source is not None and (block := source.read(_BLOCK)):
            file.write(block)
        file.flush()
        if sys.platform != "win32":
            os.fchmod(file.fileno(), member.mode & 0o777)
        with suppress(OSError, OverflowError, ValueError):  # a time that the disk cannot hold
            os.utime(file.fileno() if os.utime in os.supports_fd else file.name, (member.mtime, member.mtime))


def packed(source: Path, name: str, *, keep_owners: bool = False) -> Iterator[bytes]:
    """A tar archive of `source` under `name` (`.`: the directory's content), owned by root unless the ids of
    owners are kept, links as links. Sockets and devices are left out. Raises FileError."""
    buffer = bytearray()
    for part in _parts(source, name, keep_owners=keep_owners):
        buffer += part
        if len(buffer) >= _BLOCK:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer + bytes(2 * tarfile.BLOCKSIZE))


def _parts(source: Path, name: str, *, keep_owners: bool) -> Iterator[bytes]:
    describing = tarfile.TarFile(fileobj=io.BytesIO(), mode="w", format=tarfile.PAX_FORMAT)
    waiting = [(source, name)]
    while waiting:
        path, name = waiting.pop()
        try:
            member = describing.gettarinfo(path, arcname=name)
            if member is None or (member.isdev() and not member.isfifo()):
                continue
            if not keep_owners:
                member.uid = member.gid = 0
            yield _header(member)
            if member.isreg():
                with path.open("rb") as file:
                    yield from _content(file, member.size, path)
            elif member.isdir():
                inside = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - of names, not paths
                waiting += [(path / item, f"{name}/{item}") for item in inside]
        except OSError as error:
            raise file_error(error, "read", path) from error


def _header(member: tarfile.TarInfo) -> bytes:
    member.uname = member.gname = ""  # the names of this machine mean others in the container
    return member.tobuf(tarfile.PAX_FORMAT, errors="surrogateescape")


def _content(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    left = size
    while left:
        block = file.read(min(left, _BLOCK))
        if not block:
            hint = "Wait until nothing writes to it, and copy it again."
            raise FileError(f"{path} became shorter while it was read", hint=hint, reason="changed")
        left -= len(block)
        yield block
    yield bytes(-size % tarfile.BLOCKSIZE)
