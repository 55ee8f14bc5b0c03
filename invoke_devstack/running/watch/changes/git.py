"""Detects a running git command in a watched tree: a branch switch is one batch, however long it takes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

_MAX_AGE = 5.0  # seconds: an older lock was left behind, or the switch is a long one
_POLL = 0.02  # seconds


class GitLocks:
    """The index locks of the repositories that contain `roots`."""

    def __init__(self, roots: Iterable[str]) -> None:
        found = {directory for root in roots if (directory := _git_directory(Path(root)))}
        self._locks = tuple(directory / "index.lock" for directory in sorted(found))

    def wait(self) -> float:
        """Seconds to wait before asking again; 0.0 if git is not running."""
        return _POLL if any(_is_fresh(lock) for lock in self._locks) else 0.0


def _git_directory(path: Path) -> Path | None:
    """The git directory of the working tree that contains `path`, including linked worktrees."""
    for directory in (path, *path.parents):
        entry = directory / ".git"
        if entry.is_dir():
            return entry
        if entry.is_file():
            pointer = entry.read_text(errors="replace").strip()
            return (directory / pointer.removeprefix("gitdir: ")).resolve()
    return None


def _is_fresh(lock: Path) -> bool:
    try:
        return time.time() - lock.stat().st_mtime < _MAX_AGE
    except OSError:
        return False
