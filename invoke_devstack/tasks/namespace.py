"""`stack()`: all tasks as one Invoke collection, with the hooks that a team adds to it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.collection import Collection
from invoke.context import Context

from invoke_devstack.errors import UsageError
from invoke_devstack.running.hooks import HookFunction, Hooks
from invoke_devstack.settings import Settings, WatchSettings
from invoke_devstack.tasks import (
    config,
    connections,
    data,
    finding,
    images,
    init,
    inside,
    lifecycle,
    machine,
    making,
    menu,
    observe,
    snapshots,
    stacks,
)
from invoke_devstack.tasks import stack as stack_tasks
from invoke_devstack.tasks.command import Command, DevstackTask

if TYPE_CHECKING:
    from invoke_devstack.console import Console
    from invoke_devstack.tasks.context import Work

_MODULES: tuple[ModuleType, ...] = (
    stack_tasks,
    making,
    lifecycle,
    inside,
    config,
    observe,
    finding,
    connections,
    data,
    stacks,
    machine,
    init,
    menu,
)
_COLLECTIONS: dict[str, ModuleType] = {"images": images, "snapshots": snapshots}

_Function = TypeVar("_Function", bound=HookFunction)


class Stack(Collection):
    """The tasks of one stack. Use it as `namespace`, or add it to a namespace of your own."""

    def __init__(self, home: Path) -> None:
        """`home` is the directory of the tasks.py: where the definition is looked for."""
        super().__init__()
        self._home = home
        self._hooks = Hooks()
        self._work: Work | None = None
        self.configure({"devstack": _unset_settings()})
        for module in _MODULES:
            for declared in _commands_of(module):
                self.add_task(self._task(declared))
        for name, module in _COLLECTIONS.items():
            group = Collection(name)
            group.__doc__ = module.__doc__
            for declared in _commands_of(module):
                group.add_task(self._task(declared))
            self.add_collection(group)

    def before(self, name: str, *, always: bool = False) -> Callable[[_Function], _Function]:
        """Decorates a function of Invoke's context that runs before service `name` starts, or before the
        whole of `up` or `down`. It runs when the command starts that service (changes anything); with
        `always`, each time."""
        return self._registering("before", name, always=always)

    def after(self, name: str, *, always: bool = False) -> Callable[[_Function], _Function]:
        """Decorates a function of Invoke's context that runs once service `name` is ready, before what
        depends on it starts, or after the whole of `up` or `down`. See `before` for `always`."""
        return self._registering("after", name, always=always)

    def run_in(self, service: str, *command: str) -> str:
        """Runs a command in the first container of `service` and returns what it wrote: for hooks, which
        need no `docker` and no new process for it. Raises ServiceError with the output of one that fails,
        and where the service does not run."""
        from invoke_devstack.tasks.targets import run_in

        if self._work is None:
            raise UsageError("`run_in` is for hooks: it needs a task that runs")
        return run_in(self._work, service, command)

    def work(self, context: Context, console: Console) -> Work:
        """What its tasks are given, for a program that does what they do; hooks use it too."""
        from invoke_devstack.tasks.context import Work

        self._work = Work(context, self._home, self._hooks, console)
        return self._work

    def _registering(self, when: str, name: str, *, always: bool) -> Callable[[_Function], _Function]:
        def register(function: _Function) -> _Function:
            self._hooks.add(when, name, function, always=always)
            return function

        return register

    def _task(self, declared: Command) -> DevstackTask:
        def body(context: Context, **flags: Any) -> None:
            from invoke_devstack.console import choose
            from invoke_devstack.tasks.boundary import boundary, end_as_a_filter_does

            console = choose(
                json=declared.json if flags.get("json") else "",
                reader_gone=lambda: work.on_reader_gone(),
            )
            work = self.work(context, console)
            work.stdout_taken = bool(flags.get("json"))
            if declared.tells:
                work.on_reader_gone = end_as_a_filter_does
            try:
                with boundary(console.emit):
                    declared.run(work, **flags)
            finally:
                console.close()

        body.__name__ = declared.run.__name__
        body.__doc__ = inspect.getdoc(declared.run)
        body.__module__ = declared.run.__module__
        body.__signature__ = inspect.signature(declared.run)  # type: ignore[attr-defined]
        return DevstackTask(body, declared)


def stack(directory: str | Path | None = None) -> Stack:
    """All tasks of the stack whose definition is in `directory`; by default, where the caller's file is.

    `namespace = stack()` in a tasks.py puts them at the top level; `ns.add_collection(stack(),
    name="stack")` beside a team's own. Settings are Invoke's, under `devstack:`.
    """
    if directory is None:
        file = sys._getframe(1).f_globals.get("__file__")
        directory = Path(file).parent if file else Path()
    return Stack(Path(directory).absolute())


def _commands_of(module: ModuleType) -> Iterator[Command]:
    return (item for item in vars(module).values() if isinstance(item, Command))


def _unset_settings() -> dict[str, Any]:
    """Every setting's name without a value: Invoke reads INVOKE_DEVSTACK_* only for names that it knows,
    and hands them on as texts where it knows no value. Defaults and types are those of `Settings`."""
    names: dict[str, Any] = {item.name: None for item in fields(Settings)}
    return {**names, "watch": {item.name: None for item in fields(WatchSettings)}}
