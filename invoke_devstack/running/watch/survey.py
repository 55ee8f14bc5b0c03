"""What the watched trees look like: a walk that skips what no rule is interested in."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from invoke_devstack.planning.watching import Rule
from invoke_devstack.running.watch.batch import lstat
from invoke_devstack.running.watch.modes import Modes
from invoke_devstack.running.watch.rules import Rules
from invoke_devstack.running.watch.walking import entries, walk


@dataclass(slots=True)
class Newest:
    """The path that was changed last (content, mode or name), and when, in seconds since the epoch."""

    path: str = ""
    time: float = 0.0

    def consider(self, path: str, time: float) -> None:
        if time > self.time:
            self.path, self.time = path, time


@dataclass(slots=True)
class Survey:
    """`newest` is, for each service, the last change that its `rebuild` rules cover."""

    newest: dict[str, Newest] = field(default_factory=dict)

    def take(self, rules: Rules, modes: Modes) -> None:
        """Walks all that is watched; fills `modes` and `newest`."""
        rebuilding = [rule for rule in rules.rules if rule.action == "rebuild"]
        for directory, found in walk_all(rules):
            modes.learn(directory, ((name, status.st_mode) for name, status in found))
            for rule in rebuilding:
                self._consider(rule, directory, found)

    def _consider(self, rule: Rule, directory: str, found: list[tuple[str, os.stat_result]]) -> None:
        newest = self.newest.setdefault(rule.service, Newest())
        for name, status in found:
            if status.st_ctime > newest.time:
                path = f"{directory}/{name}"
                if not stat.S_ISDIR(status.st_mode) and rule.covers(path):
                    newest.consider(path, status.st_ctime)


def walk_all(rules: Rules) -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
    """Each watched directory once, with (name, status of itself) of all that is in it."""
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


def walk_names(rule: Rule) -> Iterator[tuple[str, bool]]:
    """(path, whether it is a directory) of all that `rule` covers, without a look at each file."""
    status = lstat(rule.root)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        yield rule.root, False
        return
    for path, directory in walk(rule.root, rule.skips):
        if rule.covers(path, directory=directory):
            yield path, directory


def ignored_directories(rule: Rule) -> Iterator[str]:
    """The directories that `rule` has nothing to do with, outermost ones."""
    left = [rule.root]
    while left:
        for path, directory in entries(left.pop()):
            if directory and rule.skips(path):
                yield path
            elif directory:
                left.append(path)


def _walk(
    root: str, skips: Callable[[str], bool], seen: set[str]
) -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
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
