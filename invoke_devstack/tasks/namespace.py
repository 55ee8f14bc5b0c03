"""`stack()`: all tasks as an Invoke collection, with what a tasks.py needs: hooks, `run_in`, `docker`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from invoke_devstack.errors import UsageError
from invoke_devstack.running.hooks import HookFunction, Hooks, owner_of_hook
from invoke_devstack.settings import Settings, WatchSettings
from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.declare import Declaration, DevstackTask

if TYPE_CHECKING:
    from invoke_devstack.console import Console
    from invoke_devstack.engine.docker_sdk import DockerClient
    from invoke_devstack.tasks.journalling import JournallingConsole
    from invoke_devstack.tasks.own_actions import OwnAction
    from invoke_devstack.tasks.work import Work

_MENU = catalogue.Listed("menu", "menu", default=True)  # it reads the catalogue
_Action = TypeVar("_Action", bound=Callable[..., object])
_Process = TypeVar("_Process", bound=Callable[[], str | list[str]])
_Function = TypeVar("_Function", bound=HookFunction)


class Stack(Collection):
    """The tasks of one stack. Use it as `namespace`, or add it to your own."""

    def __init__(self, home: Path, variables: Mapping[str, Any] | None = None) -> None:
        """`home` is the directory of tasks.py, where the Compose files are searched; `variables` are its
        globals, among them the namespace that Invoke reads."""
        super().__init__()
        self._home = home
        # In a function, because Invoke copies collections deeply.
        self._variables: Callable[[], Mapping[str, Any]] = lambda: variables or {}
        self._hooks = Hooks()
        self._actions: dict[str, OwnAction] = {}
        self._processes: dict[str, Callable[[], Mapping[str, Any]]] = {}
        self._work: Work | None = None
        self.configure({"devstack": _unset_settings()})
        for listed in (*catalogue.top_level(), _MENU):
            self.add_task(self._task(listed))
        for name, group in catalogue.COLLECTIONS.items():
            collection = Collection(name)
            collection.__doc__ = group.summary
            for listed in catalogue.below(group):
                collection.add_task(self._task(listed))
            self.add_collection(collection)

    def before(self, name: str, *, always: bool = False) -> Callable[[_Function], _Function]:
        """Decorates a function that runs before service `name` starts, or before all of `up` or `down`. It
        gets Invoke's context. It runs if the command starts that service (or changes anything); with
        `always`, it runs every time."""
        return self._registering("before", name, always=always)

    def after(self, name: str, *, always: bool = False) -> Callable[[_Function], _Function]:
        """Decorates a function that runs when service `name` is ready, before its dependents start, or
        after all of `up` or `down`. For the rest, see `before`."""
        return self._registering("after", name, always=always)

    def action(self, label: str, *, service: str = "") -> Callable[[_Action], _Action]:
        """Decorates a function that the dashboard offers as a button with this label, beside `service` if one
        is given. It gets Invoke's context; its other parameters become a form: `bool`, `int`, `float`, `str`
        or a `Literal`."""
        from invoke_devstack.tasks.own_actions import OwnAction

        def register(function: _Action) -> _Action:
            made = OwnAction.of(label, service, function)
            self._actions[made.name] = made
            return function

        return register

    def process(self, name: str = "", **keys: Any) -> Callable[[_Process], _Process]:
        """Decorates a function that returns the command of a process of this machine: a text or a list.
        `name` is the process's, by default the function's; `keys` are those of `x-devstack.processes`,
        whose errors they have too."""

        def register(function: _Process) -> _Process:
            chosen = name or function.__name__.replace("_", "-")
            self._processes[chosen] = lambda: {**keys, "command": function()}
            return function

        return register

    def run_in(self, service: str, *command: str) -> str:
        """For hooks: runs a command in the first container of `service` and returns its output. Raises
        ServiceError if the service is not running, or, with the output, if the command fails."""
        from invoke_devstack.tasks.lookup import run_in

        work: Any = owner_of_hook() or self._work  # in one process, another call may act on a copy
        if work is None:
            raise UsageError("`run_in` works only in hooks, while a task is running")
        return run_in(work, service, command)

    def docker(self) -> DockerClient:
        """A client of the Docker SDK for the stack's engine: that of DOCKER_HOST or of Docker's context,
        with TLS or over ssh if they say so. If no engine answers, prints why and ends the task."""
        from invoke_devstack.console import choose
        from invoke_devstack.engine.docker_sdk import docker_client
        from invoke_devstack.tasks.boundary import boundary

        with boundary(choose().emit):
            return docker_client()

    def work(self, context: Context, console: Console) -> Work:
        """What its tasks are given. Hooks use it, and programs that do what tasks do."""
        from invoke_devstack.tasks.work import Work

        self._work = Work(context, self._home, self._hooks, console)
        return self._work

    def _registering(self, when: str, name: str, *, always: bool) -> Callable[[_Function], _Function]:
        def register(function: _Function) -> _Function:
            self._hooks.add(when, name, function, always=always)
            return function

        return register

    def _root(self) -> Collection:
        from invoke_devstack.tasks.calling.naming import root_of

        return root_of(self, self._variables())

    def _keeping(
        self, console: Console, declared: Declaration, flags: Mapping[str, Any]
    ) -> JournallingConsole | None:
        """A console that also keeps what a task does, for one that acts."""
        if declared.json != "events" or declared.prints:
            return None
        from invoke_devstack.tasks.journalling import JournallingConsole

        return JournallingConsole(console, declared.name, flags)

    def _print_help(self, declared: Declaration) -> None:
        from invoke.program import Program

        from invoke_devstack.tasks.boundary import end_as_a_filter
        from invoke_devstack.tasks.calling.naming import prefix_of

        root = self._root()
        (name,) = (item for item in self.task_names if getattr(self[item], "declared", None) is declared)
        words = ["invoke", "--help", f"{prefix_of(self, root)}{name}"]
        try:
            Program(namespace=root, binary="inv[oke]").run(words, exit=False)
        except BrokenPipeError:
            end_as_a_filter()

    def _task(self, listed: catalogue.Listed) -> DevstackTask:
        def body(context: Context, **flags: Any) -> None:
            declared = listed.declaration()
            from invoke_devstack.console import choose
            from invoke_devstack.console.screen import standard
            from invoke_devstack.tasks.boundary import boundary, end_as_a_filter, end_unwritten
            from invoke_devstack.tasks.calling.interruption import handling_signals
            from invoke_devstack.tasks.calling.misuse import asks_for_help, check_call
            from invoke_devstack.tasks.calling.naming import PrefixingConsole, own_tasks, prefix_of
            from invoke_devstack.tasks.calling.repeating import RepeatingConsole, words_after
            from invoke_devstack.tasks.calling.sequence import names_for_later
            from invoke_devstack.tasks.command_line.habits import selecting_words

            if asks_for_help(declared, flags):
                self._print_help(declared)
                return
            console = choose(
                json=declared.json if flags.get("json") else "",
                out=standard("stderr") if declared.runs_command else None,
                reader_gone=lambda: work.on_reader_gone(),
                unwritable=lambda error: work.on_unwritable(error),
            )
            root = self._root()
            prefix, selecting = prefix_of(self, root), selecting_words()
            if prefix or selecting:
                names = (*self.task_names, *self.collections)
                console = PrefixingConsole(console, prefix, names, selecting)
            typed = words_after(f"{prefix}{declared.name}", sys.argv[1:], root.task_names)
            if typed and not declared.takes_command:
                console = RepeatingConsole(console, declared.name, typed)
            kept = self._keeping(console, declared, flags)
            work = self.work(context, kept or console)
            work.task_prefix = prefix
            work.own_tasks = lambda: own_tasks(root)
            work.declared = catalogue.every
            work.own_actions = lambda: self._actions
            work.own_processes = lambda: {name: make() for name, make in self._processes.items()}
            work.tasks = root.task_names
            work.stdout_taken = declared.runs_command or bool(flags.get("json"))
            if kept is not None:
                kept.work = work
            console.secrets.learn_later(lambda values: values.learn([*flags.values(), context.remainder]))
            if declared.prints:
                work.on_reader_gone = end_as_a_filter
                work.on_unwritable = lambda error: end_unwritten(error, console.emit)
            try:
                with _ending(kept), boundary(work.tell), handling_signals(work):
                    check_call(
                        declared,
                        context,
                        flags,
                        called=lambda: catalogue.name_of(declared),
                        hooks=bool(self._hooks.names()),
                    )
                    work.dry = bool(context.config.run.dry)
                    work.explain = bool(flags.get("explain"))
                    work.gathers = declared.gathers and not flags.get("host")
                    work.strict = bool(flags.get("strict"))
                    named = () if declared.other_services else _services_in(flags)
                    work.check_services((*named, *names_for_later(self)))
                    declared.run(work, **{name: flags[name] for name in flags if name in declared.own})
                    work.check_output()
            finally:
                console.close()

        body.__name__ = listed.name.replace("-", "_")
        body.__module__ = f"invoke_devstack.tasks.{listed.module}"
        return DevstackTask(body, listed.name, listed.declaration, default=listed.default, stack=self)


def stack(directory: str | Path | None = None) -> Stack:
    """All tasks of the stack in `directory`; by default, the directory of the calling file.

    `namespace = stack()` in a tasks.py puts them at the top level; `ns.add_collection(stack(), name="stack")`
    puts them beside your own. Settings are Invoke's, under `devstack:`.
    """
    variables = sys._getframe(1).f_globals
    if directory is None:
        file = variables.get("__file__")
        directory = Path(file).parent if file else Path()
    return Stack(Path(directory).absolute(), variables)


@contextmanager
def _ending(kept: JournallingConsole | None) -> Iterator[None]:
    """Tells it how the task ended."""
    code = 0
    try:
        yield
    except Exit as ended:
        code = ended.code
        raise
    finally:
        if kept is not None:
            kept.end(code)


def _services_in(flags: Mapping[str, Any]) -> Sequence[str]:
    """The services that a task is for, if it takes several."""
    found = flags.get("service", ())
    return found if isinstance(found, list | tuple) else ()


def _unset_settings() -> dict[str, Any]:
    """All settings, without values. Invoke reads INVOKE_DEVSTACK_* only for names that it knows, and as
    text if it knows no value. `Settings` has the defaults and types."""
    names: dict[str, Any] = {item.name: None for item in fields(Settings)}
    return {**names, "watch": {item.name: None for item in fields(WatchSettings)}}
