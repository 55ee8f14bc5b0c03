"""What to do about a batch of changes: changes and rules -> copies, deletions, rebuilds, restarts, commands.

Pure: paths are text; neither the disk nor the engine is read. The rules are those of `develop.watch`
 (https://github.com/compose-spec/compose-spec/blob/main/develop.md).
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from invoke_devstack.definition.syntax.dockerignore import Ignore

ChangeKind = Literal["added", "modified", "deleted"]
WatchAction = Literal["sync", "rebuild", "restart", "sync+restart", "sync+exec"]
T = TypeVar("T")


class IgnoreRules(Protocol):
    """Decides which paths are ignored: `Ignore` (Docker's patterns), or something faster."""

    def ignores(self, path: str) -> bool: ...
    def ignores_all_in(self, folder: str) -> bool: ...
    def reason(self, path: str) -> str:
        """What leaves `path` out, in words; "" if nothing does."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one absolute path on the host. `directory`: it is (or was) one."""

    path: str
    kind: ChangeKind
    directory: bool = False


@dataclass(frozen=True, slots=True)
class ExecCommand:
    """A command to run in the container after a sync (`exec` of a rule)."""

    command: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One watch rule of one service, with its paths resolved.

    `root` is absolute, and so is `target`, which is in the container. `ignored` holds pairs of a base
    directory and the ignore rules relative to it; `included` None includes everything. `always` are
    paths that no ignore rule hides: the Dockerfile and its ignore file. `written` says where the rule comes
    from: `compose.yaml:12:9`, or which rule it is if nobody wrote it.
    """

    service: str
    root: str
    action: WatchAction
    target: str = ""
    ignored: tuple[tuple[str, IgnoreRules], ...] = ()
    included: Ignore | None = None
    always: frozenset[str] = frozenset()
    command: ExecCommand | None = None
    written: str = ""

    @property
    def syncs(self) -> bool:
        return self.action.startswith("sync")

    def covers(self, path: str, *, directory: bool = False) -> bool:
        """Whether the rule applies to a change of `path`."""
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
        """Whether the rule ignores everything in `directory`, so that it need not be read."""
        if relative(directory, self.root) is None:
            return relative(self.root, directory) is None
        if any(relative(path, directory) is not None for path in self.always):
            return False
        return any(_matches(rules, base, directory, whole=True) for base, rules in self.ignored)

    def container_path(self, path: str) -> str:
        """Where `path` belongs in the container."""
        inside = relative(path, self.root)
        if not inside:
            return self.target
        return posixpath.join(self.target, inside)


@dataclass(frozen=True, slots=True)
class PathPair:
    """A path on the host, and its place in the container."""

    host: str
    container: str
    directory: bool = False


@dataclass(frozen=True, slots=True)
class ServiceActions:
    """Everything to do for one service. `rebuild` and `restart` hold the host paths that caused them."""

    service: str
    copies: tuple[PathPair, ...] = ()
    deletions: tuple[PathPair, ...] = ()  # paths that no longer exist on the host
    rebuild: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    commands: tuple[ExecCommand, ...] = ()

    def merged(self, later: ServiceActions) -> ServiceActions:
        """These actions and `later` ones as one. Deletions are carried out before copies."""
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
class _Builder:
    copies: dict[str, PathPair] = field(default_factory=dict)
    deletions: dict[str, PathPair] = field(default_factory=dict)
    rebuild: dict[str, None] = field(default_factory=dict)
    restart: dict[str, None] = field(default_factory=dict)
    commands: dict[ExecCommand, None] = field(default_factory=dict)


def actions_for(changes: Iterable[Change], rules: Sequence[CompiledRule]) -> Mapping[str, ServiceActions]:
    """Service -> what to do for it. Services that no change affects are left out."""
    builders: dict[str, _Builder] = {}
    for change in changes:
        for rule in rules:
            if rule.covers(change.path, directory=change.directory) and affects(change, rule):
                _add(builders.setdefault(rule.service, _Builder()), change, rule)
    return {service: _build(service, builder) for service, builder in builders.items()}


def relative(path: str, root: str) -> str | None:
    """`path` relative to `root`: "" for the root itself, None for a path outside it."""
    if path == root:
        return ""
    prefix = root if root.endswith("/") else f"{root}/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def affects(change: Change, rule: CompiledRule) -> bool:
    """Directories themselves are synced; other actions are triggered by the files in them."""
    if not change.directory:
        return True
    if rule.syncs:
        # `include` matches files only. The target itself is never deleted: it may be in use.
        return rule.included is None and not (change.kind == "deleted" and change.path == rule.root)
    return change.kind == "deleted"


def _add(builder: _Builder, change: Change, rule: CompiledRule) -> None:
    if rule.syncs:
        copy = PathPair(change.path, rule.container_path(change.path), change.directory)
        if change.kind == "deleted":
            builder.deletions[copy.container] = copy
        else:
            builder.copies[copy.container] = copy
    if rule.action == "rebuild":
        builder.rebuild[change.path] = None
    if rule.action in ("restart", "sync+restart"):
        builder.restart[change.path] = None
    if rule.command is not None:
        builder.commands[rule.command] = None


def _build(service: str, builder: _Builder) -> ServiceActions:
    # Deleting a directory deletes everything in it.
    gone = set(builder.deletions)
    outer = tuple(
        copy for path, copy in builder.deletions.items() if not _in_any(posixpath.dirname(path), gone)
    )
    return ServiceActions(
        service,
        copies=tuple(builder.copies.values()),
        deletions=outer,
        rebuild=tuple(builder.rebuild),
        restart=tuple(builder.restart),
        commands=tuple(builder.commands),
    )


def _in_any(path: str, paths: Collection[str]) -> bool:
    """Whether `path` is one of `paths` or lies in one."""
    while path not in paths:
        parent = posixpath.dirname(path)
        if parent == path:
            return False
        path = parent
    return True


def _matches(rules: IgnoreRules, base: str, path: str, *, whole: bool = False) -> bool:
    inside = relative(path, base)
    if not inside:
        return False
    return rules.ignores_all_in(inside) if whole else rules.ignores(inside)


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
