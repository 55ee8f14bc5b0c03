"""The tar of a build context, as the docker command sends it to the classic builder, so that the builder's
cache takes both for the same: names in order, owner 0:0, modes as they are, no times in the hash."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import field
from io import BytesIO
from pathlib import Path
from typing import IO

from invoke_devstack.definition.dockerignore import IGNORE_FILE, Ignore, read_ignore
from invoke_devstack.errors import BuildError
from invoke_devstack.planning.plan import BuildRequest
from invoke_devstack.records import record

CHUNK = 1 << 18


@record
class BuildContext:
    """A folder to send. `dockerfile` is its name in the context; `extra` are files that are not there
    (an inline Dockerfile, one from elsewhere) or that stand for those that are."""

    folder: Path
    dockerfile: str
    ignore: Ignore
    extra: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, request: BuildRequest) -> BuildContext:
        """Raises BuildError when the folder or the Dockerfile is not there."""
        folder = context_folder(request)
        path = None if request.dockerfile_inline else folder / request.dockerfile
        ignore = read_ignore(folder, path)
        if path is not None and _is_inside(path, folder):
            return cls(folder, os.path.relpath(path, folder).replace(os.sep, "/"), ignore)
        text = read_dockerfile(request).encode()
        name = f".dockerfile.{hashlib.sha256(text).hexdigest()[:20]}"
        return cls(folder, name, ignore, {name: text, IGNORE_FILE: _with_own(folder, name)})

    def tar(self) -> Iterator[bytes]:
        """The archive in blocks, while the files are read."""
        links: dict[tuple[int, int], str] = {}
        for name, content in self.extra.items():
            yield from _member(_extra_header(name, content), BytesIO(content))
        for path, name in self._files():
            header = _header(path, name, links)
            if header is None:
                continue
            if header.isreg():
                with path.open("rb") as file:
                    yield from _member(header, file)
            else:
                yield header.tobuf(tarfile.PAX_FORMAT)
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _files(self) -> Iterator[tuple[Path, str]]:
        """What is to be sent, as (path, name in the context): folders before what they hold, by name.
        The builder itself wants the Dockerfile and the ignore file, whatever the patterns say."""
        wanted = {self.dockerfile, IGNORE_FILE} - self.extra.keys()

        def walk(folder: Path, prefix: str) -> Iterator[tuple[Path, str]]:
            for entry in sorted(os.scandir(folder), key=lambda item: item.name):
                name = f"{prefix}{entry.name}"
                is_folder = entry.is_dir(follow_symlinks=False)
                if name not in self.extra and (name in wanted or not self.ignore.ignores(name)):
                    yield Path(entry.path), name
                holds_wanted = any(item.startswith(f"{name}/") for item in wanted)
                if is_folder and (holds_wanted or not self.ignore.ignores_all_in(name)):
                    yield from walk(Path(entry.path), f"{name}/")

        yield from walk(self.folder, "")


def context_folder(request: BuildRequest) -> Path:
    """Raises BuildError when it is not there."""
    folder = Path(request.context)
    if not folder.is_dir():
        raise BuildError(
            f"the build context {folder} is not there", hint="Mend `build.context` in the definition."
        )
    return folder


def read_dockerfile(request: BuildRequest) -> str:
    """The text of the Dockerfile. Raises BuildError when it is not there."""
    if request.dockerfile_inline:
        return request.dockerfile_inline
    path = Path(request.context) / request.dockerfile
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise BuildError(
            f"the Dockerfile {path} cannot be read: {error.strerror}",
            hint="Make it, or mend `build.dockerfile` in the definition.",
        ) from error


def _is_inside(path: Path, folder: Path) -> bool:
    return not os.path.relpath(path, folder).startswith("..")


def _with_own(folder: Path, name: str) -> bytes:
    """The ignore file with the sent Dockerfile in it, which keeps it out of `COPY .`."""
    file = folder / IGNORE_FILE
    content = file.read_bytes() if file.is_file() else IGNORE_FILE.encode()
    return content + f"\n{name}\n".encode()


def _extra_header(name: str, content: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(content), 0o600
    return header


def _header(path: Path, name: str, links: dict[tuple[int, int], str]) -> tarfile.TarInfo | None:
    """None for what no archive holds (a socket) or what has gone since the folder was read."""
    try:
        status = path.lstat()
        target = str(path.readlink()) if stat.S_ISLNK(status.st_mode) else ""
    except FileNotFoundError:
        return None
    header = tarfile.TarInfo(name)
    header.mode, header.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    if os.name == "nt":
        header.mode = 0o755  # as the docker command: Windows has no such bits
    if stat.S_ISDIR(status.st_mode):
        header.type = tarfile.DIRTYPE
    elif target:
        header.type, header.linkname = tarfile.SYMTYPE, target
    elif stat.S_ISFIFO(status.st_mode):
        header.type = tarfile.FIFOTYPE
    elif not stat.S_ISREG(status.st_mode):
        return None
    elif status.st_nlink > 1 and (first := links.setdefault((status.st_dev, status.st_ino), name)) != name:
        header.type, header.linkname = tarfile.LNKTYPE, first
    else:
        header.size = status.st_size
    return header


def _member(header: tarfile.TarInfo, file: IO[bytes]) -> Iterator[bytes]:
    """A file's header, content and padding. A file that shrinks meanwhile is filled up with zeros."""
    yield header.tobuf(tarfile.PAX_FORMAT)
    left = header.size
    while left:
        block = file.read(min(left, CHUNK)) or bytes(min(left, CHUNK))
        yield block
        left -= len(block)
    padding = -header.size % tarfile.BLOCKSIZE
    if padding:
        yield bytes(padding)
