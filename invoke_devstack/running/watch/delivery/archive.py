"""Uploads as tar archives: one that the engine unpacks, one for the shell in a container (`unpack_shell`)."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterable
from io import BytesIO
from shlex import quote
from tempfile import SpooledTemporaryFile
from typing import IO

from invoke_devstack.running.watch.delivery.upload import Upload, UploadItem

_IN_MEMORY = 32 * 1024 * 1024  # bytes: a larger archive goes through a temporary file
_PATHS_PER_COMMAND = 200
_MAX_NAME = 80  # bytes: small tar programs mangle longer names, and non-ASCII ones
_BLOCK = 512  # bytes

Owner = tuple[int, int]


def engine_archive(items: Iterable[UploadItem], owner: Owner) -> IO[bytes]:
    """An archive to unpack at `/`, its position at the start."""
    file = _spool()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for item in items:
            _add(archive, item, item.path.lstrip("/"), owner)
    file.seek(0)
    return file


def shell_archive(upload: Upload, owner: Owner, script: str = "") -> IO[bytes]:
    """An archive of staged files (`NUMBER/NAME`) and a shell script `apply` that renames each into place, so
    that no reader ever finds half a file. `script` is run first."""
    file = _spool()
    lines = [script] if script else []
    lines += [f"delete {quote(path)}" for path in upload.deletions]
    # Python pads archives to 10 KiB, more than most files have. Two zero blocks are enough.
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        lines += _stage(archive, upload.items, owner)
        lines += _note(upload.items)
        body = "\n".join((*lines, "")).encode("utf-8", "surrogateescape")
        header = tarfile.TarInfo("apply")
        header.size = len(body)
        archive.addfile(header, BytesIO(body))
        end = archive.offset
    file.truncate(end + 2 * _BLOCK)
    file.seek(0)
    return file


def _note(items: list[UploadItem]) -> list[str]:
    """Lines that add the paths to the container's sync state (`sync_state`)."""
    paths = [f"{item.path}/" if item.kind == "directory" else item.path for item in items if not item.as_root]
    parts = (paths[start : start + _PATHS_PER_COMMAND] for start in range(0, len(paths), _PATHS_PER_COMMAND))
    return [f"note {' '.join(map(quote, part))}" for part in parts]


def _stage(archive: tarfile.TarFile, items: list[UploadItem], owner: Owner) -> list[str]:
    """Adds all files. Returns the lines that put files, directories and links in place."""
    lines: list[str] = []
    groups: dict[str, list[UploadItem]] = {}
    user = f"{owner[0]}:{owner[1]}"
    for item in items:
        if item.kind == "directory":
            lines.append(f"directory {quote(item.path)} {user}")
            lines.append(f"chmod {item.mode:o} {quote(item.path)}")
        else:
            groups.setdefault(posixpath.dirname(item.path), []).append(item)
    for number, (directory, members) in enumerate(groups.items()):
        lines.append(f"directory {quote(directory.rstrip('/'))} {user}")
        lines += [f"clear {quote(item.path)}" for item in members]
        lines += _stage_group(archive, number, directory, members, owner)
    return lines


def _stage_group(
    archive: tarfile.TarFile, number: int, directory: str, members: list[UploadItem], owner: Owner
) -> list[str]:
    lines: list[str] = []
    together: list[str] = []
    for index, item in enumerate(members):
        name = posixpath.basename(item.path)
        if item.kind == "link":
            staged = f'"$stage/link-{number}-{index}"'
            lines.append(f"ln -s {quote(item.link)} {staged}")
            lines.append(f"chown -h {owner[0]}:{owner[1]} {staged}")
            lines.append(f"mv -f {staged} {quote(item.path)}")
        elif name.isascii() and name.isprintable() and len(name) <= _MAX_NAME:
            _add(archive, item, f"{number}/{name}", owner)
            together.append(f'"$stage"/{quote(f"{number}/{name}")}')
        else:
            _add(archive, item, f"{number}/#{index}", owner)
            lines.append(f'mv -f "$stage/{number}/#{index}" {quote(item.path)}')
    for start in range(0, len(together), _PATHS_PER_COMMAND):
        names = " ".join(together[start : start + _PATHS_PER_COMMAND])
        lines.append(f"mv -f {names} {quote(directory.rstrip('/') + '/')}")
    return lines


def _add(archive: tarfile.TarFile, item: UploadItem, name: str, owner: Owner) -> None:
    header = tarfile.TarInfo(name)
    header.mode, header.mtime = item.mode, item.mtime
    header.uid, header.gid = (0, 0) if item.as_root else owner
    if item.kind == "directory":
        header.type = tarfile.DIRTYPE
        archive.addfile(header)
    elif item.kind == "link":
        header.type, header.linkname = tarfile.SYMTYPE, item.link
        archive.addfile(header)
    else:
        header.size = item.size
        with item.open() as content:
            archive.addfile(header, content)


def _spool() -> IO[bytes]:
    return SpooledTemporaryFile(max_size=_IN_MEMORY)
