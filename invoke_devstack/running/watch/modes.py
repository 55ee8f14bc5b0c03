"""The modes of the watched files, in little memory: most files of a directory have the same one.

They tell a `chmod` from a mere reading, which both arrive as "attributes changed".
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Directory:
    usual: int
    others: dict[str, int]


class Modes:
    """Modes by path. Written by one thread at a time; reading beside it is safe."""

    def __init__(self) -> None:
        self._directories: dict[str, _Directory] = {}

    def learn(self, directory: str, files: Iterable[tuple[str, int]]) -> None:
        """Takes note of all files (name, `st_mode`) of a directory."""
        modes = {name: stat.S_IMODE(mode) for name, mode in files}
        usual = Counter(modes.values()).most_common(1)[0][0] if modes else -1
        others = {name: mode for name, mode in modes.items() if mode != usual}
        self._directories[directory] = _Directory(usual, others)

    def update(self, path: str, status: os.stat_result | None) -> None:
        """Takes note of what `path` is now."""
        directory, name = os.path.split(path)
        known = self._directories.get(directory)
        if known is None:
            return
        known.others.pop(name, None)
        if status is not None and stat.S_IMODE(status.st_mode) != known.usual:
            known.others[name] = stat.S_IMODE(status.st_mode)

    def get(self, path: str) -> int | None:
        """The mode that `path` had, None if its directory is not known."""
        directory, name = os.path.split(path)
        known = self._directories.get(directory)
        return None if known is None else known.others.get(name, known.usual)
