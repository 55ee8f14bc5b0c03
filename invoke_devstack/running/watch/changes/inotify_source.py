"""Changes through Linux's inotify: the kernel wakes us, and ignored directories are never watched.

`watchfiles` does the same on other systems, but checks for events a hundred times a second and watches
ignored directories too: on 50,000 files it took 0.24 % of a processor when idle, where Docker Compose takes
0.04 %.

Rule: this module on Linux; `watchfiles_source` on macOS and Windows, on mounts that do not report changes
(`file_systems`), and when the kernel's limit of watches is reached.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from inotify_simple import Event, INotify, flags

from invoke_devstack.planning.watching.actions import relative
from invoke_devstack.running.watch.changes.change_batch import BatchCollector, ChangeBatch, PathEvent
from invoke_devstack.running.watch.changes.git import GitLocks
from invoke_devstack.running.watch.changes.walk import entries, lstat, walk

_MASK = (
    flags.CREATE
    | flags.MODIFY
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.DELETE
    | flags.DELETE_SELF
    | flags.MOVE_SELF
    | flags.ONLYDIR
    | flags.EXCL_UNLINK
)
_DIRECTORY_GONE = flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT | flags.IGNORED
_NEW_NAME = flags.CREATE | flags.MOVED_TO
_OLD_NAME = flags.DELETE | flags.MOVED_FROM


class WatchLimitError(OSError):
    """The kernel's limit of watched directories for this user (`fs.inotify.max_user_watches`) is reached."""


@dataclass(slots=True)
class _Watched:
    """A watched directory: everything in it if `deep`, else only `names`."""

    path: str
    deep: bool = False
    names: set[str] = field(default_factory=set)

    def covers(self, name: str) -> bool:
        return self.deep or name in self.names

    def path_of(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"


class _WatchedDirectories:
    """The kernel's watches, by descriptor and by path."""

    def __init__(self, inotify: INotify) -> None:
        self._inotify = inotify
        self._by_descriptor: dict[int, _Watched] = {}
        self._descriptors: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_descriptor)

    def get(self, descriptor: int) -> _Watched | None:
        return self._by_descriptor.get(descriptor)

    def add(self, directory: str) -> _Watched | None:
        """Watches `directory`; None if it is gone or may not be read. Raises WatchLimitError."""
        known = self._descriptors.get(directory)
        if known is not None:
            return self._by_descriptor[known]
        try:
            descriptor = self._inotify.add_watch(directory, _MASK)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise WatchLimitError(*error.args) from error
            return None
        watched = self._by_descriptor[descriptor] = _Watched(directory)
        self._descriptors[directory] = descriptor
        return watched

    def remove_tree(self, top: str) -> None:
        """The kernel would go on reporting a renamed directory under its old name."""
        for path in [path for path in self._descriptors if _is_in(path, top)]:
            descriptor = self._descriptors.pop(path)
            del self._by_descriptor[descriptor]
            with suppress(OSError):  # the kernel may have removed it already
                self._inotify.rm_watch(descriptor)


class InotifySource:
    """Watches `roots`: directories with everything below them that `skips` does not exclude, single files,
    and paths that do not exist yet."""

    def __init__(
        self, roots: Iterable[str], skips: Callable[[str], bool], quiet: float, locks: GitLocks
    ) -> None:
        """Raises WatchLimitError."""
        self._roots = frozenset(roots)
        self._skips = skips
        self._locks = locks
        self._batch = BatchCollector(quiet)
        self._lost = False
        self._leaves = LeafDirectories()
        self._inotify = INotify()
        self._watched = _WatchedDirectories(self._inotify)
        self._wake_read, self._wake_write = os.pipe()
        for root in sorted(self._roots):
            self._watch_root(root)

    def __len__(self) -> int:
        """How many directories are watched."""
        return len(self._watched)

    def stop(self) -> None:
        """Ends `batches`. May be called from any thread."""
        os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Closes the descriptors, once `batches` has ended."""
        self._inotify.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def batches(self) -> Iterator[ChangeBatch]:
        """Waits for changes and yields them, batch by batch, until `stop`."""
        poller = select.poll()
        poller.register(self._inotify.fileno(), select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        while True:
            wait = self._seconds_to_wait()
            if wait is not None and wait <= 0:
                yield self._finish_batch()
                continue
            ready = poller.poll(None if wait is None else wait * 1000)
            if any(descriptor == self._wake_read for descriptor, _ in ready):
                return
            for event in self._inotify.read(timeout=0):
                self._handle(event)

    def _seconds_to_wait(self) -> float | None:
        """Until the batch ends; None while no batch has begun."""
        if self._lost:
            return 0.0
        if not self._batch:
            return None
        wait = self._batch.wait(time.monotonic())
        return self._locks.wait() if wait <= 0 else wait

    def _finish_batch(self) -> ChangeBatch:
        lost, self._lost = self._lost, False
        return ChangeBatch(self._batch.take(), self._batch.since or time.monotonic(), lost)

    def _watch_root(self, root: str) -> None:
        """Watches `root`, or the nearest existing directory in which it will appear."""
        status = lstat(root)
        if status is not None and stat.S_ISDIR(status.st_mode):
            self._watch_name(*os.path.split(root))
            self._watch_tree(root)
            return
        parent, name = os.path.split(root)
        while parent != "/" and not Path(parent).is_dir():
            parent, name = os.path.split(parent)
        self._watch_name(parent, name)

    def _watch_name(self, directory: str, name: str) -> None:
        watched = self._watched.add(directory)
        if watched is not None:
            watched.names.add(name)

    def _watch_tree(self, top: str) -> None:
        """Watches `top` and everything below it. Each directory is watched before it is read, so that nothing
        that appears in between is missed."""
        left = [top]
        while left:
            directory = left.pop()
            watched = self._watched.add(directory)
            if watched is not None:
                watched.deep = True
                left += [path for path in self._subdirectories(directory) if not self._skips(path)]

    def _subdirectories(self, directory: str) -> list[str]:
        if self._leaves.is_leaf(directory):
            return []
        return [path for path, is_directory in entries(directory) if is_directory]

    def _handle(self, event: Event) -> None:
        if event.mask & flags.Q_OVERFLOW:
            self._lost = True
            return
        watched = self._watched.get(event.wd)
        if watched is None:
            return
        if event.mask & _DIRECTORY_GONE:
            self._watched.remove_tree(watched.path)
            for root in self._roots:
                if _is_in(root, watched.path) or watched.names:
                    self._watch_root(root)
        elif event.name and watched.covers(event.name):
            self._handle_entry(watched, watched.path_of(event.name), event.mask)

    def _handle_entry(self, watched: _Watched, path: str, mask: int) -> None:
        directory = bool(mask & flags.ISDIR)
        if directory and self._skips(path) and not any(_is_in(root, path) for root in self._roots):
            return
        if watched.deep or path in self._roots:
            self._add(path, _path_event(path, mask, directory), mask, directory=directory)
        if directory and mask & flags.MOVED_FROM:
            self._watched.remove_tree(path)
        if mask & _NEW_NAME:
            for found, is_directory in self._appeared(watched, path, directory):
                self._add(found, PathEvent.SAVED, mask, directory=is_directory)

    def _add(self, path: str, event: PathEvent, mask: int, *, directory: bool) -> None:
        born = bool(mask & flags.CREATE)
        self._batch.add(path, event, time.monotonic(), directory=directory, born=born)

    def _appeared(self, watched: _Watched, path: str, directory: bool) -> Iterator[tuple[str, bool]]:
        """What a new directory contains already, and the roots that exist now."""
        tops = [path] if directory and watched.deep and not self._skips(path) else []
        for top in tops:
            self._watch_tree(top)
        for root in self._roots:
            if _is_in(root, path):
                self._watch_root(root)
                tops.append(root)
        for top in dict.fromkeys(tops):
            yield from self._contents(top, top != path)

    def _contents(self, top: str, with_top: bool) -> Iterator[tuple[str, bool]]:
        status = lstat(top)
        if status is None:
            return
        directory = stat.S_ISDIR(status.st_mode)
        if with_top:
            yield top, directory
        if directory:
            yield from walk(top, self._skips)


def _is_in(path: str, top: str) -> bool:
    """Whether `path` is `top` or below it."""
    return relative(path, top) is not None


def _path_event(path: str, mask: int, directory: bool) -> PathEvent:
    if mask & _OLD_NAME:
        return PathEvent.REMOVED
    if mask & flags.MOVED_TO:
        return PathEvent.ARRIVED
    if mask & flags.CREATE:
        return PathEvent.CREATED if directory or not _is_complete(path) else PathEvent.SAVED
    if mask & flags.MODIFY:
        return PathEvent.WRITTEN
    return PathEvent.CLOSED if mask & flags.CLOSE_WRITE else PathEvent.TOUCHED


def _is_complete(path: str) -> bool:
    """Whether a new path is one that nobody will close after writing: a symbolic or hard link."""
    status = lstat(path)
    return status is not None and (not stat.S_ISREG(status.st_mode) or status.st_nlink > 1)


_COUNTING = frozenset({"ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs"})
"""File systems where each subdirectory adds a link to its parent (its `..`). Others always report 1, or 2."""


class LeafDirectories:
    """Recognizes leaves on the file systems mounted when it is created."""

    def __init__(self, mountinfo: str | None = None) -> None:
        """`mountinfo`: the text of /proc/self/mountinfo; None reads it."""
        self._devices = counting_devices(_read() if mountinfo is None else mountinfo)

    def is_leaf(self, directory: str) -> bool:
        """Whether `directory` certainly has no subdirectory. False if only reading it could tell."""
        status = lstat(directory)
        return status is not None and status.st_nlink == 2 and status.st_dev in self._devices


def counting_devices(mountinfo: str) -> frozenset[int]:
    """The devices (as in `st_dev`) of file systems that count subdirectories as links.
    See proc_pid_mountinfo(5): the third field, and the first one after the dash."""
    found = set()
    for line in mountinfo.splitlines():
        mount, _, file_system = line.partition(" - ")
        if file_system.partition(" ")[0] in _COUNTING:
            major, _, minor = mount.split(" ")[2].partition(":")
            found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


def _read() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return ""
