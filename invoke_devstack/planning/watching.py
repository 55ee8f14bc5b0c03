"""What a batch of changes asks for: changes and rules -> copies, deletions, rebuilds, restarts, commands.

Pure: paths are text, nothing is looked up on the disk or on the engine. The rules are those of
`develop.watch` (https://github.com/compose-spec/compose-spec/blob/main/develop.md).
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from invoke_devstack.definition.dockerignore import Ignore

Kind = Literal["added", "modified", "deleted"]
WatchAction = Literal["sync", "rebuild", "restart", "sync+restart", "sync+exec"]
Item = TypeVar("Item")


class Ignoring(Protocol):
    """What tells which paths do not count: `Ignore` (Docker's patterns), or something quicker."""

    def ignores(self, path: str) -> bool: ...
    def ignores_all_in(self, folder: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one absolute path on the host. `directory`: it is (or was) one."""

    path: str
    kind: Kind
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs in the container after a sync (`exec` of a rule)."""

    command: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one service. `root` is absolute, `target` too (inside the container).

    `ignored` are pairs of a base directory and the ignore rules that count from it; `included` None
    takes all. `always` are paths that no ignore rule hides: the Dockerfile and its ignore file.
    """

    service: str
    root: str
    action: WatchAction
    target: str = ""
    ignored: tuple[tuple[str, Ignoring], ...] = ()
    included: Ignore | None = None
    always: frozenset[str] = frozenset()
    command: Command | None = None

    @property
    def syncs(self) -> bool:
        return self.action.startswith("sync")

    def covers(self, path: str, *, directory: bool = False) -> bool:
        """Whether a change of `path` is one for this rule."""
        inside = relative(path, self.root)
        if inside is None:
            return False
        if path in self.always:
            return True
        if self.ignores(path):
            return False
        return self.included is None or inside == "" or directory or self.included.ignores(inside)

    def ignores(self, path: str) -> bool:
        return any(_matches(rules, base, path) for base, rules in self.ignored)

    def skips(self, directory: str) -> bool:
        """Whether nothing in `directory` can ever be of interest, so that nobody need look there."""
        if relative(directory, self.root) is None:
            return relative(self.root, directory) is None
        if any(relative(path, directory) is not None for path in self.always):
            return False
        return any(_matches(rules, base, directory, whole=True) for base, rules in self.ignored)

    def container_path(self, path: str) -> str:
        """Where `path` lies in the container."""
        inside = relative(path, self.root)
        if not inside:
            return self.target
        return posixpath.join(self.target, inside)


@dataclass(frozen=True, slots=True)
class Copy:
    """One path of the host that a container is to have as it is there: as it is now, or gone."""

    host: str
    container: str
    directory: bool = False


@dataclass(frozen=True, slots=True)
class ServiceTurn:
    """All that one batch asks of one service. `rebuild` and `restart` hold the host's paths that ask."""

    service: str
    copies: tuple[Copy, ...] = ()
    deletions: tuple[Copy, ...] = ()  # what is gone on the host
    rebuild: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()

    def merged(self, later: ServiceTurn) -> ServiceTurn:
        """This turn and a later one as a single one, for whoever deletes first and copies then."""
        gone = {item.container for item in later.deletions}
        copied = {item.container for item in later.copies}
        kept = (item for item in self.copies if not _in_any(item.container, gone | copied))
        deleted = (item for item in self.deletions if item.directory or item.container not in copied)
        return replace(
            self,
            copies=(*kept, *later.copies),
            deletions=_once((*deleted, *later.deletions)),
            rebuild=_once((*self.rebuild, *later.rebuild)),
            restart=_once((*self.restart, *later.restart)),
            commands=_once((*self.commands, *later.commands)),
        )


@dataclass(slots=True)
class _Gathering:
    copies: dict[str, Copy] = field(default_factory=dict)
    deletions: dict[str, Copy] = field(default_factory=dict)
    rebuild: dict[str, None] = field(default_factory=dict)
    restart: dict[str, None] = field(default_factory=dict)
    commands: dict[Command, None] = field(default_factory=dict)


def turn(changes: Iterable[Change], rules: Sequence[Rule]) -> Mapping[str, ServiceTurn]:
    """What each service is asked for. A service that no change concerns is left out."""
    gathered: dict[str, _Gathering] = {}
    for change in changes:
        for rule in rules:
            if rule.covers(change.path, directory=change.directory) and _concerns(change, rule):
                _gather(gathered.setdefault(rule.service, _Gathering()), change, rule)
    return {service: _finished(service, item) for service, item in gathered.items()}


def relative(path: str, root: str) -> str | None:
    """`path` counted from `root`: "" for the root itself, None for what is not in it."""
    if path == root:
        return ""
    prefix = root if root.endswith("/") else f"{root}/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _concerns(change: Change, rule: Rule) -> bool:
    """A directory is synced as such; for the other actions only what is in it counts."""
    if not change.directory:
        return True
    if rule.syncs:
        # With `include` only files count, and the target itself is never deleted: it may be in use.
        return rule.included is None and not (change.kind == "deleted" and change.path == rule.root)
    return change.kind == "deleted"


def _gather(item: _Gathering, change: Change, rule: Rule) -> None:
    if rule.syncs:
        copy = Copy(change.path, rule.container_path(change.path), change.directory)
        if change.kind == "deleted":
            item.deletions[copy.container] = copy
        else:
            item.copies[copy.container] = copy
    if rule.action == "rebuild":
        item.rebuild[change.path] = None
    if rule.action in ("restart", "sync+restart"):
        item.restart[change.path] = None
    if rule.command is not None:
        item.commands[rule.command] = None


def _finished(service: str, item: _Gathering) -> ServiceTurn:
    # A directory that goes takes all with it.
    gone = set(item.deletions)
    outer = tuple(copy for path, copy in item.deletions.items() if not _in_any(posixpath.dirname(path), gone))
    return ServiceTurn(
        service,
        copies=tuple(item.copies.values()),
        deletions=outer,
        rebuild=tuple(item.rebuild),
        restart=tuple(item.restart),
        commands=tuple(item.commands),
    )


def _in_any(path: str, paths: Collection[str]) -> bool:
    """Whether `path` is one of `paths` or lies in one."""
    while path not in paths:
        parent = posixpath.dirname(path)
        if parent == path:
            return False
        path = parent
    return True


def _matches(rules: Ignoring, base: str, path: str, *, whole: bool = False) -> bool:
    inside = relative(path, base)
    if not inside:
        return False
    return rules.ignores_all_in(inside) if whole else rules.ignores(inside)


def _once(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))
