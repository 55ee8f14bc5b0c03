"""Refuses what a task would otherwise ignore: words after `--`, core flags of Invoke, help asked too late.

What is dropped without a word makes the rest mean more: `invoke stop -- web` would stop everything.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from invoke.context import Context

from invoke_devstack.errors import UsageError
from invoke_devstack.tasks.calling.sequence import every_task
from invoke_devstack.tasks.command_line.arguments import HELP_FLAGS
from invoke_devstack.tasks.declare import Declaration, split_names

RUN_HOOKS = ("up", "down", "watch", "start", "restart", "restore", "reset")
"""The tasks that may call functions of tasks.py, whose shell commands the core flags of Invoke are about."""

_OF_COMMANDS = {
    ("run", "echo"): "--echo",
    ("run", "hide"): "--hide",
    ("run", "pty"): "--pty",
    ("run", "warn"): "--warn-only",
    ("sudo", "password"): "--prompt-for-sudo-password",
    ("timeouts", "command"): "--command-timeout",
}
"""Where Invoke keeps its core flags about shell commands."""


def check_call(
    declared: Declaration,
    context: Context,
    flags: dict[str, Any],
    *,
    called: Callable[[], str],
    hooks: bool = False,
) -> None:
    """Raises UsageError for a call that the task cannot honour. Turns `--dry` into `dry_run` and `--echo`
    into `explain`, where the task has them. `called`: the name of the task in its stack, `images.prune` for
    `prune`. `hooks`: whether tasks.py has any."""
    _check_words(declared, context, flags, called)
    if "service" not in declared.positional:
        split_names(flags.get("service", ()))
    if context.config.run.dry:
        _honour_dry(declared, flags, called)
    for flag in _core_flags(context):
        if flag == "--echo" and "explain" in flags:
            flags["explain"] = True
        elif not (hooks and declared.name in RUN_HOOKS):
            _refuse(called(), flag)


def _honour_dry(declared: Declaration, flags: dict[str, Any], called: Callable[[], str]) -> None:
    if "dry_run" in flags:
        flags["dry_run"] = True
    elif not declared.plans or flags.get("push"):
        raise UsageError(
            f"`--dry` is not supported by `{called()}`",
            hint="Nothing was done. It has no plan that could be printed: leave `--dry` out.",
        )


def _core_flags(context: Context) -> Iterator[str]:
    """The core flags about shell commands on this command line; those of a configuration are not meant."""
    given = getattr(context.config, "_overrides", {})  # what Invoke's command line sets, and nothing else
    return (flag for (part, name), flag in _OF_COMMANDS.items() if given.get(part, {}).get(name))


def _refuse(name: str, flag: str) -> None:
    raise UsageError(
        f"`{flag}` is not supported by `{name}`",
        hint="Nothing was done. It is for shell commands of your own tasks and hooks; this task runs none.",
    )


def _check_words(
    declared: Declaration, context: Context, flags: Mapping[str, Any], called: Callable[[], str]
) -> None:
    words = str(context.remainder)
    if not words or any(item.takes_command for item in (declared, *every_task())):
        return
    right = "--help"
    if words.startswith("-"):
        right = words
    elif declared.takes_words or "service" in flags:
        right = shlex.join(takewhile(lambda word: not word.startswith("-"), words.split()))
    name = called()
    raise UsageError(f"`{name}` takes no words after `--`: {words}", hint=f"`invoke {name} {right}`")


def asks_for_help(declared: Declaration, flags: Mapping[str, Any]) -> bool:
    """Whether `--help` came after the task: Invoke takes it for the value of a positional argument."""
    return any(flags[name] in HELP_FLAGS for name in declared.positional)
