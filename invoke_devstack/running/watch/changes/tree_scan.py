"""Walks the watched trees, skipping what no rule covers."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from invoke_devstack.planning.watching.actions import CompiledRule
from invoke_devstack.running.watch.changes.walk import entries, lstat, walk
from invoke_devstack.running.watch.rules import CompiledRules

Directory = tuple[str, list[tuple[str, os.stat_result]]]
"""Its path, and (name, status of the entry itself) of everything in it."""


@dataclass(slots=True)
class NewestChange:
    """The path that changed last (content, mode or name), and when: seconds since the epoch."""

    path: str = ""
    time: float = 0.0


def scan_trees(rules: CompiledRules, modes: FileModes) -> Mapping[str, NewestChange]:
    """Walks everything that is watched and fills `modes`. Returns service -> the newest change that its
    `rebuild` rules cover."""
    rebuilding = [rule for rule in rules.rules if rule.action == "rebuild"]
    newest: dict[str, NewestChange] = {}
    for directory, found in walk_all(rules):
        modes.learn(directory, ((name, status.st_mode) for name, status in found))
        for rule in rebuilding:
            _keep_newest(newest.setdefault(rule.service, NewestChange()), rule, directory, found)
    return newest


def _keep_newest(
    newest: NewestChange, rule: CompiledRule, directory: str, found: Iterable[tuple[str, os.stat_result]]
) -> None:
    for name, status in found:
        if status.st_ctime > newest.time:
            path = f"{directory}/{name}"
            if not stat.S_ISDIR(status.st_mode) and rule.covers(path):
                newest.path, newest.time = path, status.st_ctime


def walk_all(rules: CompiledRules) -> Iterator[Directory]:
    """Each watched directory once."""
    seen: set[str] = set()
    for root in sorted(rules.roots):
        status = lstat(root)
        if status is None:
            continue
        if not stat.S_ISDIR(status.st_mode):
            parent, name = os.path.split(root)
            if parent not in seen:
                yield parent, [(name, status)]
            continue
        yield from _walk(root, rules.skips, seen)


def walk_names(rule: CompiledRule) -> Iterator[tuple[str, bool]]:
    """(path, whether it is a directory) of everything that `rule` covers, without the status of each file."""
    status = lstat(rule.root)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        yield rule.root, False
        return
    for path, directory in walk(rule.root, rule.skips):
        if rule.covers(path, directory=directory):
            yield path, directory


def ignored_directories(rule: CompiledRule) -> Iterator[str]:
    """The outermost directories that `rule` ignores completely."""
    left = [rule.root]
    while left:
        for path, directory in entries(left.pop()):
            if directory and rule.skips(path):
                yield path
            elif directory:
                left.append(path)


def _walk(root: str, skips: Callable[[str], bool], seen: set[str]) -> Iterator[Directory]:
    left = [root]
    while left:
        directory = left.pop()
        if directory in seen:
            continue
        seen.add(directory)
        found: list[tuple[str, os.stat_result]] = []
        for path, is_directory in entries(directory):
            status = lstat(path)
            if status is not None:
                found.append((path[len(directory.rstrip("/")) + 1 :], status))
            if is_directory and not skips(path):
                left.append(path)
        yield directory, found


@dataclass(slots=True)
class _Directory:
    usual: int
    others: dict[str, int]


class FileModes:
    """Modes by path. One thread at a time may write; reading meanwhile is safe."""

    def __init__(self) -> None:
        self._directories: dict[str, _Directory] = {}

    def learn(self, directory: str, files: Iterable[tuple[str, int]]) -> None:
        """Stores the modes of all files (name, `st_mode`) of a directory."""
        modes = {name: stat.S_IMODE(mode) for name, mode in files}
        usual = Counter(modes.values()).most_common(1)[0][0] if modes else -1
        others = {name: mode for name, mode in modes.items() if mode != usual}
        self._directories[directory] = _Directory(usual, others)

    def update(self, path: str, status: os.stat_result | None) -> None:
        """Stores the present mode of `path`; None for one that is gone."""
        directory, name = os.path.split(path)
        known = self._directories.get(directory)
        if known is None:
            return
        known.others.pop(name, None)
        if status is not None and stat.S_IMODE(status.st_mode) != known.usual:
            known.others[name] = stat.S_IMODE(status.st_mode)

    def get(self, path: str) -> int | None:
        """The last known mode of `path`, None if its directory is unknown."""
        directory, name = os.path.split(path)
        known = self._directories.get(directory)
        return None if known is None else known.others.get(name, known.usual)
