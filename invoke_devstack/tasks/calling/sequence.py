"""What else Invoke runs in this call: `invoke up test`, or a task with `pre=[dev["up"]]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from invoke.executor import Executor
from invoke.tasks import Call

from invoke_devstack.tasks.declare import Declaration


def comes_last(declared: Declaration) -> bool:
    """Whether the task, which is running, is the last that Invoke runs. Not if another task calls it, which
    goes on afterwards."""
    current, every = _running()
    if current is None:
        return False
    return current is every[-1] and getattr(current.task, "declared", None) is declared


def every_task() -> Iterator[Declaration]:
    """The stack's tasks that Invoke runs in this call."""
    _, every = _running()
    return (call.task.declared for call in every if hasattr(call.task, "declared"))


def names_for_later(stack: object) -> Iterator[str]:
    """The services that are given to the tasks of `stack` that follow the running one."""
    current, every = _running()
    later = every[every.index(current) + 1 :] if current else ()
    for call in later:
        if getattr(call.task, "stack", None) is stack:
            names: Any = call.kwargs.get("service", ())
            yield from (names if isinstance(names, list | tuple) else ())


def _running() -> tuple[Call | None, list[Call]]:
    """The call that runs, and all of them. Invoke tells its tasks nothing of this: its executor's variables
    say it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not Executor.execute.__code__:
        frame = frame.f_back
    if frame is None:
        return None, []
    return frame.f_locals["call"], frame.f_locals["calls"]
