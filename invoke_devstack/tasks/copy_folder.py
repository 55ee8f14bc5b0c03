"""What the tasks.py in a copy's folder calls (`running.copies.folder`)."""

from __future__ import annotations

import os
from pathlib import Path

from invoke.collection import Collection
from invoke.config import Config
from invoke.exceptions import CollectionNotFound
from invoke.loader import FilesystemLoader

from invoke_devstack.settings import COPY_VARIABLE
from invoke_devstack.tasks.namespace import stack


def enter(home: str, name: str) -> Collection:
    """The tasks of the project whose tasks.py is in `home`, which act on its copy `name` from now on."""
    os.environ[COPY_VARIABLE] = name
    try:
        module, parent = FilesystemLoader(config=Config(), start=home).load("tasks")
    except CollectionNotFound:
        return stack(Path(home))
    if Path(parent) != Path(home):
        return stack(Path(home))
    return Collection.from_module(module, loaded_from=parent)
