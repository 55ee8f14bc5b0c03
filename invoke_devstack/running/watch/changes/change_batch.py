"""File system events -> one batch per save -> what happened to each path.

Editors save in several steps: vim renames the old file and writes a new one, VS Code truncates the file and
writes it, PyCharm writes a second file and renames it over the first. A batch ends when no event has arrived
for a moment and no file in it is still open for writing. Only the final state counts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from invoke_devstack.planning.watching.actions import Change

_MAX_QUIET = 0.2  # seconds: a branch switch pauses between files
_WRITER_TIMEOUT = 0.25  # seconds that a file may stay open for writing before it is synced as it is
_MAX_BATCH = 1.0  # seconds
_PATHS_PER_QUIET = 40  # paths after which the batch waits twice as long for the next event


class PathEvent(Enum):
    """What happened to a path, as the kernel reports it."""

    CREATED = auto()  # new; it may still be open for writing
    WRITTEN = auto()  # its content changed; it is still open for writing
    CLOSED = auto()  # it was open for writing, whether or not anything was written
    SAVED = auto()  # it exists, and is complete
    ARRIVED = auto()  # it was renamed to this name, which another file may have had before
    TOUCHED = auto()  # its attributes changed: mode, owner, a timestamp
    REMOVED = auto()  # it was deleted, or renamed to another name


_ATTRIBUTES = (PathEvent.TOUCHED, PathEvent.CLOSED)
_WRITING = (PathEvent.CREATED, PathEvent.WRITTEN)


@dataclass(slots=True)
class PathHistory:
    """The events of a batch for one path, summed up. `born`: it did not exist before the batch."""

    born: bool
    directory: bool
    removed: bool = False
    attributes_only: bool = True

    def add(self, event: PathEvent, *, directory: bool) -> None:
        self.directory = directory
        self.removed |= event is PathEvent.REMOVED
        self.attributes_only &= event in _ATTRIBUTES


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """`since`: `time.monotonic()` at its first event. `lost`: the kernel dropped events, so that more may
    have changed."""

    paths: Mapping[str, PathHistory]
    since: float
    lost: bool = False


class BatchCollector:
    """Collects events. All times are seconds of one clock."""

    def __init__(self, quiet: float) -> None:
        """A batch ends `quiet` seconds after the last event; later if it holds many paths."""
        self._quiet = quiet
        self._paths: dict[str, PathHistory] = {}
        self._writers: dict[str, float] = {}
        self._first = self._last = 0.0

    @property
    def since(self) -> float:
        """When the first event arrived."""
        return self._first

    def __bool__(self) -> bool:
        return bool(self._paths)

    def add(
        self, path: str, event: PathEvent, now: float, *, directory: bool = False, born: bool = False
    ) -> None:
        """Adds an event. `born`: the path did not exist before it."""
        if not self._paths:
            self._first = now
        self._last = now
        history = self._paths.get(path)
        if history is None:
            history = self._paths[path] = PathHistory(born or event is PathEvent.CREATED, directory)
        history.add(event, directory=directory)
        if event in _WRITING and not directory:
            self._writers[path] = now
        elif event is not PathEvent.TOUCHED:
            self._writers.pop(path, None)

    def wait(self, now: float) -> float:
        """Seconds until the batch ends if no further event arrives; 0 or less: it has ended."""
        scaled = self._quiet * (1 + len(self._paths) / _PATHS_PER_QUIET)
        end = self._last + min(scaled, max(self._quiet, _MAX_QUIET))
        if self._writers:
            end = max(end, max(self._writers.values()) + _WRITER_TIMEOUT)
        return min(end, self._first + _MAX_BATCH) - now

    def take(self) -> Mapping[str, PathHistory]:
        """Ends the batch and returns its paths; the next event begins a new one."""
        paths = self._paths
        self._paths, self._writers = {}, {}
        return paths


def net_changes(
    paths: Mapping[str, PathHistory],
    mode_before: Callable[[str], int | None],
    look: Callable[[str], os.stat_result | None],
) -> Iterator[Change]:
    """The result of a batch. `mode_before` returns the mode that a path had, None if unknown; `look` returns
    its status now (of a link itself), None if it is gone."""
    for path, history in paths.items():
        found = look(path)
        if found is None:
            if not history.born:
                yield Change(path, "deleted", history.directory)
        elif not (history.attributes_only and _is_read_only_access(found, mode_before(path))):
            directory = stat.S_ISDIR(found.st_mode)
            if history.removed and (directory or history.directory) and not history.born:
                yield Change(path, "deleted", directory=True)
            yield Change(path, "added" if history.born or history.removed else "modified", directory)


def _is_read_only_access(found: os.stat_result, mode_before: int | None) -> bool:
    """Whether only the access time changed. (`touch` sets the modification time to the moment of the call,
    which is then the time of the status change too.)"""
    touched = abs(found.st_mtime_ns - found.st_ctime_ns) < 10_000_000
    return not touched and mode_before == stat.S_IMODE(found.st_mode)
