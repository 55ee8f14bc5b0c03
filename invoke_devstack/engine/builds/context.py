"""The tar of a build context, as the docker command sends it to the classic builder, so that both share its
cache: names in order, owner 0:0, the files' modes, no times in the hash."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

from invoke_devstack.definition.syntax.dockerignore import IGNORE_FILE, Ignore, read_ignore
from invoke_devstack.errors import BuildError, FileError
from invoke_devstack.local_files.reading import read_bytes
from invoke_devstack.planning.plan import BuildRequest

CHUNK = 1 << 18
_FIX = "Create it, or fix `build.dockerfile` in the Compose file."


@dataclass(frozen=True, slots=True)
class BuildContext:
    """A directory to send. `dockerfile` is its name in the context; `extra` are files that are added to it
    (an inline Dockerfile, one from outside) or that replace its own."""

    folder: Path
    dockerfile: str
    ignore: Ignore
    extra: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, request: BuildRequest) -> BuildContext:
        """Raises BuildError if the directory or the Dockerfile does not exist."""
        folder = context_folder(request)
        path = None if request.dockerfile_inline else folder / request.dockerfile
        ignore = read_ignore(folder, path)
        if path is not None and _is_inside(path, folder) and read_dockerfile(request):
            return cls(folder, os.path.relpath(path, folder).replace(os.sep, "/"), ignore)
        text = read_dockerfile(request).encode()
        name = f".dockerfile.{hashlib.sha256(text).hexdigest()[:20]}"
        return cls(folder, name, ignore, {name: text, IGNORE_FILE: _with_own(folder, name)})

    def tar(self) -> Iterator[bytes]:
        """The archive, in blocks."""
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
        """(path, name in the context) of what is sent, by name, directories before their content. The builder
        needs the Dockerfile and the ignore file, even if the patterns exclude them."""
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
    """Raises BuildError if it does not exist."""
    folder = Path(request.context)
    if not folder.is_dir():
        raise BuildError(
            f"the build context {folder} does not exist", hint="Fix `build.context` in the Compose file."
        )
    return folder


def read_dockerfile(request: BuildRequest) -> str:
    """The text of the Dockerfile. Raises BuildError if it cannot be read."""
    if request.dockerfile_inline:
        return request.dockerfile_inline
    path = Path(request.context) / request.dockerfile
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BuildError(f"the Dockerfile {path} is a pipe, a socket or a device", hint=_FIX)
    try:
        return read_bytes(path).decode("utf-8", "replace")
    except FileError as error:
        raise BuildError(f"the Dockerfile {path} cannot be read: {error.cause}", hint=_FIX) from error


def _is_inside(path: Path, folder: Path) -> bool:
    return not os.path.relpath(path, folder).startswith("..")


def _with_own(folder: Path, name: str) -> bytes:
    """The ignore file with the added Dockerfile in it, so that `COPY .` does not copy that."""
    file = folder / IGNORE_FILE
    content = file.read_bytes() if file.is_file() else IGNORE_FILE.encode()
    return content + f"\n{name}\n".encode()


def _extra_header(name: str, content: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(content), 0o600
    return header


def _header(path: Path, name: str, links: dict[tuple[int, int], str]) -> tarfile.TarInfo | None:
    """None for what an archive cannot hold (a socket), and for a file that has disappeared."""
    try:
        status = path.lstat()
        target = str(path.readlink()) if stat.S_ISLNK(status.st_mode) else ""
    except FileNotFoundError:
        return None
    header = tarfile.TarInfo(name)
    header.mode, header.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    if sys.platform == "win32":
        header.mode = 0o755  # like the docker command: Windows has no such bits
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
    """A file's header, content and padding. A file that shrinks meanwhile is padded with zeros."""
    yield header.tobuf(tarfile.PAX_FORMAT)
    left = header.size
    while left:
        block = file.read(min(left, CHUNK)) or bytes(min(left, CHUNK))
        yield block
        left -= len(block)
    padding = -header.size % tarfile.BLOCKSIZE
    if padding:
        yield bytes(padding)
