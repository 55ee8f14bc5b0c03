"""The variables of a definition, and what set each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path


class Environment(Mapping[str, str]):
    """Variables with their source: `environment`, the path of a `.env` file, or `project`."""

    def __init__(self, values: Mapping[str, str], source: str = "environment") -> None:
        self._values = dict(values)
        self._sources = dict.fromkeys(values, source)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def source(self, name: str) -> str:
        """What set a variable, or `unset`."""
        return self._sources.get(name, "unset")

    def filled(self, values: Mapping[str, str], source: str) -> Environment:
        """This environment with the variables of `values` that it lacks."""
        result = Environment(self._values)
        result._sources = dict(self._sources)
        for name, value in values.items():
            if name not in result._values:
                result._values[name] = value
                result._sources[name] = source
        return result

    def replaced(self, name: str, value: str, source: str) -> Environment:
        """This environment with another value of a variable."""
        result = self.filled({}, source)
        result._values[name] = value
        result._sources[name] = source
        return result


def process_environment(values: Mapping[str, str] | None) -> Environment:
    """The process's variables, and PWD, DEVSTACK_UID and DEVSTACK_GID if they are missing.

    A definition needs the ids to run a service as the owner of its bind mounts. They are not called UID and
    GID: shells do not export those, so that `${UID:-1000}` would be another user than for Compose.
    """
    environment = Environment(os.environ if values is None else values)
    machine = {"PWD": str(Path.cwd())}
    if hasattr(os, "getuid"):
        machine |= {"DEVSTACK_UID": str(os.getuid()), "DEVSTACK_GID": str(os.getgid())}
    return environment.filled(machine, "project")
