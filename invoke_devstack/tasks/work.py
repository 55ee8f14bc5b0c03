"""What every task is given: settings, definition, engine and console. Each is created when first used."""

from __future__ import annotations

import copy as copying
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from invoke_devstack.console import Console, can_ask
from invoke_devstack.errors import (
    CommandExited,
    DevstackError,
    EngineError,
    EngineUnavailableError,
    UsageError,
    blocked,
    did_you_mean,
)
from invoke_devstack.events import Document, Event, Notice, Table
from invoke_devstack.local_files.failures import unwritable
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.running.interrupt import Interrupt
from invoke_devstack.settings import COPY_VARIABLE, Settings, copies_folder, is_folder
from invoke_devstack.tasks.command_line.habits import is_given
from invoke_devstack.tasks.declare import Declaration, split_names

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.containers.listing import Listing
    from invoke_devstack.engine.protocol import Engine, Lists
    from invoke_devstack.planning.copies.copies import Copy
    from invoke_devstack.running.session import Session
    from invoke_devstack.tasks.own_actions import OwnAction
    from invoke_devstack.tasks.reading.loader import Loader

_PATIENCE = 60.0  # seconds to wait for an answer of an engine that accepted the connection
_GLANCE = 2.0  # likewise, for a task that can do without


class Work:
    """One call of one task."""

    def __init__(self, context: Context, home: Path, hooks: Hooks, console: Console) -> None:
        """`home` is the directory of tasks.py, `hooks` are those that it registered."""
        self.context = context
        self.console = console
        self.on_reader_gone: Callable[[], None] = _do_nothing
        """Called when nobody reads stdout any more (`invoke up --attach | head`)."""
        self.on_unwritable: Callable[[OSError], None] = self._note_unwritable
        """Called when stdout takes no more, although somebody may want what it says: a full disk."""
        self.listeners: list[Callable[[Event], None]] = []
        """Called after an event was shown."""
        self._output_lost = False
        self.stdout_taken = False
        """Whether hooks must not print to stdout."""
        self.strict = False
        """Whether an unset variable is an error, whatever the setting."""
        self.dry = False
        """Whether to print plans instead of carrying them out."""
        self.gathers = False
        """Whether the task tells all that is missing at once, see `Declaration`."""
        self.explain = False
        """Whether to show the docker command for each step."""
        self.task_prefix = ""
        """What stands before the names of the stack's tasks on the command line."""
        self.own_tasks: Callable[[], dict[str, str]] = dict
        """Name -> summary of the team's own tasks."""
        self.declared: Callable[[], Mapping[str, Declaration]] = dict
        """Name -> task, of all tasks of the stack."""
        self.own_actions: Callable[[], Mapping[str, OwnAction]] = dict
        """Name -> what a team offers in the dashboard."""
        self.copy_name = os.environ.get(COPY_VARIABLE, "").strip()
        """The copy of the stack that this call acts on; "" for the stack itself."""
        self.own_processes: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
        """Name -> keys of the processes that tasks.py declares."""
        self.consent: Callable[[str], None] | None = None
        """Asked instead of a person before anything is lost. Raises UsageError without consent."""
        self.tasks: Iterable[str] = ()
        """The names of all tasks: what a service's name may have been meant to be."""
        self._glances = False  # whether it needs nothing of the engine but the project's name
        self.home = home
        """The directory of tasks.py."""
        self._hooks = hooks
        self.interrupt = Interrupt(lambda: self.on_reader_gone())
        """Signals, once it is entered."""
        self.connected: Listing | None = None
        """The engine, once it has answered."""
        self.stopping: set[str] = set()
        """The names of containers that this command, or a twin of it, stops itself."""

    def twin(self, console: Console, context: Context | None = None) -> Work:
        """Another call on the same stack, beside this one."""
        other = Work(context or self.context, self.home, self._hooks, console)
        other.task_prefix, other.own_tasks, other.declared = self.task_prefix, self.own_tasks, self.declared
        other.own_actions, other.own_processes = self.own_actions, self.own_processes
        other.copy_name = self.copy_name
        other.stopping = self.stopping
        return other

    @cached_property
    def settings(self) -> Settings:
        """`devstack:` of Invoke's configuration."""
        return Settings.read(self.context.config.get("devstack", {}))

    @cached_property
    def directory(self) -> Path:
        """The project directory: `devstack.project_directory`, else that of tasks.py."""
        return (self.home / self.settings.project_directory).resolve()

    @cached_property
    def project(self) -> str:
        """The project's name on the engine: Compose's, unless another checkout has it; or the copy's."""
        from invoke_devstack.running.checkouts import choose_identity

        name, directory, imposed = self._loader.find_name()
        if self.copy_name:
            from invoke_devstack.tasks.reading.copies import chosen_copy

            given = name if imposed else ""
            copy = chosen_copy(self.engine, self.tell, self.copy_name, directory, given)
            self.enter_copy(copy)
            return copy.project
        if not imposed:
            identity = choose_identity(self._lists, name, directory)
            name = identity.name
            if identity.other:
                text = (
                    f"{identity.other} already uses this project name, so this checkout is called {name} "
                    f"(for docker compose: `export COMPOSE_PROJECT_NAME={name}`)"
                )
                self.tell(Notice(text=text))
        self._loader.name_project(name)
        return name

    def place(self) -> tuple[Path, str]:
        """The directory of the Compose files, and the project's name where a variable sets it ("" if not)."""
        name, directory, imposed = self._loader.find_name()
        return directory, name if imposed else ""

    def enter_copy(self, copy: Copy) -> None:
        """From now on, this call acts on this copy of the stack alone, and so does what its hooks run."""
        self.project = copy.project
        self._loader.enter_copy(copy)
        context = copying.copy(self.context)  # Invoke gives the next task the same configuration
        context.config = self.context.config.clone()
        context.config.run.env.update({COPY_VARIABLE: copy.name, "COMPOSE_PROJECT_NAME": copy.project})
        self.context = context

    @property
    def definition(self) -> Definition:
        """What the Compose files say. Needs no engine; has the name on the engine once `project` is known."""
        return self._loader.definition

    @property
    def left_out(self) -> frozenset[str]:
        """The processes of this machine that the copy does not have."""
        _ = self.bound_definition
        return self._loader.left_out

    @property
    def compose_definition(self) -> Definition:
        """`definition` without the processes of this machine: as Docker Compose reads it."""
        return self._loader.composed

    @property
    def bound_definition(self) -> Definition:
        """The definition under the project's name on the engine."""
        self._loader.name_project(self.project)
        return self.definition

    @property
    def named_definition(self) -> Definition:
        """`compose_definition` under the project's name, if an engine answers at once."""
        self._glances = True
        with suppress(EngineError):
            self._loader.name_project(self.project)
        return self.compose_definition

    def learn_secrets(self, *shown: object) -> None:
        """Makes sure that the secrets of the definition and of `shown` are masked, for a task that shows what
        the engine knows of commands and variables. One that needs no definition works without it too."""
        self._loader.learn_secrets()
        self.console.secrets.learn(list(shown))

    def load_definition(self) -> Definition:
        """Reads the Compose files again."""
        return self._loader.load()

    def use(self, definition: Definition) -> None:
        """Works on this definition instead of the one in the files."""
        self.project = definition.name
        self._loader.use(definition)

    def definition_for_production(self, stack: str, files: Sequence[str]) -> Definition:
        """What is deployed as `stack` ("": under the project's name): these files, or else those of the
        project without the override for development, and with compose.prod.yaml."""
        if self.copy_name:
            raise UsageError(
                f"a copy of the stack (`{self.copy_name}`) cannot be deployed",
                hint=f"For the stack itself: `unset {COPY_VARIABLE}`.",
            )
        chosen = [self.directory / file for file in files]
        loader = self._loader_of(chosen or self._files, production=not chosen)
        if stack:
            loader.name_project(stack)
        return loader.composed

    def tell_unset(self, definition: Definition) -> None:
        """Reports the variables of it that nothing sets, each once. Raises DefinitionError if there must be
        none."""
        self._loader.on_load(definition)

    @cached_property
    def _loader(self) -> Loader:
        return self._loader_of(self._files)

    def _loader_of(self, files: Sequence[Path], *, production: bool = False) -> Loader:
        from invoke_devstack.planning.names import natural
        from invoke_devstack.tasks.reading.loader import Loader
        from invoke_devstack.tasks.reading.unset_variables import UnsetReport

        unset = UnsetReport(self.tell, strict=self.strict or self.settings.strict)
        return Loader(
            self.directory,
            files,
            () if is_given("COMPOSE_PROFILES") else self.settings.profiles,
            self.console.secrets,
            on_load=unset.report,
            on_use=lambda loaded: self.console.expect(sorted(loaded.services, key=natural)),
            processes=self.own_processes,
            production=production,
            gathering=self.gathers,
        )

    @cached_property
    def _files(self) -> list[Path]:
        files = () if is_given("COMPOSE_FILE") else self.settings.files
        return [self.directory / file for file in files]

    @cached_property
    def engine(self) -> Engine:
        """The engine that the docker command would use."""
        from invoke_devstack.engine.connect import connect

        patience, mirror = _GLANCE if self._glances else _PATIENCE, self.settings.registry_mirror
        try:
            connected = self.connected = connect(
                registry_mirror=mirror, patience=patience, on_hang=self._report_hang
            )
        except EngineUnavailableError as error:
            raise self._with_what_is_missing(error) from error
        if not self.dry and is_folder(copies_folder()):
            from invoke_devstack.tasks.reading.copies import end_due_copies

            end_due_copies(connected, self.tell, self.interrupt)
        return connected

    @property
    def _lists(self) -> Lists:
        """The engine, or the part of it that lists, if no more is needed."""
        if not self._glances or "engine" in vars(self) or is_folder(copies_folder()):
            return self.engine
        from invoke_devstack.engine.connect import connect_to_list

        self.connected = connected = connect_to_list(_GLANCE, self._report_hang)
        return connected

    def _with_what_is_missing(self, error: EngineUnavailableError) -> DevstackError:
        """The error, with what the files lack if the task tells all at once."""
        missing: tuple[DevstackError, ...] = ()
        if self.gathers:
            with suppress(DevstackError):
                missing = self.definition.missing
        return blocked([*missing, error])

    @contextmanager
    def session(self, definition: Definition | None = None) -> Iterator[Session]:
        """The stack (or that of `definition`) on the engine. While the body runs, it looks for signals
        itself."""
        from invoke_devstack.running.session import Session

        session = Session(
            definition=definition or self.bound_definition,
            engine=self.engine,
            emit=self.tell,
            settings=self.settings,
            hooks=self._bound_hooks(),
            interrupt=self.interrupt,
            explain=self.explain,
            dry=self.dry,
            secrets=self.console.secrets,
            stopping=self.stopping,
        )
        with self.interrupt, self.interrupt.raising(False):
            yield session

    def _bound_hooks(self) -> Hooks:
        hooks = self._hooks.bound_to(self.context, stdout_taken=self.stdout_taken, owner=self)
        return hooks.without(self._loader.left_out)

    def check_output(self) -> None:
        """Raises CommandExited if stdout took less than was said, which was told then."""
        if self._output_lost:
            raise CommandExited(1)

    def tell(self, event: Event) -> None:
        """Shows an event."""
        self.console.emit(event)
        for listener in (*self.listeners,):
            listener(event)

    def answer(self, text: str, data: object = None, *, with_secrets: bool = False) -> None:
        """Prints the answer of a task: `text` for people, `data` for `--json`."""
        self.tell(Document(text=text, data=data, with_secrets=with_secrets))

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[dict[str, object]], empty: str
    ) -> None:
        """Prints the answer of a task that lists; `empty` is printed if there are no rows."""
        self.tell(Table(title=title, columns=tuple(columns), rows=tuple(rows), empty=empty))

    def names(self, names: Iterable[str], *, json: bool) -> None:
        """Prints the answer of a task that lists names alone, for `$(…)`: each once, and nothing if there
        are none."""
        lines = list(dict.fromkeys(names))
        if lines or json:
            self.answer("\n".join(lines), lines)

    def services(self, values: Sequence[str]) -> tuple[str, ...]:
        """The services that flags name. Raises UsageError for an unknown one."""
        names = self.check_services(values)
        if names:
            self._loader.activate(names)
        return names

    def check_services(self, values: Sequence[str]) -> tuple[str, ...]:
        """The services that flags name, whether they are for this task or one that follows. Raises UsageError
        for an unknown one."""
        names = split_names(values)
        if names:
            from invoke_devstack.running.selection import check_services

            try:
                check_services(self.definition, names)
            except UsageError as error:
                raise self._or_a_task(error, names) from error
        return names

    def _or_a_task(self, error: UsageError, names: Sequence[str]) -> UsageError:
        """The error about an unknown service. If no service is similar, its hint names a similar task too."""
        known = self.definition.all_services
        unknown = next(name for name in names if name not in known)
        own = [name for name in self.tasks if name.startswith(self.task_prefix)]
        task = did_you_mean(unknown, own)
        return UsageError(error.message, hint=did_you_mean(unknown, known) or f"{task} {error.hint}".strip())

    def service(self, name: str) -> str:
        """One service, given by position; `web.2` is the second container of `web`. Raises UsageError."""
        from invoke_devstack.running.selection import split_number

        self.services([split_number(self.definition, name)[0]])
        return name

    def confirm(self, question: str, *, yes: bool, loses: str) -> None:
        """Asks before data or containers are lost. `loses` names them. Raises UsageError if nobody can be
        asked, DevstackError if the answer is no."""
        if yes or self.dry:
            return
        if self.consent is not None:
            self.consent(loses)
            return
        if not can_ask():
            raise UsageError(
                f"needs confirmation: this deletes {loses}",
                hint="There is no terminal to ask on. To confirm, add `--yes`.",
            )
        with self.interrupt.raising():
            answer = self.console.ask(f"{question} [y/N]").strip().lower()
        if answer not in ("y", "yes"):
            raise DevstackError("cancelled: nothing was changed")

    def _note_unwritable(self, error: OSError) -> None:
        """A task that acts goes on, and fails when it is done."""
        self._output_lost = True
        text = f"{unwritable(error).message}; the command goes on without it"
        self.tell(Notice(text=text, level="warning"))

    def _report_hang(self, seconds: float) -> None:
        text = f"The engine has not answered for {seconds:g} s; still waiting."
        self.tell(Notice(text=text, level="warning"))


def _do_nothing() -> None:
    """A task that acts continues when nobody reads its output."""
