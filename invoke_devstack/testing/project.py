"""The project's own tasks.py, loaded as Invoke loads it: its settings and hooks are those of the copy too."""

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
from invoke_devstack.tasks.context import Work
from invoke_devstack.tasks.namespace import Stack, stack


class Silence:
    """A console for a run whose report is pytest's."""

    def emit(self, event: Event) -> None:
        """Shows nothing: what fails is raised."""

    def expect(self, services: object) -> None:
        """Nothing to make room for."""

    def ask(self, question: str) -> str:
        """Nobody is asked, and nobody agrees."""
        return ""

    def close(self) -> None:
        """Nothing to leave."""


def load_work(directory: Path) -> Work:
    """What the tasks of the project in `directory` would be given; without a tasks.py, that of a plain
    `stack()`. Raises what importing tasks.py raises."""
    config = Config()
    try:
        module, parent = FilesystemLoader(config=config, start=str(directory)).load("tasks")
    except CollectionNotFound:
        return stack(directory).work(Context(config=config), Silence())
    config.set_project_location(parent)
    config.load_project()
    config.load_collection(Collection.from_module(module, loaded_from=parent).configuration())
    config.load_shell_env()
    found = next(_stacks_of(module), None) or stack(directory)
    return found.work(Context(config=config), Silence())


def _stacks_of(module: ModuleType) -> Iterator[Stack]:
    for item in vars(module).values():
        if isinstance(item, Collection):
            yield from _stacks_in(item)


def _stacks_in(collection: Collection) -> Iterator[Stack]:
    if isinstance(collection, Stack):
        yield collection
    for inner in collection.collections.values():
        yield from _stacks_in(inner)
