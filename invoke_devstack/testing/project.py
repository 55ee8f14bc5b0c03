"""Loads the project's tasks.py as Invoke does: its settings and hooks apply to the copy too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from invoke.collection import Collection
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import CollectionNotFound
from invoke.loader import FilesystemLoader

from invoke_devstack.events import Event
from invoke_devstack.secrets import SecretValues
from invoke_devstack.tasks.namespace import Stack, stack
from invoke_devstack.tasks.work import Work


class SilentConsole:
    """A console that shows nothing: pytest reports errors."""

    def __init__(self) -> None:
        self.secrets = SecretValues()

    def emit(self, event: Event) -> None:
        """Shows nothing."""

    def expect(self, services: object) -> None:
        """Does nothing."""

    def ask(self, question: str) -> str:
        """Answers no."""
        return ""

    def stay(self, pilot: object) -> None:
        """No footer."""

    def close(self) -> None:
        """Does nothing."""


def load_work(directory: Path) -> Work:
    """What tasks of the project in `directory` are given; without a tasks.py, those of a plain `stack()`.
    Raises what importing tasks.py raises."""
    config = Config()
    try:
        module, parent = FilesystemLoader(config=config, start=str(directory)).load("tasks")
    except CollectionNotFound:
        return stack(directory).work(Context(config=config), SilentConsole())
    config.set_project_location(parent)
    config.load_project()
    config.load_collection(Collection.from_module(module, loaded_from=parent).configuration())
    config.load_shell_env()
    found = next(_stacks_of(module), None) or stack(directory)
    return found.work(Context(config=config), SilentConsole())


def _stacks_of(module: ModuleType) -> Iterator[Stack]:
    for item in vars(module).values():
        if isinstance(item, Collection):
            yield from _stacks_in(item)


def _stacks_in(collection: Collection) -> Iterator[Stack]:
    if isinstance(collection, Stack):
        yield collection
    for inner in collection.collections.values():
        yield from _stacks_in(inner)
