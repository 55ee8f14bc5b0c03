"""What every task is given: the settings, the definition, the engine and the console, each when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from invoke_devstack.console import Console, can_ask
from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.events import Document, Event, Notice, Table
from invoke_devstack.running.hooks import Hooks
from invoke_devstack.settings import Settings
from invoke_devstack.tasks.command import split_names

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.running.session import Session

_PATIENCE = 60.0  # seconds that an engine may hang, once it took our connection


class Work:
    """One call of one task. Nothing is read and nobody is connected to before it is needed."""

    def __init__(self, context: Context, home: Path, hooks: Hooks, console: Console) -> None:
        """`home` is the directory of the tasks.py; `hooks` are those that it registered. `on_reader_gone`
        is called when nobody reads stdout any more (`invoke up --attach | head`); `stdout_taken` says that
        what hooks print has no place there."""
        self.context = context
        self.console = console
        self.on_reader_gone: Callable[[], None] = _do_nothing
        self._home = home
        self._hooks = hooks
        self.stdout_taken = False
        self._named_services: tuple[str, ...] = ()

    @cached_property
    def settings(self) -> Settings:
        """`devstack:` of Invoke's configuration."""
        return Settings.read(self.context.config.get("devstack", {}))

    @cached_property
    def directory(self) -> Path:
        """The project's directory: `devstack.project_directory`, else where tasks.py is."""
        return (self._home / self.settings.project_directory).resolve()

    @cached_property
    def definition(self) -> Definition:
        """The stack as its files say it; once an engine was asked (`project`), under the project's name."""
        loaded = self.load_definition()
        self.console.expect(loaded.services)
        return loaded

    def load_definition(self) -> Definition:
        """Reads the files, again if they were read before."""
        from invoke_devstack.definition import load

        return load(
            self.directory,
            files=self._files,
            profiles=self.settings.profiles,
            project_name=vars(self).get("project"),
            naming=self._named_services,
        )

    @cached_property
    def project(self) -> str:
        """The project's name on the engine: Compose's, unless another checkout has it. The definition is not
        read for it, and one that was read is read again where its name is another."""
        from invoke_devstack.definition import named_project
        from invoke_devstack.running.checkouts import choose_identity

        name, directory, imposed = named_project(self.directory, files=self._files)
        if not imposed:
            identity = choose_identity(self.engine, name, directory)
            name = identity.name
            self._tell_other_checkout(name, identity.other)
        if "definition" in vars(self) and self.definition.name != name:
            del self.definition
        return name

    @property
    def bound_definition(self) -> Definition:
        """The definition under the project's name on the engine."""
        self.project  # noqa: B018 - it may give the definition another name
        return self.definition

    def _tell_other_checkout(self, name: str, other: str) -> None:
        if other:
            text = (
                f"the checkout in {other} has this project's name; this one is called {name} "
                f"(for docker compose: `export COMPOSE_PROJECT_NAME={name}`)"
            )
            self.tell(Notice(text=text))

    @property
    def _files(self) -> list[Path]:
        return [self.directory / file for file in self.settings.files]

    @cached_property
    def engine(self) -> Engine:
        """The engine that the docker command would use."""
        from invoke_devstack.engine.connect import connect

        return connect(
            registry_mirror=self.settings.registry_mirror,
            patience=_PATIENCE,
            on_silence=self._tell_silence,
        )

    def _tell_silence(self, seconds: float) -> None:
        text = f"The engine has not answered for {seconds:g} s; still waiting for it."
        self.tell(Notice(text=text, level="warning"))

    @contextmanager
    def session(self, *, explain: bool = False, definition: Definition | None = None) -> Iterator[Session]:
        """The stack (or another one, of `definition`) on the engine, and the handler of signals while the
        body runs."""
        from invoke_devstack.running.interrupt import Interrupt
        from invoke_devstack.running.session import Session

        with Interrupt() as interrupt:
            yield Session(
                definition=definition or self.bound_definition,
                engine=self.engine,
                emit=self.tell,
                settings=self.settings,
                hooks=self._hooks.bound_to(self.context, stdout_taken=self.stdout_taken),
                interrupt=interrupt,
                explain=explain,
            )

    def tell(self, event: Event) -> None:
        """Shows an event."""
        self.console.emit(event)

    def answer(self, text: str, data: object = None) -> None:
        """Prints the answer of a task: a text for people, `data` for `--json`."""
        self.tell(Document(text=text, data=data))

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[dict[str, object]], empty: str
    ) -> None:
        """Prints the answer of a task that lists; `empty` is said where there is no row."""
        self.tell(Table(title=title, columns=tuple(columns), rows=tuple(rows), empty=empty))

    def services(self, values: Sequence[str]) -> tuple[str, ...]:
        """The services that flags name. Raises UsageError for one that the definition does not have."""
        names = split_names(values)
        if names:
            from invoke_devstack.running.choosing import check_services

            check_services(self.definition, names)
            if not self.definition.services.keys() >= {*names}:
                # Compose Specification, "Profiles": naming a service activates its profiles.
                self._named_services = (*self._named_services, *names)
                self.definition = self.load_definition()
        return names

    def service(self, name: str) -> str:
        """One service, given by position; `web.2` is the second container of `web`."""
        from invoke_devstack.running.choosing import split_number

        self.services([split_number(self.definition, name)[0]])
        return name

    def confirm(self, question: str, *, yes: bool, loses: str) -> None:
        """Asks before something is lost. Raises UsageError where nobody can be asked, and an error that
        ends the task when the answer is no. `loses` says what would be lost."""
        if yes:
            return
        if not can_ask():
            raise UsageError(
                f"refused without consent: {loses}",
                hint="Add `--yes` to go ahead without being asked.",
            )
        if self.console.ask(f"{question} [y/N]").strip().lower() not in ("y", "yes"):
            raise DevstackError("nothing was done, as you said no")


def _do_nothing() -> None:
    """Who only acts goes on when nobody reads what it tells."""


def words_after_dashes(context: Context) -> tuple[str, ...]:
    """The words after `--`, each as it was typed.

    Invoke joins them with spaces (pyinvoke/invoke 732); where its text is that of this process's own
    arguments, those are taken, so that quoting is kept.
    """
    import shlex
    import sys

    remainder = str(context.remainder)
    typed = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return tuple(typed) if " ".join(typed) == remainder else tuple(shlex.split(remainder))
