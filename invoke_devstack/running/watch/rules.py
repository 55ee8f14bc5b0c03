"""The watch rules of a definition, ready for use: paths resolved, ignore files read, mistakes named."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.dockerignore import IGNORE_FILE, Ignore, read_ignore
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.watching import Command, Ignoring, Rule, relative

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service, WatchRule

_LEFTOVERS = re.compile(
    r"""(?:^|/)(?:
        \.git | \.idea                                  # what tools keep for themselves
        | [^/]*~ | 4913 | \.[^/]*\.sw[nopx]              # vim, while it saves or edits
        | \.\#[^/]* | \#[^/]*\#                          # Emacs
        | \.[^/]*\.kate-swp                             # Kate
        | [^/]*___jb_(?:tmp|old)___                     # JetBrains
    )(?:/|$)""",
    re.VERBOSE,
)


class Leftovers:
    """What nobody means to sync: git's own files, and what editors leave beside a file for a moment.
    One expression, since it is asked for every file of a tree."""

    def ignores(self, path: str) -> bool:
        return _LEFTOVERS.search(path) is not None

    def ignores_all_in(self, folder: str) -> bool:
        return self.ignores(folder)


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that cannot be kept, or not yet: the watch goes on with the others."""

    service: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is watched, and what of the definition cannot be."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.service for rule in self.rules))

    @property
    def roots(self) -> frozenset[str]:
        """All that has to be watched: the rules' paths, and files that no ignore rule hides."""
        return frozenset(path for rule in self.rules for path in (rule.root, *rule.always))

    def skips(self, directory: str) -> bool:
        """Whether no rule can be interested in anything below `directory`."""
        return all(rule.skips(directory) for rule in self.rules)


def compile_rules(definition: Definition, services: tuple[str, ...] = ()) -> Rules:
    """The rules of `services` (empty: all). A service with `build` and no rules is rebuilt when its
    build context changes."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for name, service in definition.services.items():
        if services and name not in services:
            continue
        for outcome in _rules_of_service(service):
            if isinstance(outcome, Rule):
                rules.append(outcome)
            else:
                problems.append(outcome)
    return Rules(tuple(rules), tuple(problems))


def _rules_of_service(service: Service) -> Iterator[Rule | Problem]:
    try:
        ignored = _ignored_by_build(service.build)
    except DevstackError as error:
        place = f" ({error.position})" if error.position else ""
        yield Problem(service.name, f"{error.message}{place}", error.hint)
        ignored = ()
    written = service.develop.watch if service.develop else ()
    for entry in written:
        yield from _rule(service, entry, ignored)
    if not written and service.build is not None:
        yield from _rule_of_context(service, service.build, ignored)


def _rule(
    service: Service, entry: WatchRule, ignored: tuple[tuple[str, Ignoring], ...]
) -> Iterator[Rule | Problem]:
    root = os.path.realpath(entry.path)
    mistake = _mistake(service, entry, root)
    if mistake is not None:
        yield mistake
        if not mistake.text.endswith(_NOT_THERE):
            return
    try:
        own = Ignore(entry.ignore)
        included = Ignore(entry.include) if entry.include else None
    except DevstackError as error:
        yield Problem(service.name, f"`{entry.path}`: {error.message}", error.hint)
        return
    base = root if Path(root).is_dir() else posixpath.dirname(root)
    yield Rule(
        service=service.name,
        root=root,
        action=entry.action,
        target=_target(entry, root),
        ignored=(*ignored, *(((base, own),) if own else ()), (base, Leftovers())),
        included=included,
        always=_always(service.build, root) if entry.action == "rebuild" else frozenset(),
        command=_command(entry),
    )


def _rule_of_context(
    service: Service, build: Build, ignored: tuple[tuple[str, Ignoring], ...]
) -> Iterator[Rule | Problem]:
    if not build.context or not Path(build.context).is_dir():
        return  # a context from a URL has nothing to watch
    root = os.path.realpath(build.context)
    yield Rule(
        service=service.name,
        root=root,
        action="rebuild",
        ignored=(*ignored, (root, Leftovers())),
        always=_always(build, root),
    )


_NOT_THERE = "is not there"


def _mistake(service: Service, entry: WatchRule, root: str) -> Problem | None:
    name = service.name
    if entry.action == "rebuild" and service.build is None:
        hint = "Add `build:`, or use `sync` or `restart`."
        return Problem(name, f"`{entry.path}`: `rebuild` needs a service with `build`", hint)
    if entry.action.startswith("sync"):
        if not entry.target:
            hint = "Say where the files belong in the container: `target: /app`."
            return Problem(name, f"`{entry.path}`: `{entry.action}` needs a `target`", hint)
        if _leaves_root(entry.target):
            hint = "Give an absolute path in the container."
            return Problem(name, f"`{entry.path}`: the target `{entry.target}` is outside of `/`", hint)
        mount = _bind_mount_over(service, root)
        if mount:
            hint = "Remove the rule or the bind mount."
            return Problem(name, f"`{entry.path}` is in the container as a bind mount already", hint)
    if entry.action == "sync+exec" and not (entry.exec and entry.exec.command):
        return Problem(name, f"`{entry.path}`: `sync+exec` needs `exec.command`")
    if not os.path.lexists(entry.path):
        return Problem(name, f"`{entry.path}` {_NOT_THERE}", "It is watched as soon as it appears.")
    return None


def _leaves_root(target: str) -> bool:
    depth = 0
    for piece in target.split("/"):
        depth += 0 if piece in ("", ".") else -1 if piece == ".." else 1
        if depth < 0:
            return True
    return False


def _bind_mount_over(service: Service, root: str) -> bool:
    return any(
        mount.type == "bind" and mount.source and relative(root, os.path.realpath(mount.source)) is not None
        for mount in service.volumes
    )


def _target(entry: WatchRule, root: str) -> str:
    if not entry.target:
        return ""
    target = posixpath.normpath(f"/{entry.target}").replace("//", "/")
    into_directory = entry.target.endswith("/") and not Path(root).is_dir()
    return posixpath.join(target, posixpath.basename(root)) if into_directory else target


def _command(entry: WatchRule) -> Command | None:
    if entry.action != "sync+exec" or entry.exec is None or not entry.exec.command:
        return None
    variables = entry.exec.environment.items()
    return Command(
        command=entry.exec.command,
        user=entry.exec.user or "",
        privileged=entry.exec.privileged,
        working_dir=entry.exec.working_dir or "",
        environment=tuple(name if value is None else f"{name}={value}" for name, value in variables),
    )


def _ignored_by_build(build: Build | None) -> tuple[tuple[str, Ignoring], ...]:
    if build is None or not build.context or not Path(build.context).is_dir():
        return ()
    context = Path(build.context)
    rules = read_ignore(context, context / (build.dockerfile or "Dockerfile"))
    return ((os.path.realpath(build.context), rules),) if rules else ()


def _always(build: Build | None, root: str) -> frozenset[str]:
    """A build reads its Dockerfile and ignore file even where the latter hides them."""
    if build is None or not build.context or build.dockerfile_inline:
        return frozenset()
    context = Path(build.context)
    dockerfile = context / (build.dockerfile or "Dockerfile")
    own_ignore_file = dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}")
    paths = (os.path.realpath(file) for file in (dockerfile, own_ignore_file, context / IGNORE_FILE))
    return frozenset(path for path in paths if relative(path, root) is not None)
