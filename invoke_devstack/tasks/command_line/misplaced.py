"""Flags of Docker Compose before a task, where Invoke has others with the same letter: `-f` and `-p`."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import Container, Sequence
from pathlib import Path

from invoke_devstack.errors import UsageError
from invoke_devstack.late_patterns import late
from invoke_devstack.local_files.reading import text_if_any

_COMPOSE_FILE = late(r"^(services|include)\s*:", re.MULTILINE)


def refuse_what_is_invokes(typed: Sequence[str], argv: Sequence[str], tasks: Container[str]) -> None:
    """Raises UsageError for `invoke -f compose.yaml up` and `invoke -p shop up`, with the right form. `typed`
    are all words of the process, `argv` those that Invoke's core flags leave."""
    if list(typed[len(typed) - len(argv) :]) != list(argv) or not argv:
        return
    before, rest = _before_the_task(typed[1:], tasks)
    files = [file for flag, file in before if flag == "-f"]
    names = [name for flag, name in before if flag == "-p"]
    right = [f"--file {shlex.quote(file)}" for file in files] + [
        f"--project-name {shlex.quote(name)}" for name in names
    ]
    words = " ".join(["invoke", *rest[:1], *right, shlex.join(rest[1:])]).rstrip()
    if any(_is_compose_file(file) for file in files):
        raise UsageError("`-f` before a task is Invoke's `--config`", hint=f"`{words}`")
    if names and not files:
        raise UsageError("`-p` before a task is Invoke's `--pty`", hint=f"`{words}`")


def _before_the_task(words: Sequence[str], tasks: Container[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """What `-f` and `-p` have before the first task, and the words from that on. Invoke's `-p` takes no
    value, so a task may follow it."""
    found: list[tuple[str, str]] = []
    rest = deque(words)
    while rest and rest[0] not in tasks:
        flag = rest.popleft()
        has_value = bool(rest) and rest[0] not in tasks and not rest[0].startswith("-")
        if (flag == "-f" and rest) or (flag == "-p" and has_value):
            found.append((flag, rest.popleft()))
    return found, [*rest]


def _is_compose_file(name: str) -> bool:
    return "compose" in Path(name).name or bool(_COMPOSE_FILE.search(text_if_any(Path(name))))
