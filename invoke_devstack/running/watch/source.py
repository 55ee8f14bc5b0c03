"""Chooses who tells of changes: inotify on Linux, the system's own events elsewhere, or polling."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from invoke_devstack.running.watch.git import GitLocks
from invoke_devstack.running.watch.polling import WatchfilesSource
from invoke_devstack.running.watch.stories import Source

_WITHOUT_EVENTS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "drvfs", "vboxsf", "virtiofs", "prl_fs", "afs", "ceph"}
)
"""File systems that other machines change too: Linux tells only of what it changed itself."""

OnNotice = Callable[[str], None]


def open_source(
    roots: Iterable[str],
    skips: Callable[[str], bool],
    *,
    quiet: float,
    force_polling: bool | None,
    notice: OnNotice,
) -> Source:
    """Watches from now on. `quiet` seconds without an event end a batch; `notice` gets a sentence
    when changes have to be polled for, with the reason."""
    wanted = frozenset(roots)
    locks = GitLocks(wanted)
    reason = _reason_to_poll(wanted) if force_polling is None else ""
    if reason:
        notice(f"{reason}: looking for changes every 0.3 s")
    polling = bool(force_polling or reason)
    if not polling and sys.platform == "linux":
        from invoke_devstack.running.watch.inotify import InotifySource, WatchLimitError

        try:
            return InotifySource(wanted, skips, quiet, locks)
        except WatchLimitError:
            notice(
                "Linux watches no more directories for this user: looking for changes every 0.3 s. "
                "`sudo sysctl fs.inotify.max_user_watches=524288` raises the limit."
            )
            polling = True
    return WatchfilesSource(wanted, skips, quiet, locks, polling=polling)


def _reason_to_poll(roots: Iterable[str]) -> str:
    """Why no events would arrive for one of `roots`; "" where they do."""
    if sys.platform != "linux":
        return ""
    mounts = _mounts()
    for root in sorted(roots):
        point, kind = max(
            (mount for mount in mounts if _holds(mount[0], root)), key=_depth, default=("/", "")
        )
        if kind in _WITHOUT_EVENTS or kind.startswith("fuse."):
            return f"{point} is a {kind} mount, which tells of no changes"
    return ""


def _mounts() -> tuple[tuple[str, str], ...]:
    """(mount point, kind of file system) of each mount."""
    try:
        lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ()
    fields = (line.split(" ") for line in lines)
    return tuple((parts[1].replace("\\040", " "), parts[2]) for parts in fields)


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(f"{point.rstrip('/')}/")


def _depth(mount: tuple[str, str]) -> int:
    return len(mount[0])
