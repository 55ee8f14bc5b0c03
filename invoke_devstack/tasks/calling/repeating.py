"""Hints keep what was typed: after `up --scale web=2`, a hint is `invoke up --scale web=2 --ports auto`.
Without the first flag, it would do something else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

from invoke_devstack.console import Console
from invoke_devstack.events import Event


class RepeatingConsole:
    """A console whose hints to call the same task again, with one more flag, have the words of this call."""

    def __init__(self, console: Console, task: str, typed: Sequence[str]) -> None:
        """`task` is the name in hints, `typed` are the words that stood after it."""
        self._console = console
        self._typed = typed
        self._again = re.compile(rf"`invoke {re.escape(task)} (-[^`]+)`")
        self._task = task
        self.expect = console.expect
        self.close = console.close
        self.stay = console.stay
        self.secrets = console.secrets
        self.ask = console.ask

    def emit(self, event: Event) -> None:
        """Shows the event."""
        hint = getattr(event, "hint", "")
        if hint and self._again.search(hint):
            changed: dict[str, Any] = {"hint": self._again.sub(self._repeated, hint)}
            event = replace(event, **changed)
        self._console.emit(event)

    def _repeated(self, found: re.Match[str]) -> str:
        kept = _without_flags(self._typed, found[1].split())
        return f"`{' '.join(('invoke', self._task, *map(shlex.quote, kept), found[1]))}`"


def words_after(task: str, argv: Sequence[str], tasks: Container[str]) -> tuple[str, ...]:
    """The words after the only task of a command line; none where other tasks follow, or `--` does."""
    if argv.count(task) != 1 or "--" in argv:
        return ()
    after = argv[argv.index(task) + 1 :]
    return () if any(word in tasks for word in after) else tuple(after)


def _without_flags(typed: Sequence[str], hinted: Sequence[str]) -> list[str]:
    """What was typed, without the flags of the hint and their values."""
    flags = {word for word in hinted if word.startswith("-")}
    with_value = {flag for flag, value in zip(hinted, [*hinted[1:], "-"], strict=True) if value[:1] != "-"}
    kept: list[str] = []
    skips = False
    for word in typed:
        flag = word.partition("=")[0]
        if flag in flags:
            skips = flag == word and flag in with_value
            continue
        if not skips or word.startswith("-"):
            kept.append(word)
        skips = False
    return kept
