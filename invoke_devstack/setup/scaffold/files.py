"""Writes several files as one: all of them, or none. What happens after a kill is in
docs/contributing/protocols.md."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from invoke_devstack.definition.reading.discover import STAGED
from invoke_devstack.local_files.replacing import flush_to_disk, writing

_STAGING = f"{STAGED}.partial"
_ORDER = "files"
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # what disks without hard links say


def write_together(directory: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the files (path in `directory` -> text) that do not exist. Returns their paths. An earlier call
    that was stopped must be finished first. Raises FileError."""
    missing = {path: text for path, text in files.items() if not os.path.lexists(directory / path)}
    if not missing:
        return ()
    _stage(directory, missing)
    return finish(directory)


def finish(directory: Path) -> tuple[str, ...]:
    """Puts the files of a complete stage in their places, those that others refer to first. Returns their
    paths. Raises FileError; then the next call continues."""
    _remove(directory / _STAGING)
    staged = directory / STAGED
    order = staged / _ORDER
    if not order.is_file():
        _remove(staged)
        return ()
    paths = order.read_text("utf-8").splitlines()
    written = tuple(path for path in paths if _put(staged / path, directory / path))
    _remove(staged)
    return written


def _stage(directory: Path, files: Mapping[str, str]) -> None:
    """Writes the files to a directory that has its final name only when they are on the disk."""
    staging = directory / _STAGING
    with _removed_on_failure(staging), writing(directory):
        for path, text in {**files, _ORDER: "\n".join(files)}.items():
            file = staging / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:
                opened.write(text.encode())
                flush_to_disk(opened)
        staging.rename(directory / STAGED)


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _remove(folder)
        raise


def _put(source: Path, target: Path) -> bool:
    """Whether `target` is new. Never replaces a file that somebody wrote meanwhile."""
    with writing(target), suppress(FileExistsError, FileNotFoundError):
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(source, target)
        return True
    return False


def _move(source: Path, target: Path) -> None:
    """Raises FileExistsError if `target` exists."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS or os.path.lexists(target):
            raise
        source.rename(target)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
