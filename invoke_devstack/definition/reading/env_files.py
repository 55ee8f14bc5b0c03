"""`env_file` and `label_file` of a service: their values become the service's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.reading.unreadable import named_at
from invoke_devstack.definition.syntax.dotenv import Lookup, OnBlank, read_env_file, read_raw_env_file
from invoke_devstack.definition.syntax.tree import Steps
from invoke_devstack.errors import DefinitionError, Position

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.service import Service
    from invoke_devstack.definition.attributes.service_parts import EnvFile
    from invoke_devstack.definition.processes.process import Process
    from invoke_devstack.definition.reading.environment import Environment

Locate = Callable[[Steps], Position]
OnMissing = Callable[[DefinitionError], object]


def with_env_files(
    service: Service,
    environment: Environment,
    locate: Locate,
    on_missing: OnMissing,
    on_blank: OnBlank | None = None,
) -> Service:
    """The service with the variables of its `env_file`s that its `environment` does not set.

    `locate` gives the position of a key, `on_missing` gets the error about a file that is not there,
    `on_blank` is as for `read_env_file`. Raises DefinitionError.
    """
    steps = ("services", service.name)
    variables = variables_of(service, environment, locate, steps, on_missing, on_blank)
    changes: dict[str, object] = {"inline_environment": service.environment}
    if variables:
        changes["environment"] = variables
    return service.copy_with(changes)


def _raise(error: DefinitionError) -> None:
    raise error


def variables_of(
    owner: Service | Process,
    environment: Mapping[str, str],
    locate: Locate,
    steps: Steps,
    on_missing: OnMissing = _raise,
    on_blank: OnBlank | None = None,
) -> dict[str, str | None]:
    """The variables of `environment`, and those of the `env_file`s that it does not set. `steps` lead to the
    owner. Raises DefinitionError."""
    own = {key: environment.get(key) if value is None else value for key, value in owner.environment.items()}
    values = {key: value for key, value in own.items() if value is not None}

    def lookup(variable: str) -> str | None:
        return environment.get(variable, own.get(variable))

    for index, entry in enumerate(owner.env_file):
        position = locate((*steps, "env_file", f"[{index}]"))
        if Path(entry.path).exists():
            with named_at(position):
                values = _read(entry, values, lookup, position, on_blank)
        elif entry.required:
            hint = "Create the file, or add `required: false`."
            message = f"service `{owner.name}`: no such env file: {entry.path}"
            on_missing(DefinitionError(message, hint=hint, position=position))
    return _sorted({**values, **own})


def _read(
    entry: EnvFile,
    values: dict[str, str],
    lookup: Lookup,
    position: Position,
    on_blank: OnBlank | None,
) -> dict[str, str]:
    if entry.format == "raw":
        return {**values, **read_raw_env_file(Path(entry.path), lookup)}
    if entry.format not in (None, ".env"):
        message = f"unknown format `{entry.format}` of an env file"
        raise DefinitionError(message, hint="Write `raw`, or remove `format`.", position=position)
    return read_env_file(Path(entry.path), lookup, values, on_blank)


def with_label_files(service: Service, locate: Locate, on_missing: OnMissing) -> Service:
    """The service with the labels of its `label_file`s, unless it sets them; see `with_env_files`. Raises
    DefinitionError."""
    if not service.label_file:
        return service
    labels: dict[str, str] = {}
    for index, file in enumerate(service.label_file):
        position = locate(("services", service.name, "label_file", f"[{index}]"))
        if not Path(file).exists():
            error = DefinitionError(
                f"service `{service.name}`: no such label file: {file}",
                hint="Create the file, or remove it from `label_file`.",
                position=position,
            )
            on_missing(error)
            continue
        with named_at(position):
            labels |= read_env_file(Path(file), labels.get)
    labels |= service.labels
    return service.copy_with({"labels": _sorted(labels)}) if labels else service


def _sorted(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {key: values[key] for key in sorted(values, key=str.encode)}
