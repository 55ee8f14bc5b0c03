"""Compiles the watch rules of a definition: resolves paths, reads ignore files, reports mistakes."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.reading.block import position_of
from invoke_devstack.definition.syntax.dockerignore import IGNORE_FILE, Ignore, read_ignore
from invoke_devstack.errors import DevstackError
from invoke_devstack.planning.watching.actions import CompiledRule, ExecCommand, IgnoreRules, relative

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service, WatchRule

_TEMPORARY = re.compile(
    r"""(?:^|/)(?:
        \.git | \.idea                                  # files of tools
        | [^/]*~ | 4913 | \.[^/]*\.sw[nopx]              # vim, while it saves or edits
        | \.\#[^/]* | \#[^/]*\#                          # Emacs
        | \.[^/]*\.kate-swp                             # Kate
        | [^/]*___jb_(?:tmp|old)___                     # JetBrains
    )(?:/|$)""",
    re.VERBOSE,
)


Ignored = tuple[tuple[str, IgnoreRules], ...]
"""(base directory, ignore rules relative to it)."""


class TemporaryFiles:
    """Ignores git's own files, and those that editors keep beside a file for a moment. A single expression,
    because it is applied to every file of a tree."""

    def ignores(self, path: str) -> bool:
        return _TEMPORARY.search(path) is not None

    def ignores_all_in(self, folder: str) -> bool:
        return self.ignores(folder)

    def reason(self, path: str) -> str:
        return "a temporary file of an editor, or a file of git" if self.ignores(path) else ""


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong with a rule. `is_fatal`: the rule is left out; the watch goes on with the others."""

    service: str
    text: str
    hint: str = ""
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules to watch, and the problems found."""

    rules: tuple[CompiledRule, ...]
    problems: tuple[RuleProblem, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.service for rule in self.rules))

    @property
    def roots(self) -> frozenset[str]:
        """Everything to watch: the rules' paths, and the files that no ignore rule hides."""
        return frozenset(path for rule in self.rules for path in (rule.root, *rule.always))

    def skips(self, directory: str) -> bool:
        """Whether every rule ignores everything below `directory`."""
        return all(rule.skips(directory) for rule in self.rules)


def compile_rules(definition: Definition, services: tuple[str, ...] = ()) -> CompiledRules:
    """The rules of `services` (empty: all). A service with `build` but no rules is rebuilt when its build
    context changes."""
    rules: list[CompiledRule] = []
    problems: list[RuleProblem] = []
    for name, service in definition.services.items():
        if services and name not in services:
            continue
        for result in _rules_of_service(service, _Written(definition, name)):
            if isinstance(result, CompiledRule):
                rules.append(result)
            else:
                problems.append(result)
    return CompiledRules(tuple(rules), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Written:
    """Tells where the rules of a service are written, as `FILE:LINE`."""

    definition: Definition
    service: str

    def rule(self, index: int) -> str:
        return self._line_of("develop", "watch", f"[{index}]")

    def build(self) -> str:
        return self._line_of("build")

    def _line_of(self, *keys: str) -> str:
        position = position_of(self.definition, ("services", self.service, *keys))
        return f"{position.file}:{position.line}" if position.line else str(position.file)


def _rules_of_service(service: Service, written: _Written) -> Iterator[CompiledRule | RuleProblem]:
    try:
        ignored = _ignored_by_build(service.build)
    except DevstackError as error:
        place = f" ({error.position})" if error.position else ""
        yield RuleProblem(service.name, f"{error.message}{place}", error.hint)
        ignored = ()
    entries = service.develop.watch if service.develop else ()
    for index, entry in enumerate(entries):
        yield from _rule(service, entry, ignored, written.rule(index))
    if not entries and service.build is not None:
        yield from _rule_of_context(service, service.build, ignored, written.build())


def _rule(
    service: Service, entry: WatchRule, ignored: Ignored, written: str
) -> Iterator[CompiledRule | RuleProblem]:
    root = os.path.realpath(entry.path)
    problem = _problem(service, entry, root)
    if problem is not None:
        yield problem
        if problem.is_fatal:
            return
    try:
        own = Ignore(entry.ignore)
        included = Ignore(entry.include) if entry.include else None
    except DevstackError as error:
        yield RuleProblem(service.name, f"`{entry.path}`: {error.message}", error.hint)
        return
    base = root if Path(root).is_dir() else posixpath.dirname(root)
    yield CompiledRule(
        service=service.name,
        root=root,
        action=entry.action,
        target=_target(entry, root),
        ignored=(*ignored, *(((base, own),) if own else ()), (base, TemporaryFiles())),
        included=included,
        always=_always(service.build, root) if entry.action == "rebuild" else frozenset(),
        command=_command(entry),
        written=written,
    )


def _rule_of_context(
    service: Service, build: Build, ignored: Ignored, written: str
) -> Iterator[CompiledRule | RuleProblem]:
    if not build.context or not Path(build.context).is_dir():
        return  # a URL cannot be watched
    root = os.path.realpath(build.context)
    yield CompiledRule(
        service=service.name,
        root=root,
        action="rebuild",
        ignored=(*ignored, (root, TemporaryFiles())),
        always=_always(build, root),
        written=written,
    )


def _problem(service: Service, entry: WatchRule, root: str) -> RuleProblem | None:
    name = service.name
    if entry.action == "rebuild" and service.build is None:
        hint = "Add `build:`, or use `sync` or `restart`."
        return RuleProblem(name, f"`{entry.path}`: `rebuild` needs a service with `build`", hint)
    if entry.action.startswith("sync") and (problem := _target_problem(service, entry, root)):
        return problem
    if entry.action == "sync+exec" and not (entry.exec and entry.exec.command):
        return RuleProblem(name, f"`{entry.path}`: `sync+exec` needs `exec.command`")
    if not os.path.lexists(entry.path):
        hint = "It will be watched as soon as it exists."
        return RuleProblem(name, f"`{entry.path}` does not exist", hint, is_fatal=False)
    return None


def _target_problem(service: Service, entry: WatchRule, root: str) -> RuleProblem | None:
    name = service.name
    if not entry.target:
        hint = "Add the path in the container: `target: /app`."
        return RuleProblem(name, f"`{entry.path}`: `{entry.action}` needs a `target`", hint)
    if _leaves_root(entry.target):
        hint = "Use an absolute path in the container."
        return RuleProblem(name, f"`{entry.path}`: the target `{entry.target}` is outside `/`", hint)
    if _is_bind_mounted(service, root):
        hint = "Remove the rule or the bind mount."
        return RuleProblem(name, f"`{entry.path}` is already in the container, as a bind mount", hint)
    return None


def _leaves_root(target: str) -> bool:
    depth = 0
    for piece in target.split("/"):
        depth += 0 if piece in ("", ".") else -1 if piece == ".." else 1
        if depth < 0:
            return True
    return False


def _is_bind_mounted(service: Service, root: str) -> bool:
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


def _command(entry: WatchRule) -> ExecCommand | None:
    if entry.action != "sync+exec" or entry.exec is None or not entry.exec.command:
        return None
    variables = entry.exec.environment.items()
    return ExecCommand(
        command=entry.exec.command,
        user=entry.exec.user or "",
        privileged=entry.exec.privileged,
        working_dir=entry.exec.working_dir or "",
        environment=tuple(name if value is None else f"{name}={value}" for name, value in variables),
    )


def _ignored_by_build(build: Build | None) -> Ignored:
    if build is None or not build.context or not Path(build.context).is_dir():
        return ()
    context = Path(build.context)
    rules = read_ignore(context, context / (build.dockerfile or "Dockerfile"))
    return ((os.path.realpath(build.context), rules),) if rules else ()


def _always(build: Build | None, root: str) -> frozenset[str]:
    """A build reads its Dockerfile and ignore file even if the latter excludes them."""
    if build is None or not build.context or build.dockerfile_inline:
        return frozenset()
    context = Path(build.context)
    dockerfile = context / (build.dockerfile or "Dockerfile")
    own_ignore_file = dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}")
    paths = (os.path.realpath(file) for file in (dockerfile, own_ignore_file, context / IGNORE_FILE))
    return frozenset(path for path in paths if relative(path, root) is not None)
