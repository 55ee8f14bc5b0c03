"""Archives from and for containers. What a container sends is not trusted: nothing is written outside
the folder that was named, whatever names and links the archive holds."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from invoke_devstack.errors import DevstackError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_IN_MEMORY = 1 << 24  # bytes of an archive until it goes to a file


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a file to read."""

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


def reader(blocks: Iterator[bytes]) -> tarfile.TarFile:
    """The archive that comes in `blocks`, to be read once from front to end."""
    return tarfile.open(fileobj=io.BufferedReader(_Blocks(blocks), 1 << 20), mode="r|")


def extract(archive: tarfile.TarFile, folder: Path, *, rename: str = "") -> None:
    """Writes the archive's members into `folder`, as the caller's own; with `rename` the first part of
    their names is another. Raises DevstackError for a member that would leave the folder."""
    with archive:
        for member in archive:
            parts = _parts(member.name)
            if parts:
                _write(archive, member, folder, parts, rename)


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in PurePosixPath(name).parts if part not in ("/", "."))
    if ".." in parts:
        raise _refusal(name)
    return parts


def _refusal(name: str) -> DevstackError:
    return DevstackError(
        f"the container's archive holds `{name}`, which leads out of the folder to copy to",
        hint="Nothing was written there. Look at what the container has at that place.",
    )


def _write(
    archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, parts: tuple[str, ...], rename: str
) -> None:
    names = (rename or parts[0], *parts[1:])
    parent = folder
    for part in names[:-1]:
        parent = parent / part
        if parent.is_symlink():
            raise _refusal(member.name)
        parent.mkdir(exist_ok=True)
    target = parent / names[-1]
    if target.is_symlink() or (target.is_file() and not member.isdir()):
        target.unlink()
    if member.isdir():
        target.mkdir(exist_ok=True)
        target.chmod(member.mode & 0o777 | stat.S_IRWXU)
    elif member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        _link(folder, member, rename, target)
    elif member.isreg():
        _write_file(archive, member, target)


def _link(folder: Path, member: tarfile.TarInfo, rename: str, target: Path) -> None:
    """A hard link: to a file that came before it in the same archive."""
    parts = _parts(member.linkname)
    origin = folder
    for part in (rename or parts[0], *parts[1:]):
        origin = origin / part
        if origin.is_symlink():
            raise _refusal(member.name)
    if not origin.is_file():
        raise _refusal(member.name)
    os.link(origin, target)


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = archive.extractfile(member)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(target, flags, member.mode & 0o777 | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as file:
        while source is not None and (block := source.read(1 << 20)):
            file.write(block)
    target.chmod(member.mode & 0o777)
    os.utime(target, (member.mtime, member.mtime))


@contextmanager
def packed(source: Path, name: str) -> Iterator[IO[bytes]]:
    """A tar of `source` under `name` (`.`: what is in the folder), owned by root, links as links."""

    def as_roots(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(source, arcname=name, filter=as_roots)
        file.seek(0)
        yield file
