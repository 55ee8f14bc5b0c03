"""Reads directories that may change at the same time. Links are never followed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator


def lstat(path: str) -> os.stat_result | None:
    """The status of `path` itself; None if it does not exist or cannot be read."""
    try:
        return os.lstat(path)
    except OSError:
        return None


def entries(directory: str) -> list[tuple[str, bool]]:
    """(path, whether it is a directory) of each entry of `directory`; empty if it cannot be read."""
    try:
        with os.scandir(directory) as found:
            return [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []


def walk(top: str, skips: Callable[[str], bool]) -> Iterator[tuple[str, bool]]:
    """(path, whether it is a directory) of everything below `top`, except directories that `skips`
    excludes."""
    left = [top]
    while left:
        for path, directory in entries(left.pop()):
            if directory and skips(path):
                continue
            if directory:
                left.append(path)
            yield path, directory
