"""Changes by comparing one look at the tree with the next, where no events arrive: network mounts, Windows
drives in WSL, or when the user asks for it.

Own code, because the polling of `watchfiles` compares whole seconds and forgets what it did not report: the
second of two saves within a second was lost for good. A look takes 0.3 s for 50,000 files.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.planning.watching.actions import relative
from invoke_devstack.running.watch.changes.change_batch import ChangeBatch, PathHistory
from invoke_devstack.running.watch.changes.git import GitLocks
from invoke_devstack.running.watch.changes.walk import lstat

_INTERVAL = 0.3  # seconds between two looks
_IDLE_SHARE = 3  # seconds of rest for each second that a look took
_MAX_BATCH = 1.0  # seconds
_YOUNG = 3.0  # seconds in which a file system with coarse times may give two saves the same time
_SECOND = 1_000_000_000  # nanoseconds


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at a path found. `digest`: of its content, where times cannot tell two saves apart.
    `version` differs if a file was changed, or the mode of a directory; a directory that was replaced has
    other entries. Inodes are not compared, because some network mounts make them up."""

    directory: bool
    version: tuple[int, ...]
    digest: bytes = b""


_Tree = dict[str, _Look]


class PollingSource:
    """Watches the same as `InotifySource`, without events."""

    def __init__(
        self, roots: Iterable[str], skips: Callable[[str], bool], quiet: float, locks: GitLocks
    ) -> None:
        every = frozenset(roots)
        self._roots = sorted(
            root for root in every if not any(root != other and relative(root, other) for other in every)
        )
        self._skips = skips
        self._quiet = max(quiet, 0.005)
        self._locks = locks
        self._stopped = threading.Event()
        self._known: _Tree = {}
        self._known, self._rest = self._look()

    def __len__(self) -> int:
        """How many paths are watched, each with everything below it."""
        return len(self._roots)

    def stop(self) -> None:
        """Ends `batches`. May be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Has nothing to release."""

    def batches(self) -> Iterator[ChangeBatch]:
        """Looks for changes and yields them, batch by batch, until `stop`."""
        while not self._stopped.wait(self._rest):
            since = time.monotonic()
            if paths := self._changes():
                self._settle(paths, since + _MAX_BATCH)
                yield ChangeBatch(paths, since)

    def _settle(self, paths: dict[str, PathHistory], until: float) -> None:
        """Adds what else changes until a look finds nothing new and git has finished."""
        more = True
        while (more and time.monotonic() < until) or self._locks.wait():
            self._stopped.wait(self._quiet)
            later = self._changes()
            more = bool(later)
            for path, history in later.items():
                _add(paths, path, history)

    def _changes(self) -> dict[str, PathHistory]:
        """What changed since the last look."""
        before = self._known
        self._known, self._rest = self._look()
        gone = {path: _history(before[path], removed=True) for path in before.keys() - self._known.keys()}
        new = {path: _history(self._known[path], born=True) for path in self._known.keys() - before.keys()}
        kept = ((path, before[path], found) for path, found in self._known.items() if path in before)
        changed = {
            path: _history(found, removed=old.directory != found.directory)
            for path, old, found in kept
            if _differ(old, found)
        }
        return dict(sorted({**gone, **new, **changed}.items()))

    # one look

    def _look(self) -> tuple[_Tree, float]:
        """Everything that is watched, and the seconds until the next look."""
        began = time.monotonic()
        found: _Tree = {}
        for root in self._roots:
            status = lstat(root)
            if status is not None:
                self._look_at(root, status, found)
            elif root in self._known and self._known[root].directory:
                self._keep(root, found)  # a mount that went away: nothing was deleted
        return found, max(_INTERVAL, _IDLE_SHARE * (time.monotonic() - began))

    def _look_at(self, root: str, status: os.stat_result, found: _Tree) -> None:
        found[root] = self._examine(root, status)
        left = [root] if stat.S_ISDIR(status.st_mode) and not self._skips(root) else []
        while left:
            directory = left.pop()
            try:
                with os.scandir(directory) as entries:
                    left += self._enter(entries, found)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                self._keep(directory, found)

    def _enter(self, entries: Iterable[os.DirEntry[str]], found: _Tree) -> list[str]:
        """Adds the entries of a directory. Returns the directories among them that are watched too."""
        directories = []
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            found[entry.path] = self._examine(entry.path, status)
            if stat.S_ISDIR(status.st_mode) and not self._skips(entry.path):
                directories.append(entry.path)
        return directories

    def _keep(self, directory: str, found: _Tree) -> None:
        """What cannot be read now stays as it was."""
        for path, look in self._known.items():
            if relative(path, directory) is not None:
                found.setdefault(path, look)

    def _examine(self, path: str, status: os.stat_result) -> _Look:
        if stat.S_ISDIR(status.st_mode):
            return _Look(True, (status.st_mode,))
        before = self._known.get(path)
        doubtful = _is_doubtful(status) or (before is not None and before.digest)
        version = (status.st_mode, status.st_size, *_times(status))
        digest = _digest(path) if doubtful and stat.S_ISREG(status.st_mode) else b""
        return _Look(False, version, digest)


def _times(status: os.stat_result) -> tuple[int, int]:
    """When the content and when anything of it changed, in nanoseconds since the epoch."""
    return status.st_mtime_ns, status.st_ctime_ns


def _is_doubtful(status: os.stat_result) -> bool:
    """Whether a second save could leave the same times: they are whole seconds, and of just now."""
    written, changed = _times(status)
    coarse = written % _SECOND == changed % _SECOND == 0
    return coarse and abs(time.time() - written / _SECOND) < _YOUNG


def _digest(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def _differ(old: _Look, new: _Look) -> bool:
    rewritten = bool(old.digest and new.digest) and old.digest != new.digest
    return rewritten or old.version != new.version


def _history(look: _Look, *, born: bool = False, removed: bool = False) -> PathHistory:
    return PathHistory(born=born, directory=look.directory, removed=removed, attributes_only=False)


def _add(paths: dict[str, PathHistory], path: str, later: PathHistory) -> None:
    earlier = paths.setdefault(path, later)
    earlier.directory = later.directory
    earlier.removed |= later.removed
