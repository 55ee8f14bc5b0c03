"""Events of the file system -> one batch a save -> what became of each path.

Editors save in many steps: vim moves the old file away and writes a new one, VS Code empties the
file and writes it, PyCharm writes a second file and renames it over the first. A batch ends when
it has been quiet for a moment and no file in it is still open for writing; then what is there in the
end is what counts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from invoke_devstack.planning.watching import Change

_LONGEST_QUIET = 0.2  # seconds: a branch switch pauses between files
_WRITER_PATIENCE = 0.25  # seconds that a file may stay open for writing before it is taken as it is
_LONGEST_BATCH = 1.0  # seconds


class What(Enum):
    """What an event says of a path."""

    CREATED = auto()  # it was not there before; it may still be open for writing
    WRITTEN = auto()  # its content changed; it is still open for writing
    CLOSED = auto()  # it was open for writing, whether anything was written or not
    SAVED = auto()  # it is there, and complete
    ARRIVED = auto()  # it was renamed to this name; another one may have had it before
    TOUCHED = auto()  # its attributes changed: mode, owner, a time
    REMOVED = auto()  # it was deleted, or renamed to another name


@dataclass(slots=True)
class Story:
    """What all events of a batch say of one path."""

    born: bool
    directory: bool
    removed: bool = False
    attributes_only: bool = True


class Batch:
    """Gathers events. Times are readings of one clock, in seconds."""

    def __init__(self, quiet: float) -> None:
        """`quiet` seconds without an event end a batch; more where it holds many paths."""
        self._quiet = quiet
        self._stories: dict[str, Story] = {}
        self._writers: dict[str, float] = {}
        self._first = self._last = 0.0

    @property
    def since(self) -> float:
        """When its first event came."""
        return self._first

    def __bool__(self) -> bool:
        return bool(self._stories)

    def add(self, path: str, what: What, now: float, *, directory: bool = False, born: bool = False) -> None:
        """Takes note of an event. `born`: there was nothing of that name before."""
        if not self._stories:
            self._first = now
        self._last = now
        story = self._stories.get(path)
        if story is None:
            story = self._stories[path] = Story(born or what is What.CREATED, directory)
        story.directory = directory
        story.removed |= what is What.REMOVED
        story.attributes_only &= what in (What.TOUCHED, What.CLOSED)
        if what in (What.CREATED, What.WRITTEN) and not directory:
            self._writers[path] = now
        elif what is not What.TOUCHED:
            self._writers.pop(path, None)

    def wait(self, now: float) -> float:
        """Seconds until the batch ends if nothing more comes; 0 or less: it has ended."""
        quiet = min(self._quiet * (1 + len(self._stories) / 40), max(self._quiet, _LONGEST_QUIET))
        end = self._last + quiet
        if self._writers:
            end = max(end, max(self._writers.values()) + _WRITER_PATIENCE)
        return min(end, self._first + _LONGEST_BATCH) - now

    def take(self) -> Mapping[str, Story]:
        """The stories so far; the next event begins a new batch."""
        stories = self._stories
        self._stories, self._writers = {}, {}
        return stories


def settle(
    stories: Mapping[str, Story],
    mode_before: Callable[[str], int | None],
    look: Callable[[str], os.stat_result | None],
) -> Iterator[Change]:
    """What became of each path. `mode_before` is the mode it had, None if not known; `look` is its
    status now (of a link itself), None if it is gone."""
    for path, story in stories.items():
        found = look(path)
        if found is None:
            if not story.born:
                yield Change(path, "deleted", story.directory)
        elif not (story.attributes_only and _only_read(found, mode_before(path))):
            directory = stat.S_ISDIR(found.st_mode)
            if story.removed and (directory or story.directory) and not story.born:
                yield Change(path, "deleted", directory=True)
            yield Change(path, "added" if story.born or story.removed else "modified", directory)


def _only_read(found: os.stat_result, mode_before: int | None) -> bool:
    """Whether an event about attributes tells of a new access time alone. (`touch` sets the time of
    modification to the moment of the call, which is then that of the change too.)"""
    touched = abs(found.st_mtime_ns - found.st_ctime_ns) < 10_000_000
    return not touched and mode_before == stat.S_IMODE(found.st_mode)


def lstat(path: str) -> os.stat_result | None:
    """The status of `path` itself, None where there is nothing (or nothing that can be looked at)."""
    try:
        return os.lstat(path)
    except OSError:
        return None
