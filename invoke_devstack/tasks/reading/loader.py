"""Reads a task's definition when it is needed, and learns its secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError
from invoke_devstack.secrets import SecretValues

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.planning.copies.copies import Copy


class Loader:
    """Reads the files when asked, and again after `name_project` or `activate` changed what they mean."""

    def __init__(
        self,
        directory: Path,
        files: Sequence[Path],
        profiles: Sequence[str],
        secrets: SecretValues,
        on_load: Callable[[Definition], None],
        on_use: Callable[[Definition], None],
        processes: Callable[[], Mapping[str, Mapping[str, Any]]] = dict,
        *,
        production: bool = False,
        gathering: bool = False,
    ) -> None:
        """`processes` are those that tasks.py declares. `on_load` gets every definition that is read,
        `on_use` every one that becomes `definition`. `secrets` learns the secrets of all that is read. With
        `gathering`, what is missing is in the definition's `missing`, and not raised."""
        self._directory = directory
        self._files = files
        self._profiles = profiles
        self._secrets = secrets
        self._processes = processes
        self.on_load = on_load
        self._on_use = on_use
        self._production = production
        self._gathering = gathering
        self._project: str | None = None
        self._activated: tuple[str, ...] = ()
        self._definition: Definition | None = None
        self._learned: Definition | None = None
        self._composed: Definition | None = None
        self._copy: Copy | None = None
        self.left_out: frozenset[str] = frozenset()
        """The processes of this machine that a copy does not have, once its definition is read."""

    @property
    def definition(self) -> Definition:
        """The definition, read once."""
        if self._definition is None:
            self.use(self.load())
        assert self._definition is not None
        return self._definition

    @property
    def composed(self) -> Definition:
        """`definition` as Docker Compose reads it: without the processes of this machine."""
        definition = self.definition
        return self._composed or definition

    def use(self, definition: Definition) -> None:
        """From now on, this is the definition."""
        self._learn_later(definition)
        self._definition = definition
        self._on_use(definition)

    def name_project(self, name: str) -> None:
        """From now on, the project has this name."""
        self._project = name
        if self._definition is not None and self._definition.name != name:
            self._definition = None

    def enter_copy(self, copy: Copy) -> None:
        """From now on, the definition is that of this copy of the stack."""
        self._copy = copy
        self._project = copy.project
        self._definition = None

    def activate(self, services: Sequence[str]) -> None:
        """Activates the profiles of these services. (Compose Specification, "Profiles": naming one does.)"""
        if not self.definition.services.keys() >= {*services}:
            self._activated = (*self._activated, *services)
            self._definition = None

    def find_name(self) -> tuple[str, Path, bool]:
        """See `named_project`."""
        from invoke_devstack.definition import named_project

        self._secrets.learn_later(self._learn_variables)
        with self._learning_from_what_cannot_be_read():
            return named_project(self._directory, files=self._files)

    def load(self) -> Definition:
        """Reads the files now. Raises DefinitionError."""
        loaded = self._read()
        self.on_load(loaded)
        return loaded

    def learn_secrets(self) -> None:
        """Reads the definition for its secrets alone; one that cannot be read is no fault here."""
        if self._definition is None:
            with suppress(DevstackError):
                self._read()

    def _read(self) -> Definition:
        from invoke_devstack.definition import load

        with self._learning_from_what_cannot_be_read():
            loaded = load(
                self._directory,
                files=self._files,
                profiles=self._profiles,
                project_name=self._project,
                naming=self._activated,
                production=self._production,
                gathering=self._gathering,
            )
            loaded = self._in_copy(loaded) if self._copy else self._joined(loaded)
        self._learn_later(loaded)
        return loaded

    def _joined(self, loaded: Definition) -> Definition:
        """With the processes of this machine."""
        self._composed = loaded
        declared = self._processes()
        if declared or _has_own_keys(loaded):
            from invoke_devstack.planning.processes.joined import with_processes

            return with_processes(loaded, declared)
        return loaded

    def _in_copy(self, loaded: Definition) -> Definition:
        """A copy has no processes of this machine: their ports and files are the stack's."""
        from invoke_devstack.planning.copies.isolated import isolated_for

        assert self._copy is not None
        self.left_out = frozenset(self._joined(loaded).all_services) - frozenset(loaded.all_services)
        self._composed = isolated_for(loaded, self._copy)
        return self._composed

    def _learn_later(self, definition: Definition) -> None:
        if definition is not self._learned:
            self._learned = definition
            self._secrets.learn_later(partial(_learn, definition))

    @contextmanager
    def _learning_from_what_cannot_be_read(self) -> Iterator[None]:
        """The error quotes the files, so their secrets must be known before it is shown."""
        try:
            yield
        except DevstackError as error:
            from invoke_devstack.definition.output.secret_values import learn_texts, learn_variables

            files = learn_variables(self._secrets, self._directory, self._files)
            learn_texts(self._secrets, (*files, *([error.position.file] if error.position else ())))
            raise

    def _learn_variables(self, values: SecretValues) -> None:
        """For a task that does not read the definition."""
        if self._definition is None:
            from invoke_devstack.definition.output.secret_values import learn_variables

            learn_variables(values, self._directory, self._files)


def _has_own_keys(definition: Definition) -> bool:
    """Whether there are processes of this machine, or services that wait for them."""
    services = definition.all_services.values()
    waiting = any(_says(item.extensions, "depends_on") for item in services)
    return waiting or _says(definition.extensions, "processes")


def _says(extensions: Mapping[str, Any], key: str) -> bool:
    own = extensions.get("x-devstack")
    return isinstance(own, Mapping) and key in own


def _learn(definition: Definition, values: SecretValues) -> None:
    from invoke_devstack.definition.output.secret_values import learn_definition

    learn_definition(values, definition)
