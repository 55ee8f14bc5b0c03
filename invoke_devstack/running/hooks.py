"""Functions of a team's tasks.py that run before or after a service, or all of `up` or `down`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, TextIO

from invoke_devstack.errors import DevstackError, HookError, Interrupted, UsageError, did_you_mean
from invoke_devstack.records import record

_WHOLE = ("up", "down")

HookFunction = Callable[[Any], object]
"""Takes Invoke's context, which `running` only passes through."""


@record
class Hook:
    """`name`: `before web`, `after web`, `before up`, `after down` …

    A hook runs if this command creates or starts its service (for `up` and `down`: if it changes anything),
    or with `always` each time.
    """

    name: str
    function: HookFunction
    always: bool = False


class _ToStderr:
    """While any number of threads have entered it, `sys.stdout` is stderr."""

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
    """The registered hooks in order, and the context to call them with."""

    def __init__(
        self,
        hooks: tuple[Hook, ...] = (),
        context: object = None,
        *,
        stdout_taken: bool = False,
        owner: object = None,
    ) -> None:
        self._hooks = list(hooks)
        self._context = context
        self._owner = owner
        self._stdout_taken = stdout_taken

    def add(self, when: str, target: str, function: HookFunction, *, always: bool = False) -> None:
        """`when`: before or after. `target`: a service, `up` or `down`."""
        self._hooks.append(Hook(f"{when} {target}", function, always))

    def bound_to(self, context: object, *, stdout_taken: bool = False, owner: object = None) -> Hooks:
        """The same hooks, to be called with `context`. `stdout_taken` (by `--json`): their output goes to
        stderr. `owner`: what `owner_of_hook` returns in them."""
        return Hooks(tuple(self._hooks), context, stdout_taken=stdout_taken, owner=owner)

    def without(self, targets: Set[str]) -> Hooks:
        """The same without the hooks of these services."""
        kept = tuple(hook for hook in self._hooks if hook.name.partition(" ")[2] not in targets)
        return Hooks(kept, self._context, stdout_taken=self._stdout_taken, owner=self._owner)

    def check_targets(self, services: Iterable[str]) -> None:
        """Raises UsageError for a hook of an unknown service, which would never run."""
        known = sorted({*services, *_WHOLE})
        for hook in self._hooks:
            target = hook.name.partition(" ")[2]
            if target not in known:
                raise UsageError(
                    f"the hook `{hook.name}` ({_label(hook.function)}) is for an unknown service",
                    hint=did_you_mean(target, known, f"Known: {', '.join(known)}."),
                )

    def names(self, *, always: bool | None = None) -> frozenset[str]:
        """The names of hooks: all, or only those that run always (True) or on a change (False)."""
        return frozenset(hook.name for hook in self._hooks if always is None or hook.always is always)

    def run(self, name: str) -> str:
        """Calls every hook called `name` in turn, and returns the names of their functions. Raises HookError
        if one fails."""
        for hook in self._called(name):
            with _STDERR if self._stdout_taken else nullcontext(), _owned(self._owner):
                _call(hook, self._context)
        return self.functions(name)

    def functions(self, name: str) -> str:
        """The names of the functions of every hook called `name`."""
        return ", ".join(_label(hook.function) for hook in self._called(name))

    def _called(self, name: str) -> list[Hook]:
        return [hook for hook in self._hooks if hook.name == name]


_here = threading.local()


def owner_of_hook() -> object:
    """Whose hook runs in this thread; None outside of hooks, and in threads that a hook has started."""
    return getattr(_here, "owner", None)


@contextmanager
def _owned(owner: object) -> Iterator[None]:
    before, _here.owner = owner_of_hook(), owner
    try:
        yield
    finally:
        _here.owner = before


_running: dict[int, float] = {}
"""By thread: since when a hook runs in it, in seconds since the epoch."""


@contextmanager
def _noted() -> Iterator[None]:
    thread = threading.get_ident()
    _running[thread] = time.time()
    try:
        yield
    finally:
        _running.pop(thread, None)


def end_programs(signal_number: int) -> None:
    """Passes a signal that ends this process on to the programs of hooks that still run. A terminal signals
    all of them, but `kill` only us. What hooks have left running on purpose stays."""
    if not _running:
        return
    import psutil

    if sys.platform == "win32":  # Ctrl-C reaches all programs of the console
        return
    began = min(_running.values()) - 0.1 - _clock_lag()  # the kernel counts in hundredths of a second
    for program in psutil.Process().children(recursive=True):
        with suppress(OSError, psutil.Error):
            if program.create_time() >= began and os.getpgid(program.pid) == os.getpgrp():
                program.send_signal(signal_number)


def _clock_lag() -> float:
    """Seconds by which psutil's times of processes are behind the clock: on Linux it adds what the kernel
    says to a time of boot in whole seconds."""
    import psutil

    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.time() - (psutil.boot_time() + time.clock_gettime(time.CLOCK_BOOTTIME))


def _call(hook: Hook, context: object) -> None:
    _guarded(
        lambda: hook.function(context),
        lambda said: f"the hook `{hook.name}` ({_label(hook.function)}) failed: {said}",
    )


def call_action(label: str, function: Callable[[], object]) -> None:
    """Calls an action of a team's own. Raises HookError if it fails."""
    _guarded(function, lambda said: f"the action `{label}` failed: {said}")


def _guarded(function: Callable[[], object], describe: Callable[[str], str]) -> None:
    try:
        with _noted():
            function()
    except Interrupted:
        raise
    except (Exception, SystemExit) as error:
        raise HookError(
            describe(_first_line(error)),
            hint="Fix the function in tasks.py, then run the command again.",
            details=_output_of(error),
        ) from error


def _label(function: HookFunction) -> str:
    return getattr(function, "__qualname__", repr(function))


def _first_line(error: BaseException) -> str:
    text = error.message if isinstance(error, DevstackError) else str(error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _output_of(error: BaseException) -> tuple[str, ...]:
    """The last lines of a failed command's output, which Invoke's UnexpectedExit has in `result`."""
    if isinstance(error, DevstackError):
        return error.details
    result = getattr(error, "result", None)
    text = f"{getattr(result, 'stdout', '')}{getattr(result, 'stderr', '')}"
    return tuple(text.splitlines()[-20:])
