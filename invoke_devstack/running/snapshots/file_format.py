"""The format of an exported snapshot: a tar archive, perhaps compressed with gzip.

    devstack-snapshot.json      {"format": 2, "service": "mysql", "name": "base", "volumes": ["data"], …}
    snapshot/data/…             the data, with owners, modes and links
    devstack-snapshot.sum       {"members": 12, "size": 40960, "sha256": "…"} of all that comes before it

The last member shows that an archive is complete: an end that comes too early looks like any other. Format 1
had none. `tarfile` does not show it: it takes a damaged header for the end of the archive, and its streams
ignore the checksum of gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import stat
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from invoke_devstack.errors import DevstackError, FileError
from invoke_devstack.local_files.failures import file_error
from invoke_devstack.records import record

ROOT = "snapshot"
_ABOUT, _SUM = "devstack-snapshot.json", "devstack-snapshot.sum"
_FORMAT, _FORMAT_WITHOUT_SUM = 2, 1
_LARGEST_HEADER = 1 << 20  # bytes of a name or of extended attributes
_LARGEST_OWN = 1 << 16  # bytes of one of our own members
_BLOCK = 1 << 20  # bytes
_END = bytes(2 * tarfile.BLOCKSIZE)
_NOT_A_FILE = "It is read twice, first to verify it: give a file, not a pipe or a directory."
_CUT, _BAD_HEADER = "it ends too early", "a header is damaged"
_GZIP = b"\x1f\x8b"
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


@record
class Sum:
    """The content of the last member: `size` is in bytes."""

    members: int
    size: int
    sha256: str


class _StrictHeader(tarfile.TarInfo):
    """A damaged header is an error; for `tarfile` it is the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if bytes(buf) == _END[: tarfile.BLOCKSIZE]:
            return super().frombuf(buf, encoding, errors)  # the end
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            why = _CUT if len(buf) < tarfile.BLOCKSIZE else _BAD_HEADER
            raise tarfile.ReadError(why) from error
        if found.size < 0 or (found.type in _HEADERS and found.size > _LARGEST_HEADER):
            raise tarfile.ReadError(_BAD_HEADER)
        return found


class Archive:
    """Reads an archive from its beginning to its very end, and counts and hashes what it has read. `read` is
    that of a file; `damaged` makes the error for an archive that is not as it should be."""

    def __init__(self, read: Callable[[int], bytes], damaged: Callable[[str], DevstackError]) -> None:
        self._read = read
        self._damaged = damaged
        self._hash = hashlib.sha256()
        self._position = 0
        self._members = 0
        self._block = b""  # what was read last
        self._opened: Any = None  # a TarFile; its list of members is not public
        self.sum = Sum(0, 0, "")
        """Of all members before the one that was read last."""

    def next(self) -> tarfile.TarInfo | None:
        """The next member; None at the end. Skips what was not read of the one before."""
        try:
            return self._next()
        except tarfile.TarError as error:
            raise self._damaged(str(error)) from error
        except (ValueError, OverflowError) as error:
            raise self._damaged(_BAD_HEADER) from error

    def _next(self) -> tarfile.TarInfo | None:
        if self._opened is None:
            self._opened = tarfile.TarFile(fileobj=cast(BinaryIO, self), tarinfo=_StrictHeader)
        else:
            self.seek(self._opened.offset)
            self.sum = Sum(self._members, self._position, self._hash.hexdigest())
        found: tarfile.TarInfo | None = self._opened.next()
        self._opened.members.clear()  # or it would keep them all
        self._members += 1
        if found is None and any(self._block):  # Python 3.14 takes a damaged header for the end all the same
            raise self._damaged(_BAD_HEADER)
        if found is not None and (found.size < 0 or found.issparse() or not math.isfinite(found.mtime)):
            raise self._damaged(_BAD_HEADER)
        return found

    def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        """The content of the member that `next` returned, with zeros up to the next block."""
        left = member.size if member.isreg() else 0
        while left:
            block = self.read(min(left, _BLOCK))
            if not block:
                raise self._damaged(_CUT)
            left -= len(block)
            yield block
        yield bytes(-member.size % tarfile.BLOCKSIZE if member.isreg() else 0)

    def finish(self) -> str:
        """After `next` has returned None: there must be a second block of zeros, and nothing else. Returns
        the hash of the whole archive."""
        end = self.read(tarfile.BLOCKSIZE)
        if len(end) < tarfile.BLOCKSIZE:
            raise self._damaged(_CUT)
        while end:
            if any(end):
                raise self._damaged("there is data after its end")
            end = self.read(_BLOCK)
        return self._hash.hexdigest()

    def read(self, size: int) -> bytes:
        data = self._read(size)
        self._position += len(data)
        self._hash.update(data)
        self._block = data
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Forward only."""
        while self._position < position:
            if not self.read(min(position - self._position, _BLOCK)):
                raise self._damaged(_CUT)


def write(
    target: BinaryIO, about: Mapping[str, Any], blocks: Iterable[bytes], check: Callable[[], None]
) -> int:
    """Writes an archive with the members of `blocks`, a tar stream; `check` is called often. Returns how many
    members it has of them. Raises DevstackError if the stream is damaged."""
    output = _Output(target)
    output.write_own(_ABOUT, {"format": _FORMAT, **about})
    source = Archive(_Blocks(blocks, check).read, _incomplete)
    while (member := source.next()) is not None:
        output.write_member(member, source.content(member))
    source.finish()
    count = output.members - 1
    output.write_own(_SUM, output.values())
    target.write(_END)
    return count


def _incomplete(why: str) -> DevstackError:
    return DevstackError(f"the engine sent an incomplete snapshot: {why}", hint="Export it again.")


class _Blocks:
    """`read` for an iterable of blocks."""

    def __init__(self, blocks: Iterable[bytes], check: Callable[[], None]) -> None:
        self._blocks = iter(blocks)
        self._check = check
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        parts = []
        while size and (self._left or self._fetch()):
            part, self._left = self._left[:size], self._left[size:]
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _fetch(self) -> bool:
        self._check()
        self._left = memoryview(next((block for block in self._blocks if block), b""))
        return bool(self._left)


class _Output:
    """Writes members, and counts and hashes them."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self._size = 0
        self.members = 0

    def write_own(self, name: str, value: Mapping[str, Any]) -> None:
        content = json.dumps(value, indent=2).encode()
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
        self.write_member(entry, (content, bytes(-len(content) % tarfile.BLOCKSIZE)))

    def write_member(self, member: tarfile.TarInfo, content: Iterable[bytes]) -> None:
        self.members += 1
        self._write(member.tobuf(tarfile.PAX_FORMAT))
        for block in content:
            self._write(block)

    def _write(self, data: bytes) -> None:
        self._target.write(data)
        self._hash.update(data)
        self._size += len(data)

    def values(self) -> dict[str, Any]:
        return {"members": self.members, "size": self._size, "sha256": self._hash.hexdigest()}


class SnapshotFile:
    """An exported snapshot, opened for reading. Raises FileError and DevstackError, as all its methods."""

    def __init__(self, file: Path, check: Callable[[], None]) -> None:
        """`check` is called often."""
        self.file = file
        self._check = check
        self._raw = self._open()

    def _open(self) -> BinaryIO:
        try:
            if not stat.S_ISREG(self.file.stat().st_mode):
                raise FileError(f"cannot read {self.file}: it is not a file", hint=_NOT_A_FILE, reason="kind")
            return self.file.open("rb")
        except OSError as error:
            raise file_error(error, "read", self.file) from error

    def close(self) -> None:
        self._raw.close()

    def read(self) -> Reading:
        """Begins to read it, from its beginning."""
        try:
            self._raw.seek(0)
            compressed = self._raw.read(2) == _GZIP
            self._raw.seek(0)
        except OSError as error:
            raise file_error(error, "read", self.file) from error
        source = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if compressed else self._raw
        return Reading(Archive(lambda size: self._read(source, size), self.damaged), self)

    def _read(self, source: BinaryIO, size: int) -> bytes:
        self._check()
        try:
            return source.read(size)
        except EOFError as error:
            raise self.damaged(_CUT) from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise self.damaged("its compressed content is damaged") from error
        except OSError as error:
            raise file_error(error, "read", self.file) from error

    def damaged(self, why: str) -> DevstackError:
        return DevstackError(
            f"{self.file} is not a snapshot, or it is damaged: {why}",
            hint="Copy it again, or export it again: `invoke snapshots.export NAME FILE`.",
        )


class Reading:
    """One reading of a snapshot's file: what it says about itself, then its members, then their sum."""

    def __init__(self, archive: Archive, file: SnapshotFile) -> None:
        self._archive = archive
        self._file = file
        self.about = self._own(archive.next(), _ABOUT)
        self.has_sum = self._format() == _FORMAT
        self.entries = 0
        """How many members there are of the data, when all are read."""
        self.sha256 = ""
        """Of the whole archive, when all is read."""

    def _format(self) -> object:
        found = self.about.get("format")
        if found not in (_FORMAT, _FORMAT_WITHOUT_SUM):
            raise DevstackError(
                f"{self._file.file} has an unknown format",
                hint="A newer version wrote it: `pip install --upgrade invoke-devstack`.",
            )
        return found

    def members(self) -> Iterator[tarfile.TarInfo]:
        """The members of the data. After the last one, the sum is compared."""
        while (member := self._archive.next()) is not None:
            if self.has_sum and member.name == _SUM:
                self._compare(member)
                break
            self.entries += 1
            yield member
        else:
            if self.has_sum:
                raise self._file.damaged(f"its last member, {_SUM}, is missing")
        self.sha256 = self._archive.finish()

    def content(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        return self._archive.content(member)

    def _compare(self, member: tarfile.TarInfo) -> None:
        found = self._archive.sum
        wanted = self._own(member, _SUM)
        if any(self._archive.read(-member.size % tarfile.BLOCKSIZE)) or self._archive.next() is not None:
            raise self._file.damaged(f"there is data after {_SUM}")
        for key, text in (("members", "members"), ("size", "bytes")):
            if wanted.get(key) != getattr(found, key):
                raise self._file.damaged(f"it has {getattr(found, key)} {text} instead of {wanted.get(key)}")
        if wanted.get("sha256") != found.sha256:
            raise self._file.damaged("its content differs from what was written (SHA-256)")

    def _own(self, member: tarfile.TarInfo | None, name: str) -> dict[str, Any]:
        if member is None or member.name != name or not member.isreg() or member.size > _LARGEST_OWN:
            raise self._file.damaged(f"{name} is missing")
        try:
            value = json.loads(b"".join(self._archive.content(member)).rstrip(b"\0"))
        except (ValueError, RecursionError) as error:
            raise self._file.damaged(f"{name} is not JSON") from error
        if not isinstance(value, dict):
            raise self._file.damaged(f"{name} is not an object")
        return value
