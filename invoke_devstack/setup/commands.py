"""Runs other programs, with their output line by line, and the last lines in the error."""

from __future__ import annotations

import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Sequence

from invoke_devstack.errors import SetupError

KEPT_LINES = 20


def run_command(
    command: Sequence[str],
    *,
    failure: str,
    hint: str = "",
    on_line: Callable[[str], None] = lambda line: None,
) -> None:
    """Runs `command` to its end and passes each line of its output to `on_line`. Raises SetupError, with the
    message `failure` and the last lines, if it cannot start or does not exit with 0."""
    last: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as problem:
        raise SetupError(f"{failure}: {problem}", hint=hint) from problem
    with process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            on_line(line.rstrip())
    if process.returncode:
        said = f"`{shlex.join(command[:3])} …` exited with code {process.returncode}"
        raise SetupError(f"{failure}: {said}", hint=hint, details=tuple(last))


def ask_command(command: Sequence[str], *, timeout: float = 10.0) -> str | None:
    """The output of `command`; None if it does not exist, fails, or takes longer than `timeout` seconds."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
