"""Parcels as tar archives: one for the engine to unpack, one for the helper inside a container."""

from __future__ import annotations

import posixpath
import shlex
import tarfile
from collections.abc import Iterable
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from invoke_devstack.running.watch.parcel import Item, Parcel

_IN_MEMORY = 32 * 1024 * 1024  # bytes: a larger archive goes through a temporary file
_NAMES_A_COMMAND = 200
_LONGEST_NAME = 80  # bytes: small tar programs keep longer ones, and foreign letters, not rightly
_BLOCK = 512  # bytes

Owner = tuple[int, int]


def engine_archive(items: Iterable[Item], owner: Owner) -> IO[bytes]:
    """An archive to be unpacked at `/`, its position at the start."""
    file = _spool()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for item in items:
            _add(archive, item, item.path.lstrip("/"), owner)
    file.seek(0)
    return file


def helper_archive(parcel: Parcel, owner: Owner, script: str = "") -> IO[bytes]:
    """An archive of staged files (`DIRECTORY/NAME`) and a shell script `apply` that puts them in
    place, each by a rename, so that no reader ever finds half a file. `script` is run first."""
    file = _spool()
    lines = [script] if script else []
    lines += [f"gone {_quoted(path)}" for path in parcel.deletions]
    # An archive ends with zero blocks; the padding to whole records that Python adds costs more to
    # send than most files have.
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        lines += _stage(archive, parcel.items, owner)
        lines += _record(parcel.items)
        body = "\n".join((*lines, "")).encode("utf-8", "surrogateescape")
        header = tarfile.TarInfo("apply")
        header.size = len(body)
        archive.addfile(header, BytesIO(body))
        end = archive.offset
    file.truncate(end + 2 * _BLOCK)
    file.seek(0)
    return file


def _record(items: list[Item]) -> list[str]:
    """Lines that add what was brought to the container's record (`record.py`)."""
    paths = [f"{item.path}/" if item.kind == "directory" else item.path for item in items if not item.as_root]
    parts = (paths[start : start + _NAMES_A_COMMAND] for start in range(0, len(paths), _NAMES_A_COMMAND))
    return [f"known {' '.join(map(_quoted, part))}" for part in parts]


def _stage(archive: tarfile.TarFile, items: list[Item], owner: Owner) -> list[str]:
    """Adds all files, and returns the lines that put them, the directories and the links in place."""
    lines: list[str] = []
    groups: dict[str, list[Item]] = {}
    user = f"{owner[0]}:{owner[1]}"
    for item in items:
        if item.kind == "directory":
            lines.append(f"folder {_quoted(item.path)} {user}")
            lines.append(f"chmod {item.mode:o} {_quoted(item.path)}")
        else:
            groups.setdefault(posixpath.dirname(item.path), []).append(item)
    for number, (directory, members) in enumerate(groups.items()):
        lines.append(f"folder {_quoted(directory.rstrip('/'))} {user}")
        lines += [f"free {_quoted(item.path)}" for item in members]
        lines += _stage_group(archive, number, directory, members, owner)
    return lines


def _stage_group(
    archive: tarfile.TarFile, number: int, directory: str, members: list[Item], owner: Owner
) -> list[str]:
    lines: list[str] = []
    together: list[str] = []
    for index, item in enumerate(members):
        name = posixpath.basename(item.path)
        if item.kind == "link":
            staged = f'"$stage/link-{number}-{index}"'
            lines.append(f"ln -s {_quoted(item.link)} {staged}")
            lines.append(f"chown -h {owner[0]}:{owner[1]} {staged}")
            lines.append(f"mv -f {staged} {_quoted(item.path)}")
        elif name.isascii() and name.isprintable() and len(name) <= _LONGEST_NAME:
            _add(archive, item, f"{number}/{name}", owner)
            together.append(f'"$stage"/{_quoted(f"{number}/{name}")}')
        else:
            _add(archive, item, f"{number}/#{index}", owner)
            lines.append(f'mv -f "$stage/{number}/#{index}" {_quoted(item.path)}')
    for start in range(0, len(together), _NAMES_A_COMMAND):
        names = " ".join(together[start : start + _NAMES_A_COMMAND])
        lines.append(f"mv -f {names} {_quoted(directory.rstrip('/') + '/')}")
    return lines


def _add(archive: tarfile.TarFile, item: Item, name: str, owner: Owner) -> None:
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


def _quoted(text: str) -> str:
    return shlex.quote(text)
