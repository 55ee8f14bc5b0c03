"""Walks through directories that may change meanwhile. Links are never followed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator


def entries(directory: str) -> list[tuple[str, bool]]:
    """(path, whether it is a directory) of what is in `directory`; nothing if it cannot be read."""
    try:
        with os.scandir(directory) as found:
            return [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return []


def walk(top: str, skips: Callable[[str], bool]) -> Iterator[tuple[str, bool]]:
    """(path, whether it is a directory) of all below `top`, without the directories that `skips` excludes."""
    left = [top]
    while left:
        for path, directory in entries(left.pop()):
            if directory and skips(path):
                continue
            if directory:
                left.append(path)
            yield path, directory
