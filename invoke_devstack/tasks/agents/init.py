"""`invoke agents.init`: tells agents how to drive this stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import split_names, task

if TYPE_CHECKING:
    from invoke_devstack.mcp.skill.files import Planned
    from invoke_devstack.tasks.work import Work

_DONE = {"create": "created", "add": "added to", "update": "updated", "none": "up to date"}
_WOULD = {"create": "would create", "add": "would add to", "update": "would update", "none": "up to date"}


@task(
    "init",
    json="answer",
    flags={
        "for_": "`agents` (AGENTS.md), `claude` (a skill), `copilot`. Repeatable, or a comma list.",
        "dry_run": "Only print the text, and what would be written.",
    },
)
def init(
    work: Work, for_: tuple[str, ...] = (), dry_run: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Tell coding agents how to drive this stack.

    Writes a short text into the file that an agent reads: services, commands, what not to do. It stands
    between marks, and the next call updates it; the rest of the file stays.
    """
    from invoke_devstack.mcp.budget import tokens
    from invoke_devstack.mcp.skill import files
    from invoke_devstack.mcp.skill.text import skill

    agents = _agents(work, for_, yes=yes, json=json)
    section = skill(work.definition, work.task_prefix)
    plans = files.planned(work.directory, agents, section)
    if not dry_run:
        files.write(work.directory, plans)
    lines = _lines(plans, _WOULD if dry_run else _DONE)
    data = {
        "files": [{"path": item.path, "change": item.change} for item in plans],
        "tokens": tokens(section),
        "text": section,
        "written": not dry_run,
    }
    work.answer("\n".join([*([section, ""] if dry_run else []), *lines]), data)


def _lines(plans: Sequence[Planned], words: dict[str, str]) -> list[str]:
    return [f"{words[item.change]} {item.path}" for item in plans]


def _agents(work: Work, given: tuple[str, ...], *, yes: bool, json: bool) -> tuple[str, ...]:
    """Those that are named, else the answer of a person. Raises UsageError for an unknown one, or if nobody
    can be asked."""
    from invoke_devstack.console import can_ask
    from invoke_devstack.errors import UsageError, did_you_mean
    from invoke_devstack.mcp.skill.files import FILES, proposed

    proposal = proposed(work.directory)
    chosen = split_names(given)
    if not chosen:
        if yes:
            return proposal
        if json or not can_ask():
            hint = f"Name them: `invoke agents.init --for {','.join(proposal)}`. Known: {', '.join(FILES)}."
            raise UsageError("for which agents?", hint=hint)
        chosen = _asked(work, proposal)
    for name in chosen:
        if name not in FILES:
            raise UsageError(
                f"unknown agent `{name}`", hint=did_you_mean(name, FILES, f"Known: {', '.join(FILES)}.")
            )
    return chosen


def _asked(work: Work, proposal: tuple[str, ...]) -> tuple[str, ...]:
    from invoke_devstack.mcp.skill.files import FILES

    known = ", ".join(f"{name} ({path})" for name, path in FILES.items())
    with work.interrupt.raising():
        answer = work.console.ask(f"For which agents? {known} [{', '.join(proposal)}]:").strip().lower()
    return tuple(dict.fromkeys(answer.replace(",", " ").split())) or proposal
