"""Events from Linux's inotify: waiting costs nothing, and what is ignored is never looked at.

`watchfiles`, which tells of changes elsewhere, wakes up a hundred times a second to be quick and
watches ignored directories too; measured on 50,000 files, the idle CPU was six times that of
Docker Compose. Here the kernel wakes us, and each directory is watched for itself.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inotify_simple import Event, INotify, flags

from invoke_devstack.running.watch.batch import Batch, What, lstat
from invoke_devstack.running.watch.git import GitLocks
from invoke_devstack.running.watch.leaves import Leaves
from invoke_devstack.running.watch.stories import Stories
from invoke_devstack.running.watch.walking import walk

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
_GONE = flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT


class WatchLimitError(OSError):
    """The kernel watches no more directories for this user (`fs.inotify.max_user_watches`)."""


@dataclass(slots=True)
class _Watched:
    """A directory under watch: all of it, or only what has one of `names`."""

    path: str
    deep: bool = False
    names: set[str] = field(default_factory=set)


class InotifySource:
    """Watches `roots`: directories with all below them that `skips` does not exclude, single files,
    and what is not there yet."""

    def __init__(
        self, roots: Iterable[str], skips: Callable[[str], bool], quiet: float, locks: GitLocks
    ) -> None:
        """Raises WatchLimitError."""
        self._roots = frozenset(roots)
        self._skips = skips
        self._locks = locks
        self._batch = Batch(quiet)
        self._lost = False
        self._leaves = Leaves()
        self._inotify = INotify()
        self._wake_read, self._wake_write = os.pipe()
        self._watched: dict[int, _Watched] = {}
        self._descriptors: dict[str, int] = {}
        for root in sorted(self._roots):
            self._arm(root)

    def __len__(self) -> int:
        """How many directories are watched."""
        return len(self._watched)

    def stop(self) -> None:
        """Ends `batches`; may be called from any thread."""
        os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Gives the descriptors back, once `batches` has ended."""
        self._inotify.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def batches(self) -> Iterator[Stories]:
        """Waits for changes and yields them, batch by batch, until `stop`."""
        poller = select.poll()
        poller.register(self._inotify.fileno(), select.POLLIN)
        poller.register(self._wake_read, select.POLLIN)
        while True:
            wait = self._remaining()
            if wait is not None and wait <= 0:
                lost, self._lost = self._lost, False
                yield Stories(self._batch.take(), self._batch.since or time.monotonic(), lost)
                continue
            ready = poller.poll(None if wait is None else wait * 1000)
            if any(descriptor == self._wake_read for descriptor, _ in ready):
                return
            for event in self._inotify.read(timeout=0):
                self._take(event)

    def _remaining(self) -> float | None:
        if self._lost:
            return 0.0
        if not self._batch:
            return None
        wait = self._batch.wait(time.monotonic())
        return self._locks.wait() if wait <= 0 else wait

    def _arm(self, root: str) -> None:
        """Watches `root`, or the place where it will appear."""
        status = lstat(root)
        if status is not None and stat.S_ISDIR(status.st_mode):
            parent, name = os.path.split(root)
            self._watch_name(parent, name)
            self._watch_tree(root)
            return
        child = root
        while True:
            parent, name = os.path.split(child)
            if parent == child or Path(parent).is_dir():
                self._watch_name(parent, name)
                return
            child = parent

    def _watch_name(self, directory: str, name: str) -> None:
        watched = self._watch(directory)
        if watched is not None:
            watched.names.add(name)

    def _watch_tree(self, top: str) -> None:
        """Watches `top` and what is below. A directory is watched first and read then, so that what
        appears in between is seen in one way or the other."""
        left = [top]
        while left:
            directory = left.pop()
            watched = self._watch(directory)
            if watched is not None:
                watched.deep = True
                left += [path for path in self._subdirectories(directory) if not self._skips(path)]

    def _subdirectories(self, directory: str) -> list[str]:
        return [] if self._leaves.has_none_below(directory) else _subdirectories(directory)

    def _watch(self, directory: str) -> _Watched | None:
        known = self._descriptors.get(directory)
        if known is not None:
            return self._watched[known]
        try:
            descriptor = self._inotify.add_watch(directory, _MASK)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise WatchLimitError(*error.args) from error
            return None  # it went away, or may not be read
        watched = self._watched[descriptor] = _Watched(directory)
        self._descriptors[directory] = descriptor
        return watched

    def _forget_tree(self, top: str) -> None:
        """What was renamed away would still be reported, under its old name."""
        prefix = f"{top}/"
        for path in [path for path in self._descriptors if path == top or path.startswith(prefix)]:
            descriptor = self._descriptors.pop(path)
            del self._watched[descriptor]
            try:
                self._inotify.rm_watch(descriptor)
            except OSError:
                continue  # the kernel was first

    def _take(self, event: Event) -> None:
        if event.mask & flags.Q_OVERFLOW:
            self._lost = True
            return
        watched = self._watched.get(event.wd)
        if watched is None:
            return
        if event.mask & (_GONE | flags.IGNORED):
            self._lose(watched)
        elif event.name and (watched.deep or event.name in watched.names):
            self._tell(watched, f"{watched.path.rstrip('/')}/{event.name}", event.mask)

    def _lose(self, watched: _Watched) -> None:
        self._forget_tree(watched.path)
        for root in self._roots:
            if root == watched.path or root.startswith(f"{watched.path}/") or watched.names:
                self._arm(root)

    def _tell(self, watched: _Watched, path: str, mask: int) -> None:
        now = time.monotonic()
        directory = bool(mask & flags.ISDIR)
        if directory and self._skips(path) and not self._leads_to_root(path):
            return
        if watched.deep or path in self._roots:
            what = _what(path, mask, directory)
            self._batch.add(path, what, now, directory=directory, born=bool(mask & flags.CREATE))
        if directory and mask & flags.MOVED_FROM:
            self._forget_tree(path)
        if mask & (flags.CREATE | flags.MOVED_TO):
            for found, is_directory in self._appeared(watched, path, directory):
                born = bool(mask & flags.CREATE)
                self._batch.add(found, What.SAVED, now, directory=is_directory, born=born)

    def _appeared(self, watched: _Watched, path: str, directory: bool) -> Iterator[tuple[str, bool]]:
        """What a new directory holds already, and what became reachable of roots that were not there."""
        tops = [path] if directory and watched.deep and not self._skips(path) else []
        for top in tops:
            self._watch_tree(top)
        for root in self._roots:
            if root == path or root.startswith(f"{path}/"):
                self._arm(root)
                tops.append(root)
        for top in dict.fromkeys(tops):
            status = lstat(top)
            if status is None:
                continue
            is_directory = stat.S_ISDIR(status.st_mode)
            if top != path:
                yield top, is_directory
            if is_directory:
                yield from walk(top, self._skips)

    def _leads_to_root(self, path: str) -> bool:
        return any(root == path or root.startswith(f"{path}/") for root in self._roots)


def _what(path: str, mask: int, directory: bool) -> What:
    if mask & (flags.DELETE | flags.MOVED_FROM):
        return What.REMOVED
    if mask & flags.MOVED_TO:
        return What.ARRIVED
    if mask & flags.CREATE:
        return What.CREATED if directory or not _complete(path) else What.SAVED
    if mask & flags.MODIFY:
        return What.WRITTEN
    return What.CLOSED if mask & flags.CLOSE_WRITE else What.TOUCHED


def _complete(path: str) -> bool:
    """Whether a new name stands for something that nobody will close: a link of either kind."""
    status = lstat(path)
    return status is not None and (not stat.S_ISREG(status.st_mode) or status.st_nlink > 1)


def _subdirectories(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []  # it went away, or may not be read
