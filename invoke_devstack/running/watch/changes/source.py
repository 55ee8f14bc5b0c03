"""Chooses how changes are detected: inotify on Linux, watchfiles elsewhere, polling where neither works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from invoke_devstack.file_systems import lacks_events
from invoke_devstack.running.watch.changes.change_batch import ChangeBatch
from invoke_devstack.running.watch.changes.git import GitLocks
from invoke_devstack.running.watch.changes.polling_source import PollingSource
from invoke_devstack.running.watch.changes.watchfiles_source import WatchfilesSource

OnNotice = Callable[[str], None]


class ChangeSource(Protocol):
    """Reports changes below a set of roots."""

    def __len__(self) -> int:
        """How many directories or trees are watched."""

    def batches(self) -> Iterator[ChangeBatch]:
        """Waits for changes and yields them, batch by batch, until `stop`."""

    def stop(self) -> None:
        """Ends `batches`. May be called from any thread."""

    def close(self) -> None:
        """Releases its resources, once `batches` has ended."""


def open_change_source(
    roots: Iterable[str],
    skips: Callable[[str], bool],
    *,
    quiet: float,
    force_polling: bool | None,
    notice: OnNotice,
) -> ChangeSource:
    """Starts watching. A batch ends after `quiet` seconds without an event. If changes have to be polled,
    `notice` is called with the reason."""
    wanted = frozenset(roots)
    locks = GitLocks(wanted)
    reason = _reason_to_poll(wanted) if force_polling is None else ""
    if reason:
        notice(f"{reason}: looking for changes every 0.3 s")
    polling = bool(force_polling or reason)
    if not polling and sys.platform == "linux":
        from invoke_devstack.running.watch.changes.inotify_source import InotifySource, WatchLimitError

        try:
            return InotifySource(wanted, skips, quiet, locks)
        except WatchLimitError:
            notice(
                "this user's limit of watched directories is reached: looking for changes every 0.3 s. "
                "Raise it with `sudo sysctl fs.inotify.max_user_watches=524288`."
            )
            polling = True
    return (PollingSource if polling else WatchfilesSource)(wanted, skips, quiet, locks)


def _reason_to_poll(roots: Iterable[str]) -> str:
    """Why no events would arrive for one of `roots`; "" if they would."""
    if sys.platform != "linux":
        return ""
    mounts = _mounts()
    for root in sorted(roots):
        point, kind = max(
            (mount for mount in mounts if _contains(mount[0], root)), key=_depth, default=("/", "")
        )
        if lacks_events(kind):
            return f"{point} is a {kind} mount, which does not report changes"
    return ""


def _mounts() -> tuple[tuple[str, str], ...]:
    """(mount point, type of file system) of each mount."""
    try:
        lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ()
    fields = (line.split(" ") for line in lines)
    return tuple((parts[1].replace("\\040", " "), parts[2]) for parts in fields)


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(f"{point.rstrip('/')}/")


def _depth(mount: tuple[str, str]) -> int:
    return len(mount[0])
