"""Functions of a team's tasks.py that run before or after a service, or the whole of up and down."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from difflib import get_close_matches
from typing import Any, TextIO

from invoke_devstack.errors import DevstackError, HookError, Interrupted, UsageError
from invoke_devstack.records import record

_WHOLE = ("up", "down")

HookFunction = Callable[[Any], object]
"""Takes Invoke's context, which this room passes through and never looks into."""


@record
class Hook:
    """`name` is `before web`, `after web`, `before up`, `after down` …

    A hook runs when its service was created or started by this command (for `up` and `down`: when
    the command changed anything); with `always` it runs each time.
    """

    name: str
    function: HookFunction
    always: bool = False


class _ToStderr:
    """While entered, by any number of threads, `sys.stdout` is stderr."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = 0
        self._stdout: TextIO | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._entered:
                self._stdout, sys.stdout = sys.stdout, sys.stderr
            self._entered += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._entered -= 1
            if not self._entered and self._stdout is not None:
                sys.stdout = self._stdout


_STDERR = _ToStderr()


class Hooks:
    """The registered hooks, in the order in which they were added, and the context they are given."""

    def __init__(
        self, hooks: tuple[Hook, ...] = (), context: object = None, *, stdout_taken: bool = False
    ) -> None:
        self._hooks = list(hooks)
        self._context = context
        self._stdout_taken = stdout_taken

    def add(self, when: str, target: str, function: HookFunction, *, always: bool = False) -> None:
        """`when` is `before` or `after`; `target` a service's name, `up` or `down`."""
        self._hooks.append(Hook(f"{when} {target}", function, always))

    def bound_to(self, context: object, *, stdout_taken: bool = False) -> Hooks:
        """The same hooks, which will be called with `context`. Where stdout is taken (by `--json`), what
        they print goes to stderr."""
        return Hooks(tuple(self._hooks), context, stdout_taken=stdout_taken)

    def check_targets(self, services: Iterable[str]) -> None:
        """Raises UsageError for a hook of something that is no service: it would never run."""
        known = sorted({*services, *_WHOLE})
        for hook in self._hooks:
            target = hook.name.partition(" ")[2]
            if target not in known:
                near = get_close_matches(target, known, n=1)
                raise UsageError(
                    f"the hook `{hook.name}` ({_label(hook.function)}) is for no service of the stack",
                    hint=f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}.",
                )

    def names(self, *, always: bool | None = None) -> frozenset[str]:
        """Names that have a hook; with `always`, only those that run each time, or only on a change."""
        return frozenset(hook.name for hook in self._hooks if always is None or hook.always is always)

    def run(self, name: str) -> None:
        """Calls every hook of that name in turn. Raises HookError for the first that fails."""
        for hook in self._hooks:
            if hook.name == name:
                with _STDERR if self._stdout_taken else nullcontext():
                    _call(hook, self._context)


def _call(hook: Hook, context: object) -> None:
    try:
        hook.function(context)
    except Interrupted:
        raise
    except (Exception, SystemExit) as error:
        raise HookError(
            f"the hook `{hook.name}` ({_label(hook.function)}) failed: {_first_line(error)}",
            hint="Mend the function in tasks.py, or what it calls, and run the command again.",
            details=_output_of(error),
        ) from error


def _label(function: HookFunction) -> str:
    return getattr(function, "__qualname__", repr(function))


def _first_line(error: BaseException) -> str:
    text = error.message if isinstance(error, DevstackError) else str(error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _output_of(error: BaseException) -> tuple[str, ...]:
    """The last lines of a failed command: Invoke's UnexpectedExit carries a `result` with its output."""
    if isinstance(error, DevstackError):
        return error.details
    result = getattr(error, "result", None)
    text = f"{getattr(result, 'stdout', '')}{getattr(result, 'stderr', '')}"
    return tuple(text.splitlines()[-20:])
