"""How a task is declared: its function, its flags with their short forms, and their help texts."""

from __future__ import annotations

import atexit
import copy
import gc
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cache
from typing import Any, Literal

from invoke.parser.argument import Argument
from invoke.tasks import Task

from invoke_devstack.errors import UsageError
from invoke_devstack.records import record
from invoke_devstack.settings import Settings
from invoke_devstack.tasks.command_line.arguments import Flag, Positional
from invoke_devstack.tasks.command_line.late_contexts import FlagsLater
from invoke_devstack.tasks.command_line.words import rewrite_words

_ALLOCATIONS_BETWEEN_COLLECTIONS = 100_000


@cache
def prepare_process() -> None:
    """Makes this process fit for one command, which lasts a second and then ends. Only the first call acts:
    when Invoke's command line starts, not when a program imports or runs tasks.

    Invoke turns off the cache of compiled modules, so each command would compile what it imports. A command
    creates about 100,000 objects that live until it ends: searching them for cycles takes a tenth of its
    time, and freeing them one by one at the end 50 ms.
    """
    _keep_standard_descriptors()
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    rewrite_words()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)


def _keep_standard_descriptors() -> None:
    """Nothing that we open may get the number of a stream that was closed (`>&-`): what is meant for stdout
    would go to a socket. Reading stdin ends at once, and writing to the others fails, as before."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # gets the lowest number that is free


Json = Literal["", "answer", "events"]

ONE_SERVICE_HELP = "The service."
SERVICE_HELP = "Only this service. Repeat it, or separate names with commas. Default: all."
JSON_HELP = "Print JSON for scripts."
YES_HELP = "Answer yes to every question."
WAIT_HELP = f"Seconds to wait for a service to be ready (default {Settings().wait_timeout:g})."
EXPLAIN_HELP = "Show the docker command for each step."
STRICT_HELP = "A variable that is not set is an error."


@record
class Declaration:
    """`run` takes a Work and the flags. `json` says what `--json` prints: one answer, or a stream of events.
    A task that only `prints` ends quietly when its reader goes away (`invoke logs | head`). If it
    `runs_command`, stdout is the command's, and all that is ours goes to stderr. One that `plans` changes
    nothing before its plan is announced, so that Invoke's `--dry` can print the plan instead. If it
    `takes_command`, the words after its positional argument are one for a container. `words` is the parameter
    whose values words without a flag are, if it may be repeated. One that `gathers` tells what is missing in
    the files together with what only the engine knows, before it does anything. One of `other_services` may
    be asked for services that are not in the files."""

    name: str
    run: Callable[..., None]
    flags: Mapping[str, str]
    shorts: Mapping[str, str] = field(default_factory=dict)
    json: Json = ""
    prints: bool = False
    runs_command: bool = False
    plans: bool = False
    explains: bool = False
    takes_command: bool = False
    words: str = "service"
    gathers: bool = False
    other_services: bool = False

    @property
    def takes_words(self) -> str:
        """The parameter whose values are the words after the task (`logs web`); "" if it takes none."""
        found = self.own.get(self.words)
        return self.words if found and found.default == () else ""

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    @property
    def positional(self) -> list[str]:
        """Its positional arguments."""
        return [name for name, item in self.own.items() if item.default is item.empty and name != "work"]

    @property
    def own(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of its function."""
        return _parameters_of(self.run)

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Those, and the flags that are handled for it: `--explain` and `--json`."""
        handled = {"explain": self.explains, "json": bool(self.json)}
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = [name for name, has in handled.items() if has and name not in self.own]
        return {**self.own, **{name: inspect.Parameter(name, kind, default=False) for name in names}}


@cache
def _parameters_of(function: Callable[..., None]) -> Mapping[str, inspect.Parameter]:
    """Asked for several times for each of a hundred tasks, before any command does anything."""
    return inspect.signature(function).parameters


def task(
    name: str,
    *,
    flags: Mapping[str, str] | None = None,
    shorts: Mapping[str, str] | None = None,
    json: Json = "",
    prints: bool = False,
    runs_command: bool = False,
    plans: bool = False,
    explains: bool = False,
    takes_command: bool = False,
    words: str = "service",
    gathers: bool = False,
    other_services: bool = False,
) -> Callable[[Callable[..., None]], Declaration]:
    """Declares a task. The function's parameters are its flags; those without a default are positional.
    `flags` maps the task's own flags to their help texts, `shorts` to their short forms. Flags that many
    tasks share (`service`, `yes`) have a help text here. `json`, and `plans` or `explains`, add `--json` and
    `--explain`, which need no parameter. The rest is as in `Declaration`."""

    def declare(run: Callable[..., None]) -> Declaration:
        letters = {"service": "s", "yes": "y", **(shorts or {})}
        prints_only = prints or json == "answer"
        steps = plans or explains
        return Declaration(
            name,
            run,
            flags or {},
            letters,
            json,
            prints_only,
            runs_command,
            plans,
            steps,
            takes_command,
            words,
            gathers,
            other_services,
        )

    return declare


class DevstackTask(Task):  # type: ignore[type-arg]
    """An Invoke task whose short flags are declared, not guessed from the first free letter."""

    def __init__(
        self,
        body: Callable[..., None],
        name: str,
        find: Callable[[], Declaration],
        *,
        default: bool = False,
        stack: object = None,
    ) -> None:
        """`find` returns its declaration, and is called when somebody asks for it. `stack` is the Stack that
        it belongs to, whose `default` task it may be."""
        self._find = find
        self.stack = stack
        super().__init__(body, name=name, default=default, auto_shortflags=False)

    @property
    def declared(self) -> Declaration:
        """How it is declared."""
        return self._find()

    def _help_text(self) -> str:
        return self.declared.run.__doc__ or ""

    def _keep_help_text(self, text: str) -> None:
        """Invoke gives a task the text of its body, which has none before the module is imported."""

    __doc__ = property(_help_text, _keep_help_text)  # what Invoke reads to list or explain it

    def fill_implicit_positionals(self, positional: Iterable[str] | None) -> Iterable[str]:
        """Which arguments have no flag: known once the flags are read."""
        return ()

    def argspec(self, body: Callable[..., None]) -> inspect.Signature:
        """The parameters of which Invoke makes flags."""
        return inspect.Signature([*self.declared.parameters.values()][1:])

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """What stands for the flags until the command line names the task. Only Invoke's command line asks,
        before it runs, lists or completes tasks."""
        prepare_process()
        return [FlagsLater(self.read_flags)]

    def read_flags(self) -> list[Argument]:
        """The positional arguments and the flags."""
        parameters = self.declared.parameters
        self.positional = self.declared.positional
        self.iterable = [name for name, item in parameters.items() if item.default == ()]
        self.help = _help_of(self.declared, parameters)  # Invoke takes out what it has read
        begins_command, takes_words = self.declared.takes_command, self.declared.takes_words
        siblings: list[Argument] = []
        arguments: list[Argument] = [
            Positional(item, siblings, begins_command=begins_command)
            if item.positional
            else Flag.of(item, takes_words=item.name == takes_words)
            for item in super().get_arguments()
        ]
        siblings += (item for item in arguments if item.positional)
        return arguments

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Invoke's description of one flag, with its declared short form."""
        several: Any = list(default) if default == () else default
        options = super().arg_opts(name, several, taken_names)
        if name in self.declared.shorts:
            options["names"] = [*options["names"], self.declared.shorts[name]]
        return options

    def __eq__(self, other: object) -> bool:
        """Tasks of two stacks differ, although their code is the same: Invoke runs equal tasks once."""
        return isinstance(other, DevstackTask) and self.body is other.body

    def __hash__(self) -> int:
        return hash(self.body)

    def __deepcopy__(self, memo: dict[int, Any]) -> DevstackTask:
        """Invoke deep-copies every task of a namespace, and changes none of what it holds."""
        return copy.copy(self)


def _help_of(declared: Declaration, parameters: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    one = "service" in parameters and parameters["service"].default is inspect.Parameter.empty
    service = ONE_SERVICE_HELP if one else SERVICE_HELP
    common = {"service": service, "json": JSON_HELP, "yes": YES_HELP, "explain": EXPLAIN_HELP}
    return {name: text for name, text in {**common, **declared.flags}.items() if name in parameters}


def split_names(values: Sequence[str]) -> tuple[str, ...]:
    """The names in a repeatable flag that takes comma lists: each once, in order. Raises UsageError for an
    empty name: a variable without a value must not turn one service into all of them."""
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise UsageError(
            f"empty name in `{','.join(values)}`",
            hint="Give a name, or leave the flag out for all of them.",
        )
    return tuple(dict.fromkeys(names))
