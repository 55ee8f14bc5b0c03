"""Tells what the watch decides about files: to the journal and the dashboard, and for `invoke why`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.events import WatchChanged
from invoke_devstack.planning.watching.actions import Change, CompiledRule, relative
from invoke_devstack.planning.watching.decisions import Decision, decide
from invoke_devstack.running.watch.changes.walk import lstat
from invoke_devstack.running.watch.rules import compile_rules

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_MOST = 50  # in one event


def decisions_of(
    changes: Iterable[Change], rules: Sequence[CompiledRule], directory: Path
) -> WatchChanged | None:
    """The event about a batch of changes, None if no rule is about any of them. Paths are relative to
    `directory` where they are in it."""
    decisions = decide(changes, rules, _MOST)
    return WatchChanged(files=tuple(_row(item, directory) for item in decisions)) if decisions else None


def why(definition: Definition, path: str) -> list[dict[str, str]]:
    """What the watch would do if the file at `path` changed now: a row for each rule that could apply, or one
    with the action `none` if no rule watches it."""
    absolute = str(Path(os.path.realpath(Path(path).parent)) / Path(path).name)  # itself, it may be a link
    found = decide([_as_it_is(absolute)], compile_rules(definition).rules)
    if not found:
        nothing = "no rule watches it"
        found = (Decision(absolute, service="", rule="", written="", action="none", why=nothing),)
    return [_row(item, definition.working_dir) for item in found]


def _as_it_is(path: str) -> Change:
    found = lstat(path)
    if found is None:
        return Change(path, "deleted")
    return Change(path, "modified", directory=stat.S_ISDIR(found.st_mode))


def _row(decision: Decision, directory: Path) -> dict[str, str]:
    home = os.path.realpath(directory)
    return {
        "path": _shown(decision.path, home),
        "service": decision.service,
        "rule": _shown(decision.rule, home),
        "position": _shown(decision.written, home),
        "action": decision.action,
        "why": decision.why,
    }


def _shown(path: str, home: str) -> str:
    inside = relative(path, home)
    return "." if inside == "" else inside or path
