"""The catalogue names what the modules declare, and a command imports the module of its own task alone."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain

import invoke_devstack.tasks
from invoke_devstack import stack
from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.declare import Declaration

ROOM = f"{invoke_devstack.tasks.__name__}."


def declared() -> Iterator[tuple[str, list[str]]]:
    """Each module of the room that declares tasks, with their names in its order."""
    for found in pkgutil.walk_packages(invoke_devstack.tasks.__path__, ROOM):
        module = import_module(found.name)
        names = [item.name for item in vars(module).values() if isinstance(item, Declaration)]
        if names:
            yield found.name.removeprefix(ROOM), names


def test_it_names_every_task_of_every_module_and_no_other() -> None:
    below = chain.from_iterable(catalogue.below(group) for group in catalogue.COLLECTIONS.values())
    listed: dict[str, list[str]] = {"menu": ["menu"]}
    for item in chain(catalogue.top_level(), below):
        listed.setdefault(item.module, []).append(item.name)
    assert listed == dict(declared())


def test_every_default_is_a_task_of_its_collection() -> None:
    for group in catalogue.COLLECTIONS.values():
        names = {item.name for item in catalogue.below(group)}
        assert group.default in names | {""}


def test_a_task_shows_the_help_of_its_function() -> None:
    for name, item in catalogue.every().items():
        task = stack()[name]
        assert task.__doc__ == item.run.__doc__
        assert task.declared is item


def test_a_namespace_imports_no_module_of_a_task() -> None:
    ask = "import sys; from invoke_devstack import stack; stack('.'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()} & {f"{ROOM}{name}" for name, _ in declared()} == set()
