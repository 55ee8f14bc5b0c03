"""Why the watch does what it does with a file: its action by each rule, or what prevents it.

`actions` decides; this module explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from invoke_devstack.planning.watching.actions import Change, CompiledRule, affects, relative


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule does with one path. `rule` is the path that it watches, `written` where it is written;
    `action` is `none` if it does nothing, and then `why` says why."""

    path: str
    service: str
    rule: str
    written: str
    action: str
    why: str = ""


def decide(
    changes: Iterable[Change], rules: Sequence[CompiledRule], limit: int | None = None
) -> tuple[Decision, ...]:
    """The first `limit` decisions (None: all) about the changes, by path and then by rule. A path outside all
    rules has none."""
    return tuple(islice(_decisions(changes, rules), limit))


def _decisions(changes: Iterable[Change], rules: Sequence[CompiledRule]) -> Iterator[Decision]:
    for change in changes:
        for rule in rules:
            if relative(change.path, rule.root) is None:
                continue
            why = _why_not(change, rule)
            action = "none" if why else rule.action
            yield Decision(change.path, rule.service, rule.root, rule.written, action, why)


def _why_not(change: Change, rule: CompiledRule) -> str:
    if not rule.covers(change.path, directory=change.directory):
        return _what_leaves_out(change.path, rule) or "no pattern of `include` matches"
    if affects(change, rule):
        return ""
    return f"a directory alone does not cause `{rule.action}`"


def _what_leaves_out(path: str, rule: CompiledRule) -> str:
    for base, rules in rule.ignored:
        inside = relative(path, base)
        if inside and (reason := rules.reason(inside)):
            return reason
    return ""
