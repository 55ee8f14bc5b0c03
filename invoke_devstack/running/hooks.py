"""Functions of a team's tasks.py that run before or after a service, or the whole of up and down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from invoke_devstack.errors import DevstackError, HookError, Interrupted

HookFunction = Callable[[object], object]
"""Takes Invoke's context, which this room passes through and never looks into."""


@dataclass(frozen=True, slots=True)
class Hook:
    """`name` is `before web`, `after web`, `before up`, `after down` …

    A hook runs when its service was created or started by this command (for `up` and `down`: when
    the command changed anything); with `always` it runs each time.
    """

    name: str
    function: HookFunction
    always: bool = False


class Hooks:
    """The registered hooks, in the order in which they were added, and the context they are given."""

    def __init__(self, hooks: tuple[Hook, ...] = (), context: object = None) -> None:
        self._hooks = list(hooks)
        self._context = context

    def add(self, when: str, target: str, function: HookFunction, *, always: bool = False) -> None:
        """`when` is `before` or `after`; `target` a service's name, `up` or `down`."""
        self._hooks.append(Hook(f"{when} {target}", function, always))

    def bound_to(self, context: object) -> Hooks:
        """The same hooks, which will be called with `context`."""
        return Hooks(tuple(self._hooks), context)

    def names(self, *, always: bool | None = None) -> frozenset[str]:
        """Names that have a hook; with `always`, only those that run each time, or only on a change."""
        return frozenset(hook.name for hook in self._hooks if always is None or hook.always is always)

    def run(self, name: str) -> None:
        """Calls every hook of that name in turn. Raises HookError for the first that fails."""
        for hook in self._hooks:
            if hook.name == name:
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
